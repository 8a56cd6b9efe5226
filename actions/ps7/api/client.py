"""`PS7Client.lookup()`: from a contextId to the customer, or to one of `errors`, in time."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from opentelemetry.trace import SpanKind

from .. import clock
from ..digest import KeyedDigest
from ..errors import LookupFailed, Reason
from ..settings import PS7Settings
from . import telemetry
from .policy import Policy
from .telemetry import LookupReport
from .tokens import Tokens
from .transport import Transport
from .wire import build_request, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer
    from typing_extensions import Self

    from ..context import CustomerContext
    from .wire import Decoded, Request

QUESTION = "ps7-question-"
"""How the contextIds begin that the circuit breaker makes up."""


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
        tracer: Callable[[], Tracer | None] = lambda: None,
    ) -> None:
        """Take the settings, or read those of this process.

        `tracer` returns the host's OpenTelemetry tracer, if it has one at that moment.

        Raises:
            SettingsError: no settings were given and those of this process are not usable.

        """
        self.settings = settings = settings if settings is not None else PS7Settings.load()
        self.digest = KeyedDigest(settings.newest_key, "context id").short
        self._tracer = tracer
        self._transport = Transport(settings)
        self._policy = Policy(settings, self._question)
        self._tokens = Tokens(settings, self._transport.send)

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

        `encoded` goes into the body (None: `PS7_ENCODED`). `correlation_id` groups the calls of one
        audit trail and must have no personal data. `flow_id` names this lookup; without one, the
        client makes one. A new `report` is filled with how the lookup went.

        Raises:
            LookupFailed: one of its subclasses, by the outcome; nothing else is raised.

        """
        started = monotonic()
        report = LookupReport() if report is None else report
        report.context_digest, report.correlation_id = self.digest(context_id), correlation_id
        tracer = telemetry.tracer_of(self._tracer())
        with telemetry.span(tracer, f"ps7.{report.kind}") as span:
            try:
                request = build_request(
                    self.settings,
                    context_id,
                    encoded=encoded,
                    correlation_id=correlation_id,
                    flow_id=flow_id or str(uuid4()),
                )
                attempt = partial(self._attempt, request, report, tracer)
                decoded = await self._policy.apply(attempt, is_question=report.kind == "question")
                report.succeed(decoded)
            except LookupFailed as failure:
                report.fail(failure)
                raise
            finally:
                report.end(span, monotonic() - started)
        return decoded.customer

    async def _question(self) -> None:
        """Look up a contextId that PS7 cannot know: the circuit breaker asks.

        A token request that is under way may be the very one that hung: it is no answer to this.
        """
        await self._tokens.join()
        report = LookupReport(kind="question")
        await self.lookup(f"{QUESTION}{uuid4().hex}", report=report)

    async def _attempt(
        self, request: Request, report: LookupReport, tracer: Tracer | None
    ) -> Decoded:
        """Send the request once, with a token if the gateway wants one, and read the answer."""
        report.answer = None
        token = await self._tokens.get() if self._tokens.are_wanted else None
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        report.attempts += 1
        telemetry.in_use.add(1)
        number = {"ps7.attempt": report.attempts}
        with telemetry.span(tracer, "ps7.attempt", SpanKind.CLIENT, number) as span:
            try:
                if self.settings.trace_context:
                    telemetry.propagator.inject(request.headers)
                report.answer = answer = await self._transport.send(request)
                span.set_attribute("http.response.status_code", answer.status)
                return decode(
                    answer,
                    received_at=clock.utc_now(),
                    max_age=self.settings.max_age,
                    strict_cpf=self.settings.strict_cpf,
                )
            except LookupFailed as failure:
                span.set_attribute("ps7.reason", failure.reason.value)
                if token and failure.reason is Reason.UNAUTHORIZED and not report.replayed:
                    self._tokens.drop(token)
                    # The same again at once, with a new token: an attempt as any other.
                    report.replayed = failure.retryable = True
                    failure.retry_after = 0.0
                raise
            finally:
                telemetry.in_use.add(-1)

    async def close(self) -> None:
        """Close the connections that this event loop opened, and end what is under way there."""
        await self._policy.close()
        await self._transport.close()
        await self._tokens.join()

    def close_all(self) -> None:
        """Close all connections of event loops that no longer run, at the end of a process."""
        self._transport.close_all()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()
