"""The circuit breaker: while PS7 is down, a turn costs no time.

It counts lookups, not attempts. The libraries at hand let every waiting call through when they
probe; here it is exactly one. Knows neither HTTP nor PS7.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import CircuitOpen, LookupFailed, PS7Unavailable, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OURS = frozenset({Reason.INTERNAL})
"""Reasons of `unavailable` that say nothing about PS7 or the network."""


class Breaker:
    """Refuses lookups after `failures` in a row, and lets one probe through every `reset` seconds.

    Closed: all pass. Open: none, until the reset is over. Half open: one probe, whose end decides.
    A lookup that is cancelled says nothing, nor does a mistake of ours; if it was the probe, the
    next one is.
    """

    def __init__(
        self,
        failures: int,
        reset: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[..., None] = lambda **_: None,
    ) -> None:
        """Take the limits, a clock that never goes back (seconds), and whom to tell of a change.

        `on_change(is_open=…)` is called when the circuit opens, and when it closes again.
        """
        self._on_change = on_change
        self._limit = failures
        self._reset = reset
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
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
        try:
            yield
        except BaseException as error:
            if isinstance(error, LookupFailed) and error.reason not in _OURS:
                self._ended(is_probe=is_probe, failed=isinstance(error, PS7Unavailable))
            elif is_probe:
                self._probing = False
            raise
        self._ended(is_probe=is_probe, failed=False)

    def _admit(self) -> bool:
        """Tell whether this lookup is the probe."""
        if self._opened_at is None:
            return False
        if self._probing or self._clock() - self._opened_at < self._reset:
            raise CircuitOpen(Reason.CIRCUIT_OPEN)
        self._probing = True
        return True

    def _ended(self, *, is_probe: bool, failed: bool) -> None:
        was_open = self._opened_at is not None
        if was_open and not is_probe:
            return  # it began before the circuit opened: the probe decides, not a straggler
        self._probing = False
        self._failures = self._failures + 1 if failed else 0
        opens = failed and (is_probe or self._failures >= self._limit)
        self._opened_at = self._clock() if opens else None
        if opens != was_open:
            self._on_change(is_open=opens)
