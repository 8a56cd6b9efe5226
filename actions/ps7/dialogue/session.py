"""A session that is about to start: what Rasa keeps of the one before, and what opened this one.

Pure: plain values of a tracker and a domain in, plain values out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .context_id import SESSION_METADATA, find, opening
from .slots import differing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .tracker_view import TrackerLike


class NewSession:
    """The tracker as it will be once the session has started, for a `Turn` to read.

    Its latest message is what opened the session: the tracker's own is still the message before. Of
    the events before, those that set slots are kept, so that a seal which a rewind put back is told
    from one that was left as it is; they count as this session's where slots are carried over.
    """

    def __init__(self, tracker: TrackerLike, domain: object, metadata_keys: Sequence[str]) -> None:
        """Read both; `metadata_keys` is where contextIds stand.

        What is not of the expected type counts as not there.
        """
        before = tracker.slots if isinstance(tracker.slots, dict) else {}
        events = tracker.events if isinstance(tracker.events, list) else []
        events = [event for event in events if isinstance(event, dict)]
        self._initial = {name: _initial_value(domain, name) for name in before}
        carried = _carries_over(domain)
        self._kept = dict(before) if carried else dict(self._initial)
        self._keep_at_hand(_brought_by_a_message(events), metadata_keys)
        self.sender_id = tracker.sender_id
        self.latest_message: dict[str, Any] = {"metadata": opening(events)}
        start, slots_set = [_start_after(events)], list(filter(_sets_slot, events))
        self.events: list[dict[str, Any]] = start + slots_set if carried else slots_set + start
        # Metadata of an earlier session may still stand there.
        self.slots = {**self._kept, SESSION_METADATA: None}

    def to_set(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Give the slots to set after Rasa has reset them all: what is kept, with these changes."""
        return differing({**self._kept, **changes}, self._initial)

    def _keep_at_hand(self, metadata: object, metadata_keys: Sequence[str]) -> None:
        """Put a contextId that `/session_start` brings where Rasa keeps that of a first message.

        The message itself belongs to the session before: a lookup that failed could not be tried
        again.
        """
        found = find({"metadata": metadata}, [], None, metadata_keys)
        if found is not None and SESSION_METADATA in self._kept:
            self._kept[SESSION_METADATA] = metadata


def _sets_slot(event: Mapping[str, Any]) -> bool:
    return event.get("event") == "slot"


def _brought_by_a_message(events: Sequence[Mapping[str, Any]]) -> object:
    return opening([event for event in events if not _sets_slot(event)])


def _start_after(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Stand in for the event that Rasa is going to add: no two sessions have the same."""
    newest = events[-1].get("timestamp") if events else None
    return {"event": "session_started", "timestamp": newest}


def _part(domain: object, *path: str) -> object:
    for step in path:
        domain = domain.get(step) if isinstance(domain, dict) else None
    return domain


def _initial_value(domain: object, slot: str) -> object:
    return _part(domain, "slots", slot, "initial_value")


def _carries_over(domain: object) -> bool:
    """Whether slots are carried over: as the domain says, and nothing where none was sent.

    Each domain that Rasa sends has a `session_config`, also where the bot's own files have none.
    """
    config = _part(domain, "session_config")
    return isinstance(config, dict) and config.get("carry_over_slots_to_new_session") is not False
