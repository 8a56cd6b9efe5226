"""`PS7Client.lookup()`: from a contextId to the customer, or to `LookupFailed`, in time.

A lookup reads from top to bottom: the circuit breaker may refuse it; within one deadline, an
attempt; if a retry may succeed, another; the breaker learns. An attempt is token, send, read.
"""

from __future__ import annotations

import asyncio
import math
import sys
from asyncio import sleep
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from os import getpid
from random import uniform
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from opentelemetry.trace import SpanKind

from .. import clock, telemetry
from ..digests import KeyedDigest
from ..outcomes import LookupFailed, Outcome, Reason
from ..settings import PS7Settings
from ..telemetry import LookupReport
from .breaker import Breaker
from .http import Http
from .tokens import Kept, Tokens
from .wire import build_request, decode

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer
    from typing_extensions import Self

    from ..customer import CustomerContext
    from .wire import Answer, Decoded, Request

PROBE = "ps7-probe-"
"""How the contextIds begin that the circuit breaker makes up."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
"""Seconds, at most, before the first retry, which double with each one, and before any."""
_PATIENCE = 0.25
"""The part of the deadline for which a request waits for a place at most."""


class _Loop(NamedTuple):
    """What one event loop has, since neither a connection nor a task serves another one."""

    http: Http
    tokens: Tokens


@dataclass
class Lookup:
    """One lookup: how it goes, and at last how it ended. Its `repr` shows nothing of a customer."""

    report: LookupReport
    """Outcome, reason and what else a log may contain."""
    customer: CustomerContext | None = None
    """Present if the outcome is `ok`."""
    answer: Answer | None = field(default=None, repr=False)
    """PS7's answer to the last request as it came; None if none came, or not whole."""


