"""The pace of requests once PS7 has refused some of them. Knows neither HTTP nor PS7."""

from __future__ import annotations

import math
from asyncio import sleep
from collections import deque
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

from ..errors import LookupFailed, PS7Unavailable, Reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_SLOWEST = 5
"""Requests a second: in a quiet hour a refusal must not hold the next ones back for a second."""
_NONE_TAKEN = 2  # seconds of refusals alone, however many are still under way
_REMEMBERED = 10  # seconds: a refusal in the night holds nothing back in the morning


class Pace:
    """Lets requests go as they come until PS7 refuses one, then as many a second as it takes.

    Those are what it did not refuse of the last second. Each refusal measures anew, each other end
    adds one. Where PS7 takes none at all there is no pace: that is the circuit breaker's part.
    """

    def __init__(self) -> None:
        self._rate = math.inf
        self._next = self._set_at = 0.0
        self._refused_since: float | None = None
        self._taken: deque[float] = deque(maxlen=1024)
        """When the newest requests went out, but for those that were refused."""

    @asynccontextmanager
    async def turn(self, until: float) -> AsyncIterator[None]:
        """Wrap one request: wait for its turn, and learn from how it ends.

        PS7Unavailable where that turn would come after `until` (monotonic clock): it is not sent.
        """
        set_at = None
        while set_at != self._set_at:  # once more where the pace has changed meanwhile
            set_at, now = self._set_at, monotonic()
            if now - set_at >= _REMEMBERED:
                self._rate = math.inf
            at = max(now, self._next)
            if max(now, until) < at:
                raise PS7Unavailable(Reason.HELD_BACK)
            self._next = at + 1 / self._rate
            if now < at:
                await sleep(at - now)
        self._taken.append(began := monotonic())
        try:
            yield
        except LookupFailed as failure:
            # One that is not retryable is about its contextId, which must not slow others down.
            refused = failure.reason == Reason.TOO_MANY_REQUESTS or failure.retry_after is not None
            self._learn(began, refused=refused and failure.retryable)
            raise
        self._learn(began, refused=False)

    def _learn(self, began: float, *, refused: bool) -> None:
        if not refused:
            self._rate, self._refused_since = self._rate + 1, None
            return
        now = monotonic()
        self._refused_since = self._refused_since or now
        with suppress(ValueError):  # where a thousand went out since
            self._taken.remove(began)
        taken = sum(0 <= began - at < 1 for at in tuple(self._taken))
        rate = max(taken, _SLOWEST)
        if now - self._refused_since > _NONE_TAKEN:
            self._rate = math.inf
        elif taken and rate < self._rate:
            self._rate, self._set_at, self._next = rate, now, now + 1 / rate
