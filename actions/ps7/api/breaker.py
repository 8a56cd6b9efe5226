"""The circuit breaker: while PS7 is down, a turn costs no time.

It counts lookups, not attempts. The libraries at hand admit every waiting call as a probe; here it
is exactly one. Knows neither HTTP nor PS7.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from ..context import Outcome
from ..errors import CircuitOpen, LookupFailed, Reason
from . import telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_ANSWERS = frozenset({Outcome.INVALID, Outcome.REJECTED})
"""Outcomes of failures that show, as a success does, that PS7 is there."""


class Breaker:
    """Refuses lookups after `failures` in a row, and admits one probe every `reset` seconds.

    Closed: all pass. Open: none, until the reset is over. Half open: one probe, whose end decides.
    A refusal has the outcome of the failure that opened the circuit. A lookup whose end speaks of
    its contextId alone, or that is cancelled, counts neither way; if it was the probe, the next
    one is. Nothing is remembered of a contextId.
    """

    def __init__(self, failures: int, reset: float) -> None:
        self._limit = failures
        self._reset = reset
        self._failures = 0
        self._opened_at = 0.0
        self._opened_by = Outcome.UNAVAILABLE
        self._probing = False
        self.is_open = False
        """Whether lookups are refused at the moment, a probe excepted."""

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Wrap one lookup, and learn from how it ends; CircuitOpen where it must not be made."""
        is_probe = self.is_open
        if is_probe:
            if self._probing or monotonic() - self._opened_at < self._reset:
                raise self._refusal()
            self._probing = True
        try:
            yield
        except LookupFailed as failure:
            self._learn(failure, is_probe=is_probe)
            raise
        else:
            self._learn(None, is_probe=is_probe)
        finally:
            if is_probe:
                self._probing = False

    def _refusal(self) -> CircuitOpen:
        refusal = CircuitOpen(Reason.CIRCUIT_OPEN)
        refusal.outcome = self._opened_by
        return refusal

    def _learn(self, failure: LookupFailed | None, *, is_probe: bool) -> None:
        if self.is_open and not is_probe:
            return  # it began before the circuit opened, and decides nothing
        if failure is None or failure.outcome in _ANSWERS:
            self._failures = 0
            if self.is_open:
                self.is_open = False
                telemetry.open_circuits.add(-1)
                logger.warning("Circuit breaker closed: PS7 answers again")
        elif failure.counts_for_breaker:
            self._failures += 1  # never reset while open: one failed probe is enough
            if self._failures >= self._limit:
                self._opened_at, self._opened_by = monotonic(), failure.outcome
                if not self.is_open:
                    self.is_open = True
                    telemetry.open_circuits.add(1)
                    logger.warning(
                        "Circuit breaker open after %d failures; next probe in %g s",
                        self._limit,
                        self._reset,
                    )
