"""A session that is about to start: what Rasa keeps of the one before, and what opens this one.

Pure: plain values of a tracker and a domain in, plain values out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .history import SESSION_EVENTS, SESSION_METADATA, Message
from .slots import differing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .history import History
    from .situation import TrackerLike


class NewSession:
    """The tracker as it will be once the session has started, for a `Turn` to read."""

    def __init__(self, tracker: TrackerLike, domain: object) -> None:
        """Read both. What is not of the expected type counts as not there."""
        before = tracker.slots if isinstance(tracker.slots, dict) else {}
        events = tracker.events if isinstance(tracker.events, list) else []
        self._initial = {name: _initial_value(domain, name) for name in before}
        self.carries_over = _carries_over(domain)
        self.sender_id = tracker.sender_id
        self.latest_message: dict[str, Any] = {}  # the tracker's is of the session before
        self.events = events
        self.slots = dict(before) if self.carries_over else dict(self._initial)
        self._brought = opening(events)
        self.mark = uuid4().hex
        """Rasa's timestamp of the session is not known yet."""

    def add_to(self, history: History) -> None:
        """Begin this session in what the tracker shows."""
        session = history.open_session(self.mark)
        session.carried = set(history.seals) if self.carries_over else set()
        if self._brought is not None:
            session.messages.append(Message(self._brought, history.at))

    def to_set(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the slots to set after Rasa has reset them all: what is kept, and the changes."""
        return differing({**self.slots, **changes}, self._initial)


def opening(events: Sequence[object]) -> object:
    """Return the metadata that opens the session which is about to start; None where none does.

    While `action_session_start` runs, the latest message is still that of the session before. What
    came since the last action counts: the message `/session_start` itself, else the slot in which
    Rasa notes the metadata of a message that opens a session, if that is the very last event.
    """
    newest: Mapping[str, Any] | None = None
    for event in _since_the_last_action(events):
        newest = newest or event
        if event.get("event") == "user":
            return event.get("metadata") if _asks_for_session(event) else None
    if newest is None or newest.get("event") != "slot" or newest.get("name") != SESSION_METADATA:
        return None
    return newest.get("value")


def _since_the_last_action(events: Sequence[object]) -> Iterator[Mapping[str, Any]]:
    """Yield those events, the newest first."""
    for event in reversed(events):
        if not isinstance(event, dict):
            continue
        if event.get("event") in ("action", *SESSION_EVENTS):
            return
        yield event


def _asks_for_session(message: Mapping[str, Any]) -> bool:
    text = message.get("text")
    return isinstance(text, str) and text.partition("{")[0].strip() == "/session_start"


def _part(domain: object, *path: str) -> object:
    for step in path:
        domain = domain.get(step) if isinstance(domain, dict) else None
    return domain


def _initial_value(domain: object, slot: str) -> object:
    return _part(domain, "slots", slot, "initial_value")


def _carries_over(domain: object) -> bool:
    """Whether slots are carried over: as the domain says, and nothing where none was sent."""
    carries = _part(domain, "session_config", "carry_over_slots_to_new_session")
    return bool(domain) and carries is not False
