"""Conversations in which there is nothing to do, so that most turns cost next to nothing.

A conversation is known by a keyed digest of its seal and slots. Nothing else of it is kept but the
fingerprint of its contextId: no customer, no slot. Any change makes another digest, and the turn is
then run in full, as the first one is. A process that knows nothing yet does what one that knows
does, only slower.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .seal import Seen

SIZE = 4096
"""Conversations that a process remembers: those that spoke last."""


class InOrder(NamedTuple):
    """Until when the slots say what PS7 said, unless another contextId comes."""

    until: datetime
    seen: Seen
    came: tuple[str, bool] | None
    """Which contextId had come beyond what was seen, and whether it was carried over."""


class Settled:
    """What one process remembers."""

    def __init__(self) -> None:
        """Begin with nothing, and a key that no other process has."""
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, InOrder] = OrderedDict()

    def digest(self, sender_id: str, slots: Mapping[str, object]) -> bytes | None:
        """Name a conversation whose slots of ours are these; None where they cannot be written."""
        try:
            text = json.dumps([sender_id, slots])
        except (TypeError, ValueError, RecursionError):
            return None
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=32).digest()

    def get(self, digest: bytes | None) -> InOrder | None:
        """Give what is known of a conversation in exactly this state."""
        known = None if digest is None else self._known.get(digest)
        if known is not None and digest is not None:
            self._known.move_to_end(digest)
        return known

    def note(self, digest: bytes | None, state: InOrder) -> None:
        """Remember that a conversation in this state is in order."""
        if digest is None:
            return
        self._known[digest] = state
        if len(self._known) > SIZE:
            self._known.popitem(last=False)
