"""Keyed digests: how a log names what it must not show, and a conversation what it is about."""

from __future__ import annotations

import hashlib
import hmac

_BYTES = 16
_LOG_DIGITS = 12


class KeyedDigest:
    """Digests of one purpose. Two purposes never give the same digest of one text."""

    def __init__(self, key: str, purpose: str) -> None:
        """Derive the key of this purpose from `key`, a text that only this bot's servers know."""
        self._key = hmac.digest(key.encode(), f"ps7 {purpose}".encode(), hashlib.sha256)

    def _of(self, text: str) -> bytes:
        # BLAKE2 takes a key by itself (RFC 7693): some five times as fast as an HMAC of OpenSSL's.
        encoded = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(encoded, key=self._key, digest_size=_BYTES).digest()

    def short(self, text: str) -> str:
        """Return 12 hexadecimal digits: enough to follow one contextId through a log."""
        return self._of(text).hex()[:_LOG_DIGITS]

    def uuid(self, text: str) -> str:
        """Return a UUID (version 8, RFC 9562) that is the same for the same text."""
        digits = self._of(text).hex()
        variant = "89ab"[int(digits[16], 16) % 4]
        front = f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}"
        return f"{front}-{variant}{digits[17:20]}-{digits[20:]}"
