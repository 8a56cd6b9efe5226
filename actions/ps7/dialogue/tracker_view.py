"""What one run reads of a tracker: plain values, the contextId that counts, and the session.

What is not of the expected type counts as not there. Pure: it knows no SDK and writes nothing.
"""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any, Protocol

from . import resolver
from .arrival import on_time
from .context_id import SESSION_METADATA, find, found_as, in_session, session_mark, values
from .seal import UNSEEN, Seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .arrival import Door
    from .context_id import Found
    from .seal import Sealed


class TrackerLike(Protocol):
    """What is read of the SDK's tracker."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]


class TrackerView:
    """One conversation as it stands."""

    def __init__(
        self,
        tracker: TrackerLike,
        door: Door,
        metadata_keys: Sequence[str],
        default_encoded: int | None = None,
    ) -> None:
        """Read the tracker: `metadata_keys` is where contextIds stand, and `door` lets them in.

        `default_encoded` is what `PS7_ENCODED` says.
        """
        self.sender_id = str(tracker.sender_id)
        self.slots = tracker.slots if isinstance(tracker.slots, dict) else {}
        self._latest_message = tracker.latest_message
        self._events = tracker.events if isinstance(tracker.events, list) else []
        self._door = door
        self._paths = metadata_keys
        self._encoded = default_encoded

    def found(self, held: Sealed | None, now: datetime) -> Found | None:
        """Give the contextId that counts, let in or refused; None where there is none."""
        found = self.newest(held.seen if held is not None and held.good_at(now) else UNSEEN)
        if found is None:
            return None
        found = self._door.read(found, self.sender_id)
        if resolver.is_left_over(found, held):
            return None
        return found if resolver.is_known(found, held) else on_time(found, now)

    def newest(self, seen: Seen) -> Found | None:
        """Find the contextId that came last, as it stands there; None where none came.

        What was seen at a good lookup led to what is held: a long conversation is not read again on
        every turn, and None means that no contextId came since.
        """
        newer = self._since(seen)
        if newer is not self._events and not session_mark(newer):
            return find(self._latest_message, newer, None, self._paths, self._encoded)
        metadata = self.slots.get(SESSION_METADATA)
        return find(self._latest_message, self._events, metadata, self._paths, self._encoded)

    def _since(self, seen: Seen) -> list[dict[str, Any]]:
        """Give the events that were not seen; all of them where the seen ones are not there."""
        count = seen.events
        grown = 0 < count <= len(self._events) and _time(self._events[count - 1]) == seen.last
        return self._events[count:] if grown else self._events

    def written_to(self, slot: str, seen: Seen = UNSEEN) -> set[object]:
        """Give the texts that events, seen ones left out, put into a slot.

        What the slot holds now is left out as well. Earlier sessions count as far as the tracker
        shows them: slots are carried over from there as a rewind left them.
        """
        now = self.slots.get(slot)
        written = (event["value"] for event in self._since(seen) if _sets(event, slot))
        return {text for text in written if text != now}

    def written_in_session(self, slot: str) -> set[object]:
        """Return the texts that events of this session put into a slot, carried-over ones too."""
        return {event["value"] for event in in_session(self._events) if _sets(event, slot)}

    def seen(self, found: Found) -> Seen:
        """Say up to where this tracker need not be read again, for a seal to remember."""
        newest, _ = next(values(None, self._events, self._paths), (None, None))
        if newest != found.value:
            return UNSEEN  # it stands elsewhere, where it may be changed
        return Seen(len(self._events), _time(self._events[-1]))

    def among_the_first(self, count: int, found: Found, held: Sealed | None) -> bool:
        """Tell whether a contextId is among so many that this session asked about first.

        What the session's messages brought counts, which nobody can take back, and what the seal
        remembers.
        """
        asked = self.asked(held)
        came = list(values(self._latest_message, self._events, self._paths, self._encoded))
        others = sum(each != (found.value, found.encoded) for each in came)
        if len(asked) + others < count:
            return True  # the usual case: however many of them are the same
        distinct = {one.fingerprint: one for one in starmap(found_as, reversed(came))}
        read = [self._door.read(one, self.sender_id) for one in distinct.values()]
        usable = (other.fingerprint for other in read if other.context_id is not None)
        in_order = list(dict.fromkeys([*asked, *usable, found.fingerprint]))
        return in_order.index(found.fingerprint) < count

    def asked(self, held: Sealed | None) -> tuple[str, ...]:
        """Give the contextIds that the seal knows to have been asked about in this session."""
        return held.asked if held is not None and held.session == self.session_mark() else ()

    def session_mark(self) -> str:
        """Tell this session of the conversation from its others."""
        return session_mark(self._events)


def _sets(event: object, slot: str) -> bool:
    if not isinstance(event, dict) or not isinstance(event.get("value"), str):
        return False
    return event.get("event") == "slot" and event.get("name") == slot


def _time(event: object) -> str:
    return str(event.get("timestamp")) if isinstance(event, dict) else ""
