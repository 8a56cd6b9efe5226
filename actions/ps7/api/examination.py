"""One lookup while it runs, and one that was: what its attempts share, and how it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..context import CustomerContext
    from ..errors import LookupFailed
    from .telemetry import LookupReport
    from .wire import Answer, Request


@dataclass
class Examination:
    """One lookup from all sides, for a person who looks for a fault. Its `repr` shows no value."""

    report: LookupReport
    """How it ended, and why: what the log line says."""
    customer: CustomerContext | None = None
    """None on every outcome but ok."""
    answer: Answer | None = field(default=None, repr=False)
    """PS7's answer to the last attempt as it came; None where none came, or not whole."""


@dataclass
class Lookup:
    """What the attempts of one lookup share."""

    request: Request
    examination: Examination
    replayed: bool = False
    """Whether a token was refused and the request sent again: once is enough."""
    failure: LookupFailed | None = None
    """How the first attempt failed, until that is told to what makes the next ones."""
