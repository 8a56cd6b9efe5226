"""States in which there is nothing to do, so that most turns cost next to nothing.

A state is known by a keyed digest of all that a decision goes by; nothing of it is kept but the
digest, and until when it holds. Any change makes another digest, and the turn is then run in full.
A process that knows nothing yet does what one that knows does, only slower.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SIZE = 4096
"""States that a process remembers: those that were used last."""


class StateCache:
    """What one process remembers, by digests: that of any value that JSON can say."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, datetime] = OrderedDict()

    def in_order(self, digest: bytes, now: datetime) -> bool:
        """Whether a state is known, and its time is not over."""
        if digest not in self._known:
            return False
        self._known.move_to_end(digest)
        return now < self._known[digest]

    def remember(self, digest: bytes, until: datetime) -> None:
        """Remember that a state is in order until then."""
        if digest:
            self._known[digest] = until
        if len(self._known) > SIZE:
            self._known.popitem(last=False)

    def digest(self, state: object) -> bytes:
        """Return what a state is known by; of one that JSON cannot say nothing, never known."""
        try:
            text = json.dumps(state)
        except (TypeError, ValueError, RecursionError):
            return b""
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=32).digest()
