"""The circuit breaker: while PS7 is down, a turn costs no time.

It counts lookups, not attempts. The libraries at hand let every waiting call through when they
probe; here it is exactly one. Knows neither HTTP nor PS7.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..context import Outcome
from ..errors import (
    BREAKER_ANSWERS,
    BREAKER_REASONS,
    BREAKER_STATUSES,
    CircuitOpen,
    LookupFailed,
    Reason,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Breaker:
    """Refuses lookups after `failures` in a row, and lets one probe through every `reset` seconds.

    Closed: all pass. Open: none, until the reset is over. Half open: one probe, whose end decides.
    A refusal has the outcome of the failure that opened the circuit. A lookup whose end speaks of
    its contextId alone, or that is cancelled, counts neither way; if it was the probe, the next
    one is. Nothing is remembered of a contextId.
    """

    def __init__(
        self,
        failures: int,
        reset: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_open: Callable[[], None] = lambda: None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the limits, a clock that never goes back (seconds), and whom to call on a change."""
        self._on_open = on_open
        self._on_close = on_close
        self._limit = failures
        self._reset = reset
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._opened_by = Outcome.UNAVAILABLE
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether lookups are refused at the moment, a probe excepted."""
        return self._opened_at is not None

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Wrap one lookup, and learn from how it ends.

        Raises:
            CircuitOpen: it must not be made.

        """
        is_probe = self._admit()
        end: BaseException | None = None
        try:
            yield
        except BaseException as error:
            end = error
            raise
        finally:
            if is_probe or not self.is_open:  # a straggler from before it opened decides nothing
                self._learn(end, is_probe=is_probe)

    def _admit(self) -> bool:
        """Return whether this lookup is the probe."""
        if self._opened_at is None:
            return False
        if self._probing or self._clock() - self._opened_at < self._reset:
            raise CircuitOpen(Reason.CIRCUIT_OPEN, outcome=self._opened_by)
        self._probing = True
        return True

    def _learn(self, end: BaseException | None, *, is_probe: bool) -> None:
        if is_probe:
            self._probing = False
        if end is None or (isinstance(end, LookupFailed) and end.outcome in BREAKER_ANSWERS):
            self._close()
        elif isinstance(end, LookupFailed) and _counts(end):
            self._failures += 1
            if is_probe or self._failures >= self._limit:
                self._open(end.outcome)

    def _open(self, outcome: Outcome) -> None:
        was_open = self.is_open
        self._opened_at, self._opened_by = self._clock(), outcome
        if not was_open:
            self._on_open()

    def _close(self) -> None:
        was_open = self.is_open
        self._opened_at, self._failures = None, 0
        if was_open:
            self._on_close()


def _counts(failure: LookupFailed) -> bool:
    return failure.reason in BREAKER_REASONS or failure.status in BREAKER_STATUSES
