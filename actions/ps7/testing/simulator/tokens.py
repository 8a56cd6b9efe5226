"""The tokens that the gateway gave, and until when each holds."""

from __future__ import annotations

import secrets
import time


class Tokens:
    """Tokens that were given and are neither over nor revoked."""

    def __init__(self) -> None:
        self._over_at: dict[str, float] = {}

    def give(self, seconds: float) -> str:
        """Make a token that holds for so many seconds."""
        now = time.monotonic()
        self._over_at = {token: over for token, over in self._over_at.items() if over > now}
        token = secrets.token_urlsafe(24)
        self._over_at[token] = now + seconds
        return token

    def hold(self, token: str) -> bool:
        """Tell whether this is a token that still holds."""
        return self._over_at.get(token, 0.0) > time.monotonic()

    def revoke(self) -> None:
        """Let none of them hold any longer."""
        self._over_at.clear()
