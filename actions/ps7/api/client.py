"""`PS7Client.lookup()`: from a contextId to the customer, or to an error of ours, in time."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import clock
from ..context import Outcome
from ..digest import KeyedDigest
from ..errors import AccessDenied, DeadlineExceeded, LookupFailed, PS7Unavailable, Reason
from ..settings import PS7Settings
from . import telemetry
from .breaker import Breaker
from .examination import Examination, Lookup
from .gateway import Gateway
from .retries import retrying
from .telemetry import LookupReport, Telemetry
from .transport import Transport
from .wire import build_request, decode

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from opentelemetry.trace import Tracer
    from typing_extensions import Self

    from ..context import CustomerContext
    from .customer import Decoded


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

        `tracer` gives the host's OpenTelemetry tracer, if it has one at that moment.

        Raises:
            SettingsError: no settings were given and those of this process are not usable.

        """
        self.settings = settings if settings is not None else PS7Settings.load()
        self.digest = KeyedDigest(self.settings.newest_key, "context id").short
        self._telemetry = Telemetry(tracer)
        self._transport = Transport(self.settings)
        self._retrying = retrying(self.settings.attempts, self.settings.deadline)
        limits = (self.settings.breaker_failures, self.settings.breaker_reset)
        self._breaker = Breaker(
            *limits,
            on_open=partial(telemetry.circuit_opened, *limits),
            on_close=telemetry.circuit_closed,
        )
        app_key, app_secret = self.settings.app_key, self.settings.app_secret
        self._gateway = (
            Gateway(self.settings, app_key, app_secret, self._transport.send)
            if app_key is not None and app_secret is not None
            else None
        )

    async def lookup(
        self,
        context_id: str,
        *,
        encoded: int | None = None,
        correlation_id: str | None = None,
        flow_id: str | None = None,
    ) -> CustomerContext:
        """Ask PS7 who stands behind a contextId, within `PS7_DEADLINE`, and log one INFO line.

        `encoded` goes into the body (None: as `PS7_ENCODED` says). `correlation_id` groups the
        calls of one audit trail and must hold no personal data; `flow_id` names this lookup, and is
        made where none is given.

        Raises:
            LookupFailed: one of its subclasses, by the outcome; nothing else is raised.

        """
        examination = Examination(LookupReport(self.digest(context_id), correlation_id))
        return await self._look_up(examination, context_id, encoded, flow_id)

    async def examine(
        self,
        context_id: str,
        *,
        encoded: int | None = None,
        correlation_id: str | None = None,
        flow_id: str | None = None,
    ) -> Examination:
        """Look up in the very same way, and tell how it went instead of raising."""
        examination = Examination(LookupReport(self.digest(context_id), correlation_id))
        with suppress(LookupFailed):
            await self._look_up(examination, context_id, encoded, flow_id)
        return examination

    async def _look_up(
        self, examination: Examination, context_id: str, encoded: int | None, flow_id: str | None
    ) -> CustomerContext:
        report = examination.report
        with self._telemetry.lookup(report), self._breaker.guard():
            request = build_request(
                self.settings,
                context_id,
                encoded=encoded,
                correlation_id=report.correlation_id,
                flow_id=flow_id or str(uuid4()),
            )
            decoded = await self._within_deadline(Lookup(request, examination))
            report.outcome, report.reason, report.status = Outcome.OK, Reason.OK, 200
            report.doubtful = decoded.doubtful
            examination.customer = decoded.customer
        return decoded.customer

    async def _within_deadline(self, lookup: Lookup) -> Decoded:
        try:
            async with timeout(self.settings.deadline):
                return await self._attempts(lookup)
        except LookupFailed:
            raise
        except asyncio.TimeoutError:
            failure: PS7Unavailable = DeadlineExceeded(Reason.DEADLINE)
        except Exception as error:  # noqa: BLE001 - the family is closed
            telemetry.log_bug(error)
            failure = PS7Unavailable(Reason.INTERNAL)
        # Raised out here, no foreign error, and none of its values, goes along. `from None`: see
        # Transport.send.
        raise failure from None

    async def _attempts(self, lookup: Lookup) -> Decoded:
        """Attempt it until it succeeds, or must not be repeated.

        Nearly every lookup ends with its first attempt: only the others pay for what repeats them.
        """
        try:
            return await self._attempt(lookup)
        except LookupFailed as failure:
            if not failure.passing:
                raise
            lookup.failure = failure
        decoded: Decoded = await self._retrying(self._next_attempt, lookup)
        return decoded

    async def _next_attempt(self, lookup: Lookup) -> Decoded:
        failure, lookup.failure = lookup.failure, None
        if failure is not None:  # the first attempt counts as one, and its pause is waited for
            raise failure
        return await self._attempt(lookup)

    async def _attempt(self, lookup: Lookup) -> Decoded:
        lookup.examination.answer = None
        if self._gateway is None:
            return await self._exchange(lookup, None)
        token = await self._gateway.token()
        try:
            return await self._exchange(lookup, token)
        except AccessDenied as refusal:
            if refusal.reason != Reason.UNAUTHORIZED or lookup.replayed:
                raise
        lookup.replayed = True
        self._gateway.drop(token)
        return await self._attempt(lookup)

    async def _exchange(self, lookup: Lookup, token: str | None) -> Decoded:
        with self._telemetry.attempt(lookup.examination.report) as span:
            more = {"Authorization": f"Bearer {token}"} if token is not None else {}
            if self.settings.trace_context:
                more |= telemetry.trace_headers()
            answer = await self._transport.send(lookup.request.with_headers(more))
            lookup.examination.answer = answer
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
            await self._gateway.settle()

    def abandon(self) -> None:
        """Let go of all connections where no event loop runs any more, at the end of a process."""
        self._transport.abandon()

    async def __aenter__(self) -> Self:
        """Give the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close()
