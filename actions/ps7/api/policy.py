"""How PS7 is asked: within one deadline, again if a retry may succeed, and not while it is away.

Knows neither HTTP nor PS7: what an attempt is, and the breaker's question, is handed in.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio import sleep
from contextvars import Context
from functools import partial
from random import uniform
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from ..context import Outcome
from ..errors import CircuitOpen, DeadlineExceeded, LookupFailed, PS7Unavailable, Reason
from . import telemetry

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ..settings import PS7Settings

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
"""Seconds, at most, before the first retry, which double with each one, and before any."""
_ANSWERS = frozenset({Outcome.INVALID, Outcome.REJECTED})
"""Outcomes of failures that show, as a success does, that PS7 is there."""

_Result = TypeVar("_Result")


class Policy:
    """The deadline, the retries and the circuit breaker of all lookups of a process.

    A customer's lookup is only evidence: its failure may be about that contextId. After
    `PS7_BREAKER_FAILURES` failures in a row that count, the breaker asks its own question, beside
    the customers' traffic. If that fails in a way that counts too, and no customer was
    answered meanwhile, the circuit opens. While it is open, lookups are refused with the outcome of
    the last question, and once `PS7_BREAKER_RESET` is over one of them sets off the next.
    """

    def __init__(
        self, settings: PS7Settings, question: Callable[[], Coroutine[Any, Any, object]]
    ) -> None:
        """Take the limits, and the question: it is applied to this policy, as a lookup is."""
        self._settings = settings
        self._question = question
        self._asking: asyncio.Future[Any] | None = None
        self._failed_in_a_row = 0
        self._counted: object = None
        """The event of the failure that was counted last: one that several share counts once."""
        self._opened_by: Outcome | None = None
        """Outcome of the question that opened the circuit; None: it is closed."""
        self._ask_at = 0.0

    async def apply(
        self, attempt: Callable[[], Awaitable[_Result]], *, is_question: bool = False
    ) -> _Result:
        """Return what an attempt returns, or raise LookupFailed and nothing else.

        A question is one attempt, which the breaker neither refuses nor counts.
        """
        if is_question:
            return await self._within_deadline(attempt, 1)
        if self._opened_by is not None:
            if monotonic() >= self._ask_at:
                self._ask()
            refusal = CircuitOpen(Reason.CIRCUIT_OPEN)
            refusal.outcome = self._opened_by
            raise refusal
        try:
            result = await self._within_deadline(attempt, self._settings.attempts)
        except LookupFailed as failure:
            self._learn(failure)
            raise
        self._learn(None)
        return result

    async def _within_deadline(
        self, attempt: Callable[[], Awaitable[_Result]], attempts: int
    ) -> _Result:
        """Repeat a retryable failure, at most so many attempts in all.

        Retries are for blips: each lookup that failed just before takes one attempt away. The pause
        is what the server asks for, else by chance (full jitter), so that callers do not come back
        together. What would not begin within the deadline is not waited for.
        """
        kind: type[PS7Unavailable]
        try:
            async with timeout(self._settings.deadline):
                deadline, longest_pause = monotonic() + self._settings.deadline, _FIRST_PAUSE
                while True:
                    attempts -= 1
                    try:
                        return await attempt()
                    except LookupFailed as failure:
                        if attempts <= self._failed_in_a_row or not failure.retryable:
                            raise
                        pause = failure.retry_after
                        if pause is None:
                            pause = uniform(0, longest_pause)  # noqa: S311 - no secret
                        if monotonic() + pause >= deadline:
                            raise
                    await sleep(pause)
                    longest_pause = min(2 * longest_pause, _LONGEST_PAUSE)
        except LookupFailed:
            raise
        except asyncio.TimeoutError:
            kind, reason = DeadlineExceeded, Reason.DEADLINE
        except Exception as error:  # noqa: BLE001 - the family is closed
            telemetry.log_bug(error)
            kind, reason = PS7Unavailable, Reason.INTERNAL
        # Raised out here, no foreign error, and none of its values, goes along; see Transport.send.
        raise kind(reason) from None

    def _learn(self, failure: LookupFailed | None) -> None:
        """Learn from how a lookup ended; while the circuit is open, only the question decides."""
        if self._opened_by is not None:
            return
        if failure is None or failure.outcome in _ANSWERS:
            self._failed_in_a_row = 0
        elif failure.counts_for_breaker and failure.event is not self._counted:
            self._counted = failure.event
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= self._settings.breaker_failures:
                self._ask()

    def _ask(self) -> None:
        """Set the question off, unless one is under way."""
        asking = self._asking
        if asking is None or asking.done() or not asking.get_loop().is_running():
            # In its own context: its spans are not those of the lookup that set it off. Not as a
            # plain task: a server that stops may close its event loop, and that needs no log line.
            ask = partial(asyncio.gather, self._decide(), return_exceptions=True)
            self._asking = Context().run(ask)

    async def _decide(self) -> None:
        """Ask the question, and open or close the circuit by its end."""
        failure, loop = None, asyncio.get_running_loop()
        try:
            await self._question()
        except LookupFailed as failed:
            failure = failed
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            telemetry.log_bug(error)
            return
        if self._asking is None or self._asking.get_loop() is not loop:
            return  # its event loop stood still meanwhile, and another one has asked
        limit, reset = self._settings.breaker_failures, self._settings.breaker_reset
        was_open = self._opened_by is not None
        if failure is None or not failure.counts_for_breaker:
            self._failed_in_a_row, self._opened_by = 0, None
            if was_open:
                telemetry.open_circuits.add(-1)
                logger.warning("Circuit breaker closed: PS7 answers again")
        elif was_open or self._failed_in_a_row >= limit:
            self._opened_by, self._ask_at = failure.outcome, monotonic() + reset
            if not was_open:
                telemetry.open_circuits.add(1)
                logger.warning(
                    "Circuit breaker open after %d failures; next probe in %g s", limit, reset
                )

    async def close(self) -> None:
        """End the question of the running event loop."""
        asking = self._asking
        if asking is not None and asking.get_loop() is asyncio.get_running_loop():
            asking.cancel()
            await asyncio.wait([asking])
            asking.exception()  # retrieved: it is its cancellation
