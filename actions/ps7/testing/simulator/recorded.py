"""A request as the simulator got it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class RecordedRequest:
    """One request that came in, refused ones included.

    Its `repr` shows no header, no body and no contextId, so that a failing assertion puts none of
    them into a test log.
    """

    method: str
    path: str
    """As it was asked for, a query included."""
    headers: Mapping[str, str] = field(repr=False)
    """Names compare without regard to case, and stand in it as they were sent."""
    body: bytes = field(repr=False)
    json: Any = field(repr=False)
    """The body as JSON, None where it is none."""
    status: int = 0
    """What was answered, or would have been had the client waited."""
    refusal: str | None = None
    """Why the gateway did not let it through to PS7, None if it did."""
    upstream_id: str | None = field(default=None, repr=False)
    """The contextId that went on to PS7, None where none did: Base64 unless `encoded` was 0."""
