"""The time of a test: it goes on as usual, and ahead by as much as a test says."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone


class MovableClock:
    """The real time and what was added to it. Everything that is given this clock moves as one."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def move(self, by: timedelta) -> None:
        """Let so much time pass at once."""
        self._ahead += by

    def utc_now(self) -> datetime:
        """Give the time as the plugin's own clock does."""
        return datetime.now(timezone.utc) + self._ahead

    def seconds(self) -> float:
        """Give the time as `time.time()` does."""
        return time.time() + self._ahead.total_seconds()