class PS7Client:
    """Looks contexts up at PS7.

    One client serves a whole process, in any number of event loops. It opens a connection for each
    request, and closes it. Use it as an async context manager, or `close()` it.

    Examples:
        >>> async with PS7Client() as client:
        ...     found = await client.lookup("bruno")
        >>> found.segment
        'Varejo'

    """

    def __init__(
        self,
        settings: PS7Settings | None = None,
        *,
        tracer: Callable[[], Tracer | None] = lambda: None,
        probes: bool = True,
    ) -> None:
        """Take the settings, or read those of this process.

        `tracer` returns the host's OpenTelemetry tracer, if it has one at that moment. `probes` is
        False in a process that makes one lookup: a wrong password is then refused once.

        Raises:
            SettingsError: no settings were given and those of this process are not usable.

        """
        self.settings = settings = settings if settings is not None else PS7Settings.load()
        self.digest = KeyedDigest(settings.newest_key, "context id").short
        self._tracer = tracer
        self._tls = settings.tls_context()
        self._token = Kept()
        self._loops: dict[asyncio.AbstractEventLoop, _Loop] = {}
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_reset)
        self._fields = telemetry.Fields()
        self._probes = probes
        self._probing: asyncio.Future[Any] | None = None
        self._probing_pid = 0

    def _of_this_loop(self) -> _Loop:
        """Return what the running event loop has, the first time without those that are closed.

        Other threads may do so at this moment, for loops of theirs.
        """
        running = asyncio.get_running_loop()
        loop = self._loops.get(running)
        if loop is None:
            self._detach_loops(closed=True)
            http = Http(self.settings, self._tls)
            loop = self._loops[running] = _Loop(http, Tokens(self.settings, http.send, self._token))
        return loop

    def _detach_loops(self, *, closed: bool) -> None:
        """Detach what event loops have that are closed, or else all that do not run."""
        for loop in [*self._loops]:
            ended = loop.is_closed() if closed else not loop.is_running()
            if ended and (gone := self._loops.pop(loop, None)) is not None:
                gone.http.detach()

    async def lookup(
        self,
        context_id: str,
        *,
        encoded: int | None = None,
        correlation_id: str | None = None,
        flow_id: str | None = None,
    ) -> CustomerContext:
        """Return whom PS7 knows by a contextId, within `PS7_DEADLINE`, and log one INFO line.

        `encoded` goes into the body (None: `PS7_ENCODED`). `correlation_id` groups the calls of one
        audit trail and must have no personal data. `flow_id` names this lookup; without one, the
        client makes one.

        Raises:
            LookupFailed: for every other outcome than `ok`; nothing else is raised.

        """
        lookup = await self.ask(
            context_id, encoded=encoded, correlation_id=correlation_id, flow_id=flow_id
        )
        if lookup.customer is None:
            end = lookup.report
            raise LookupFailed(end.reason, end.status, outcome=end.outcome, detail=end.detail)
        return lookup.customer

    async def ask(
        self,
        context_id: str,
        *,
        encoded: int | None = None,
        correlation_id: str | None = None,
        flow_id: str | None = None,
    ) -> Lookup:
        """Look up, as `lookup` does, and return how it ended: no outcome is an error here."""
        lookup = Lookup(LookupReport(self.digest(context_id), correlation_id))
        await self._look_up(lookup, context_id, encoded, flow_id)
        self._breaker.learn(lookup.report.reason)
        if self._breaker.wants_probe and self._probes:
            probing = self._probe_under_way()
            refused = lookup.report.reason.outcome == Outcome.DENIED
            if refused and probing.get_loop() is asyncio.get_running_loop():
                # Until the probe has opened the circuit, the next customer would be refused as
                # well, and a technical user may be locked after three times. So this lookup, which
                # has failed already, ends after the probe, within its deadline.
                left = self.settings.deadline - lookup.report.seconds
                await asyncio.wait([probing], timeout=left)
        return lookup

    async def _look_up(
        self, lookup: Lookup, context_id: str, encoded: int | None, flow_id: str | None
    ) -> None:
        """Look up from beginning to end, and report it."""
        report, deadline, started = lookup.report, self.settings.deadline, monotonic()
        tracer = telemetry.tracer_of(self._tracer())
        loop = self._of_this_loop()
        attempt = self._send_with_token if loop.tokens.are_wanted else self._send
        with telemetry.span(tracer, f"ps7.{report.kind}") as span:
            try:
                if report.kind == "lookup":
                    self._breaker.may_refuse()
                request = build_request(
                    self.settings,
                    context_id,
                    encoded=encoded,
                    correlation_id=report.correlation_id,
                    flow_id=flow_id or str(uuid4()),
                )
                async with timeout(deadline):
                    number = 0
                    while True:
                        number += 1
                        try:
                            decoded = await attempt(loop, request, lookup, tracer)
                            break
                        except LookupFailed as failure:
                            pause = _pause_after(failure, number, self.settings.attempts)
                            if monotonic() + pause >= started + deadline:
                                raise  # what would not begin in time is not waited for
                        await sleep(pause)
                lookup.customer, report.undocumented = decoded.customer, decoded.undocumented
                report.ends(Outcome.OK, Reason.OK, 200)
                self._fields.came(decoded.sent)
                if decoded.expiry.problem is not None:
                    telemetry.warn_of_expiry(decoded.expiry.problem, decoded.expiry.shape)
            except LookupFailed as failure:
                report.ends(failure.outcome, failure.reason, failure.status)
                report.detail = failure.detail
            except asyncio.TimeoutError:
                report.ends(Outcome.UNAVAILABLE, Reason.DEADLINE)
            except Exception as error:  # noqa: BLE001 - no outcome is an error
                telemetry.log_bug(error)
                report.ends(Outcome.UNAVAILABLE, Reason.INTERNAL)
            finally:  # also if the turn is cancelled
                report.seconds = monotonic() - started
                report.tell(span)

    async def _send_with_token(
        self, loop: _Loop, request: Request, lookup: Lookup, tracer: Tracer | None
    ) -> Decoded:
        """Send the request as one attempt at a gateway that wants a token.

        If PS7 answers 401 to a token that was not fetched for this attempt, the gateway may have
        forgotten it: a new token, and the same request once more.
        """
        tokens = loop.tokens
        token, is_new = await tokens.get()
        while True:
            request.headers["Authorization"] = f"Bearer {token.text}"
            try:
                return await self._send(loop, request, lookup, tracer)
            except LookupFailed as failure:
                if failure.reason is not Reason.UNAUTHORIZED:
                    raise
                newer = None if is_new else await tokens.instead_of(token)
                if newer is None:
                    tokens.doubt(token)
                    raise
            token, is_new = newer, True

    async def _send(
        self, loop: _Loop, request: Request, lookup: Lookup, tracer: Tracer | None
    ) -> Decoded:
        """Send the request once, and read the answer."""
        report, settings = lookup.report, self.settings
        lookup.answer = None
        report.attempts += 1
        number = {"ps7.attempt": report.attempts}
        with telemetry.span(tracer, "ps7.attempt", SpanKind.CLIENT, number) as span:
            try:
                if settings.trace_context:
                    telemetry.propagator.inject(request.headers)
                patience = _PATIENCE * settings.deadline if report.kind == "lookup" else None
                lookup.answer = answer = await loop.http.send(request, patience=patience)
                span.set_attribute("http.response.status_code", answer.status)
                return decode(
                    answer,
                    received_at=clock.utc_now(),
                    max_age=settings.max_age,
                    strict_cpf=settings.strict_cpf,
                )
            except LookupFailed as failure:
                span.set_attribute("ps7.reason", failure.reason.value)
                if failure.reason is Reason.BUSY:
                    report.attempts -= 1  # nothing was sent
                raise

    # The circuit breaker's probe

    def _probe_under_way(self) -> asyncio.Future[Any]:
        """Return the probe that is under way beside the customers' lookups, or begin one.

        One whose event loop stands still, or is another process's since this one was forked, is
        under way no more.
        """
        probing, pid = self._probing, getpid()
        lost = self._probing_pid != pid or not (probing and probing.get_loop().is_running())
        if probing is None or probing.done() or lost:
            self._probing_pid = pid
            self._breaker.probe_begins()
            # In its own context: its spans are not those of the lookup that set it off. Not as a
            # plain task: a server that stops may close its event loop, and that needs no log line.
            probe = partial(asyncio.gather, self._probe(), return_exceptions=True)
            probing = self._probing = Context().run(probe)
        return probing

    async def _probe(self) -> None:
        """Look up a contextId that PS7 cannot know, and let the breaker decide by how that ends.

        A token request that is under way may be the very one that hung: it is no answer to this.
        """
        await self._of_this_loop().tokens.join()
        context_id = f"{PROBE}{uuid4().hex}"
        lookup = Lookup(LookupReport(self.digest(context_id), kind="probe"))
        await self._look_up(lookup, context_id, None, None)
        probing = self._probing
        if probing is not None and probing.get_loop() is asyncio.get_running_loop():
            self._breaker.probe_ended(lookup.report.reason)
        # else: this event loop stood still meanwhile, and another one has sent a probe.

    async def close(self) -> None:
        """Close the connections that this event loop opened, and end what is under way there."""
        probing = self._probing
        if probing is not None and probing.get_loop() is asyncio.get_running_loop():
            probing.cancel()
            await asyncio.wait([probing])
            probing.exception()  # retrieved: it is its cancellation
        loop = self._loops.pop(asyncio.get_running_loop(), None)
        if loop is not None:
            await loop.http.close()
            await loop.tokens.join()

    def close_all(self) -> None:
        """Detach what event loops have that do not run, at the end of a process."""
        self._detach_loops(closed=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


def _pause_after(failure: LookupFailed, number: int, attempts: int) -> float:
    """Return the seconds to wait after the attempt of this number, the first of which is 1.

    It is what the server asks for, else by chance (full jitter), so that callers do not come back
    together. It is infinite if no attempt is left, or if another one is of no use.
    """
    if number >= attempts or not failure.reason.retryable:
        return math.inf
    if failure.retry_after is not None:
        return failure.retry_after
    return uniform(0, min(_FIRST_PAUSE * 2 ** (number - 1), _LONGEST_PAUSE))  # noqa: S311 - no secret
