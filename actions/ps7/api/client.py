"""`PS7Client.lookup()`: from a contextId to the customer, or to an error of ours, in time."""

from __future__ import annotations

import asyncio
import sys
from asyncio import sleep
from random import uniform
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import clock
from ..context import Outcome
from ..digest import KeyedDigest
from ..errors import AccessDenied, DeadlineExceeded, LookupFailed, PS7Unavailable, Reason
from ..settings import PS7Settings
from . import telemetry
from .breaker import Breaker
from .gateway import Gateway
from .pace import Pace
from .telemetry import LookupReport
from .transport import Transport
from .wire import build_request, decode

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer
    from typing_extensions import Self

    from ..context import CustomerContext
    from .customer import Decoded
    from .wire import Request

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
"""Seconds, at most, before the first retry, which double with each one, and before any."""


class PS7Client:
    """Looks contexts up at PS7.

    One client serves a whole process; it opens its connections at the first lookup, and anew in
    each event loop. Use it as an async context manager, or `close()` it:

        async with PS7Client() as ps7:
            customer = await ps7.lookup("123123213")
    """

    def __init__(
        self,
        settings: PS7Settings | None = None,
        *,
        tracer: Callable[[], Tracer | None] | None = None,
    ) -> None:
        """Take the settings, or read those of this process.

        `tracer` returns the host's OpenTelemetry tracer, if it has one at that moment.

        Raises:
            SettingsError: no settings were given and those of this process are not usable.

        """
        self.settings = settings = settings if settings is not None else PS7Settings.load()
        self.digest = KeyedDigest(settings.newest_key, "context id").short
        self._tracer = tracer or (lambda: None)
        self._transport = Transport(settings)
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_reset)
        self._pace = Pace()
        self._gateway: Gateway | None = None
        if (key := settings.app_key) is not None and (secret := settings.app_secret) is not None:
            self._gateway = Gateway(settings, key, secret, self._transport.send)

    async def lookup(
        self,
        context_id: str,
        *,
        encoded: int | None = None,
        correlation_id: str | None = None,
        flow_id: str | None = None,
        report: LookupReport | None = None,
    ) -> CustomerContext:
        """Ask PS7 who stands behind a contextId, within `PS7_DEADLINE`, and log one INFO line.

        `encoded` goes into the body (None: as `PS7_ENCODED` says). `correlation_id` groups the
        calls of one audit trail and must hold no personal data; `flow_id` names this lookup, and is
        made where none is given. A new `report` is filled with how the lookup went.

        Raises:
            LookupFailed: one of its subclasses, by the outcome; nothing else is raised.

        """
        report = LookupReport() if report is None else report
        report.context_digest, report.correlation_id = self.digest(context_id), correlation_id
        with telemetry.lookup(report, self._tracer()), self._breaker.guard():
            request = build_request(
                self.settings,
                context_id,
                encoded=encoded,
                correlation_id=correlation_id,
                flow_id=flow_id or str(uuid4()),
            )
            decoded = await self._within_deadline(request, report)
            report.outcome, report.reason, report.status = Outcome.OK, Reason.OK, 200
            report.undocumented = decoded.undocumented
        return decoded.customer

    async def _within_deadline(self, request: Request, report: LookupReport) -> Decoded:
        failure: type[PS7Unavailable]
        try:
            async with timeout(self.settings.deadline):
                return await self._with_retries(request, report)
        except LookupFailed:
            raise
        except asyncio.TimeoutError:
            failure, reason = DeadlineExceeded, Reason.DEADLINE
        except Exception as error:  # noqa: BLE001 - the family is closed
            telemetry.log_bug(error)
            failure, reason = PS7Unavailable, Reason.INTERNAL
        # Raised out here, no foreign error, and none of its values, goes along; see Transport.send.
        raise failure(reason) from None

    async def _with_retries(self, request: Request, report: LookupReport) -> Decoded:
        """Repeat a retryable failure, at most `PS7_ATTEMPTS` attempts in all.

        The pause is what the server asks for, else by chance (full jitter), so that callers do not
        come back together. What would not begin within the deadline is not waited for.
        """
        deadline = monotonic() + self.settings.deadline
        latest_turn = deadline - self.settings.deadline / 2  # the rest is left for the answer
        longest_pause = _FIRST_PAUSE
        for _ in range(self.settings.attempts - 1):
            try:
                async with self._pace.turn(latest_turn):
                    return await self._attempt(request, report)
            except LookupFailed as failure:
                pause = failure.retry_after
                if pause is None:
                    pause = uniform(0, longest_pause)  # noqa: S311 - no secret
                if not failure.retryable or monotonic() + pause >= deadline:
                    raise
            await sleep(pause)
            longest_pause = min(2 * longest_pause, _LONGEST_PAUSE)
        async with self._pace.turn(latest_turn):
            return await self._attempt(request, report)

    async def _attempt(self, request: Request, report: LookupReport) -> Decoded:
        report.answer = None
        if self._gateway is None:
            return await self._exchange(request, report)
        token = await self._gateway.token()
        try:
            return await self._exchange(request, report, Authorization=f"Bearer {token}")
        except AccessDenied as refusal:
            if refusal.reason != Reason.UNAUTHORIZED or report.replayed:
                raise
        report.replayed = True
        self._gateway.drop(token)
        return await self._attempt(request, report)

    async def _exchange(self, request: Request, report: LookupReport, **headers: str) -> Decoded:
        with telemetry.attempt(report, self._tracer()) as span:
            if self.settings.trace_context:
                telemetry.propagator.inject(headers)
            report.answer = answer = await self._transport.send(request.with_headers(headers))
            span.set_attribute("http.response.status_code", answer.status)
            return decode(
                answer,
                received_at=clock.utc_now(),
                max_age=self.settings.max_age,
                strict_cpf=self.settings.strict_cpf,
            )

    async def close(self) -> None:
        """Close the connections that this event loop opened."""
        await self._transport.close()
        if self._gateway is not None:
            await self._gateway.join()

    def close_all(self) -> None:
        """Close all connections where no event loop runs any more, at the end of a process."""
        self._transport.close_all()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()
