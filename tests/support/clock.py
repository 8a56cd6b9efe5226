"""A time of day that a test moves."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from actions.ps7 import clock


def now() -> float:
    """Return the time of an event of now: a signed arrival is held against it."""
    return clock.utc_now().timestamp()


class Clock:
    """The plugin's clock, standing still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
        monkeypatch.setattr(clock, "utc_now", lambda: self.now)

    def move(self, seconds: float) -> None:
        """Let time pass, or turn it back."""
        self.now += timedelta(seconds=seconds)
