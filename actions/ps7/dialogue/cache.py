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
    """What one process remembers."""

    def __init__(self) -> None:
        """Begin with nothing, and a key that no other process has."""
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, datetime] = OrderedDict()

    def digest(self, state: object) -> bytes | None:
        """Return what a state is known by; None where it cannot be written as JSON."""
        try:
            text = json.dumps(state)
        except (TypeError, ValueError, RecursionError):
            return None
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=32).digest()

    def in_order_until(self, digest: bytes | None) -> datetime | None:
        """Return until when a state is known to be in order, None where that is not known."""
        until = None if digest is None else self._known.get(digest)
        if until is not None and digest is not None:
            self._known.move_to_end(digest)
        return until

    def remember(self, digest: bytes | None, until: datetime) -> None:
        """Remember that a state is in order until then."""
        if digest is None:
            return
        self._known[digest] = until
        if len(self._known) > SIZE:
            self._known.popitem(last=False)
