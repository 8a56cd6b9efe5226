"""What a named fault is. The table of them stands in `faults`.

Knows neither the plugin nor the simulator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Delivery = Literal[
    "whole",
    "held",
    "late",
    "dated",
    "echoed",
    "packed",
    "endless",
    "reset",
    "closed",
    "reset-body",
    "closed-body",
    "held-body",
    "dripped",
    "short",
    "unsized",
    "bare",
]
"""How an answer goes out. What each does stands at its function in `simulator/`: the first seven
are HTTP (`delivery.py`), the others break the connection or the protocol (`broken.py`)."""


@dataclass(frozen=True)
class Fault:
    """One way in which PS7 or the network misbehaves, and what a client is to make of it."""

    name: str
    """Its name, which is also its contextId: ASCII, easily typed."""
    title: str
    """What happens, in one line (pt-BR)."""
    outcome: str
    """What `ps7_status` must say after a lookup."""
    reason: str
    """Why, in the word of the log line, unless the deadline comes before it."""
    retried: bool = False
    """Whether the same request is to be sent again, as often as attempts and deadline allow."""
    status: int = 200
    body: bytes | Mapping[str, Any] = field(default=b"", repr=False)
    """A mapping goes out as JSON, bytes go out as they are."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Without a Content-Type the answer says `application/json`."""
    delivery: Delivery = "whole"
    after: tuple[str, ...] = ()
    """The faults that are answered first, one request each and once in a simulator's life."""

    @property
    def context_id(self) -> str:
        """The contextId that leads to this fault."""
        return self.name
