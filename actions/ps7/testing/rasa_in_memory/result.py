"""What a test gets to see of one call of a conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .events import Event


class UndeclaredSlotError(AssertionError):
    """Something sets slots that the domain does not declare: in Rasa the values would be lost."""


@dataclass(frozen=True)
class Result:
    """What a bot's actions did in one call of the conversation. Rasa's own leave only texts."""

    events: list[Event] = field(default_factory=list)
    """What they returned, as it came over the wire."""
    responses: list[dict[str, Any]] = field(default_factory=list)
    """What they handed to the dispatcher. `response` names an answer of the domain."""
    texts: list[str] = field(default_factory=list)
    """What the user reads: plain texts, and answers of the domain with their slots filled in."""
    ignored: list[dict[str, Any]] = field(default_factory=list)
    """Events and messages that Rasa drops: an every-turn action can set slots and nothing else."""

    @property
    def slots(self) -> dict[str, Any]:
        """The slots that the events set."""
        return {event["name"]: event["value"] for event in self.events if event["event"] == "slot"}

    def __add__(self, later: Result) -> Result:
        return Result(
            self.events + later.events,
            self.responses + later.responses,
            self.texts + later.texts,
            self.ignored + later.ignored,
        )
