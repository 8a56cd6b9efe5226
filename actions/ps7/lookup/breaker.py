"""The circuit breaker: whether PS7 is asked at all. Plain values; sends nothing, waits for nothing.

A customer's lookup is only evidence: its failure may be about that contextId. What decides is a
probe, a lookup of a contextId that the plugin makes up.
"""

from __future__ import annotations

from time import monotonic

from .. import telemetry
from ..outcomes import ANSWERS, LookupFailed, Outcome, Reason

LONGEST_PAUSE = 600.0
"""Seconds, at most, between probes while PS7 refuses our credentials."""


class Breaker:
    """One circuit, that of a process: closed while PS7 is asked, open while it is only probed.

    A probe is due after `failures` lookups in a row that count, or after the first one that was
    refused our credentials. If the probe fails as well, and no customer was answered meanwhile, the
    circuit opens with the outcome of the probe. While it is open, a probe is due every `reset`
    seconds, and an answer closes it. While PS7 refuses our credentials, the pauses double, up to
    ten minutes, so that a wrong password does not lock the account.
    """

    def __init__(self, failures: int, reset: float) -> None:
        """Take the limits: lookups in a row, and seconds."""
        self._failures = failures
        self._reset = reset
        self._in_a_row = 0
        """Lookups that failed since the last answer, and count."""
        self._evidence = 0
        """As many as there were when the last probe was sent."""
        self._answered = False
        """Whether a customer was answered since then."""
        self._opened_by: Outcome | None = None
        """How the last probe ended; None: the circuit is closed."""
        self._pause = reset
        self._next_probe = 0.0
        self.wants_probe = False
        """Whether a probe is due."""

    def may_refuse(self) -> None:
        """Raise LookupFailed while the circuit is open, with the outcome of the last probe.

        The first lookup that comes after the pause is refused as well, and sets off a probe.
        """
        if self._opened_by is None:
            return
        if monotonic() >= self._next_probe:
            self.wants_probe = True
        raise LookupFailed(Reason.CIRCUIT_OPEN, outcome=self._opened_by)

    def learn(self, reason: Reason) -> None:
        """Learn how a customer's lookup ended; while the circuit is open, only a probe decides."""
        if self._opened_by is not None:
            return
        if reason.outcome in ANSWERS:
            self._in_a_row, self._answered = 0, True
        elif reason.counts:
            self._in_a_row += 1
            refused = reason.outcome == Outcome.DENIED
            self.wants_probe |= refused or self._in_a_row >= self._failures

    def probe_begins(self) -> None:
        """Note that the probe that was due is sent."""
        self._evidence, self._answered = self._in_a_row, False

    def probe_ended(self, reason: Reason) -> None:
        """Open or close the circuit by how a probe ended, or leave it as it is."""
        was_open = self._opened_by is not None
        self.wants_probe = False
        if reason.outcome in ANSWERS and was_open:
            self._opened_by = None
            telemetry.circuit_closed(reason)
        elif was_open or (reason.counts and not self._answered):
            self._open(reason.outcome)
        self._in_a_row = 0

    def _open(self, outcome: Outcome) -> None:
        """Open the circuit, or keep it open, until the next probe."""
        again = self._opened_by == outcome == Outcome.DENIED
        self._pause = min(2 * self._pause, LONGEST_PAUSE) if again else self._reset
        self._next_probe = monotonic() + self._pause
        if self._opened_by is None:
            telemetry.circuit_opened(self._evidence, self._pause)
        self._opened_by = outcome
