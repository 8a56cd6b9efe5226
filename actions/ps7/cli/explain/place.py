"""Where in a conversation a contextId stands: the messages are looked at as a run looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...dialogue.context_id import look_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...dialogue.context_id import Found
    from ...dialogue.history import Message

SEAL = "the newest seal of this session"
_AGO = {
    0: "the metadata of this message",
    1: "the metadata of the message before",
}


class Place(NamedTuple):
    """Where it stands."""

    where: str
    key: str | None
    """The one of `PS7_METADATA_KEYS` under which it stands; None in a seal."""


def place_of(found: Found, messages: Sequence[Message], keys: Sequence[str]) -> Place:
    """Return where what was found stands among the messages of its session, oldest first."""
    for count, message in enumerate(reversed(messages)):
        for key in keys:
            hit = look_in(message.metadata, [key.split(".")])
            if hit is not None and hit.value == found.value:
                ago = f"the metadata of the message {count} turns before"
                return Place(_AGO.get(count, ago), key)
    return Place(SEAL, None)
