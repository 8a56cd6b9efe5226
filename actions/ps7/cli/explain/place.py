"""Where in a conversation a contextId was found: `context_id.find` is asked, place by place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ...dialogue.context_id import SESSION_METADATA, find, in_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...dialogue.context_id import Found
    from ...dialogue.tracker_view import TrackerLike


_CARRIED = f"the slot {SESSION_METADATA}"
_AGO = {
    0: "the metadata of the newest message",  # not this one's only where that was taken back
    1: "the metadata of the message before",
}


class Place(NamedTuple):
    """Where it stands."""

    where: str
    key: str
    """The one of `PS7_METADATA_KEYS` under which it stands."""


def place_of(tracker: TrackerLike, keys: Sequence[str]) -> tuple[Found, Place] | None:
    """Find the contextId that counts, as it stands there, and where; None where there is none."""
    for where, metadata in _places(tracker):
        for key in keys:
            # One place and one key at a time: the first hit of all is the first of these.
            found = find({"metadata": metadata}, [], None, [key])
            if found is not None:
                return replace(found, carried=where == _CARRIED), Place(where, key)
    return None


def _places(tracker: TrackerLike) -> Iterator[tuple[str, object]]:
    """Give every place in the order in which `find` looks, with what stands there."""
    yield "the metadata of this message", tracker.latest_message.get("metadata")
    messages = (event for event in in_session(tracker.events) if event.get("event") == "user")
    for count, message in enumerate(messages):
        yield (
            _AGO.get(count, f"the metadata of the message {count} turns before"),
            message.get("metadata"),
        )
    yield _CARRIED, tracker.slots.get(SESSION_METADATA)
