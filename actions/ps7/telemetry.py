"""What is observed of a lookup: one log line, spans and metrics.

What is no field of `LookupReport` is not shown: no contextId, no sender id, nothing of the customer
or of the credentials. OpenTelemetry is used through its API only; if no SDK is set up, spans and
metrics go nowhere.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import nullcontext
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .counter import SCOPE, CounterFromZero
from .outcomes import Outcome, Reason

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

logger = logging.getLogger(__name__)

_NO_SPAN = nullcontext(trace.INVALID_SPAN)
propagator = TraceContextTextMapPropagator()
"""Writes the W3C trace context of the current span into headers. No baggage."""
_meter = metrics.get_meter(SCOPE)
_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0]
_ADVICE = "explicit_bucket_boundaries_advisory"  # an argument from 1.30 on
_takes_advice = _ADVICE in signature(_meter.create_histogram).parameters
_advice: dict[str, Any] = {_ADVICE: _BUCKETS} if _takes_advice else {}
_duration = _meter.create_histogram(
    "ps7.lookup.duration", "s", "Lookups, by outcome and reason, and how long they took", **_advice
)
_retries = _meter.create_counter("ps7.lookup.retries", "{request}", "Requests after the first")
in_use = _meter.create_up_down_counter(
    "ps7.connections.in_use", "{connection}", "Requests that are under way at this moment"
)
waiting = _meter.create_up_down_counter(
    "ps7.connections.waiting", "{lookup}", "Lookups that wait for a place of PS7_MAX_CONNECTIONS"
)
open_circuits = _meter.create_up_down_counter(
    "ps7.breaker.open", "{breaker}", "Circuit breakers that are open at this moment"
)


def _end(outcome: Outcome, reason: Reason) -> dict[str, str]:
    return {"outcome": str(outcome), "reason": str(reason)}


_probes = CounterFromZero(
    "ps7.probe",
    "{probe}",
    "Probes of circuit breakers, by outcome and reason",
    # Those that fail, for alerts: some of these pairs never occur.
    [_end(outcome, why) for outcome in (Outcome.DENIED, Outcome.UNAVAILABLE) for why in Reason],
)

certificate_ends: dict[str, float] = globals().get("certificate_ends", {})
"""When the certificate of the `client` is over, in seconds since 1970, if it has one. Kept over a
reload of this module."""


def read_certificates(_options: metrics.CallbackOptions) -> list[metrics.Observation]:
    """Return when each certificate is over, for whatever reads the metrics."""
    return [
        metrics.Observation(end, {"certificate": whose})
        for whose, end in [*certificate_ends.items()]
    ]


_meter.create_observable_gauge(
    "ps7.certificate.expiry",
    [read_certificates],
    "s",
    "When a certificate is over, in seconds since 1970",
)

_expiry_problems: set[str] = globals().get("_expiry_problems", set())
"""Those of which this process has warned, over a reload of this module."""


@dataclass
class LookupReport:
    """How one lookup went. Until something else is noted, it was cancelled."""

    context_digest: str = ""
    """Keyed digest of the contextId."""
    correlation_id: str | None = None
    outcome: Outcome = Outcome.UNAVAILABLE
    reason: Reason = Reason.CANCELLED
    status: int | None = None
    """HTTP status of the last answer, None if none came."""
    attempts: int = 0
    """Requests that were sent."""
    seconds: float = 0.0
    undocumented: tuple[str, ...] = ()
    """Wire names of the fields whose values the interface does not document."""
    is_probe: bool = False
    """Whether the circuit breaker asks, and not a customer's conversation."""

    @property
    def kind(self) -> str:
        """What it is called in the log, and its span."""
        return "probe" if self.is_probe else "lookup"

    def succeed(self, undocumented: tuple[str, ...]) -> None:
        """Note that PS7 named a customer."""
        self.outcome, self.reason, self.status = Outcome.OK, Reason.OK, 200
        self.undocumented = undocumented

    def fail(self, outcome: Outcome, reason: Reason, status: int | None = None) -> None:
        """Note how the lookup failed."""
        self.outcome, self.reason, self.status = outcome, reason, status

    def tell(self, span: trace.Span) -> None:
        """Report how the lookup ended: in its span, in the metrics and in the log."""
        ended = self.write()
        if span.is_recording():
            for name, value in ended.items():
                span.set_attribute(f"ps7.{name}", value)
            span.set_attribute("ps7.attempts", self.attempts)
            span.set_attribute("ps7.context_digest", self.context_digest)
            if self.correlation_id is not None:
                span.set_attribute("ps7.correlation_id", self.correlation_id)
        if self.is_probe:
            _probes.add(1, ended)
            return
        _duration.record(self.seconds, ended)
        if self.attempts > 1:
            _retries.add(self.attempts - 1)

    def write(self) -> dict[str, str]:
        """Write the one INFO line of a lookup, and a WARNING that names undocumented values.

        Return how it ended. A probe that is cancelled has no line: the process ends.
        """
        ended = _end(self.outcome, self.reason)
        if self.is_probe and self.reason is Reason.CANCELLED:
            return ended
        logger.info(
            "PS7 %s: outcome=%s reason=%s status=%s attempts=%d ms=%.0f correlation=%s context=%s",
            self.kind,
            ended["outcome"],
            ended["reason"],
            "-" if self.status is None else self.status,
            self.attempts,
            self.seconds * 1000,
            self.correlation_id or "-",
            self.context_digest,
        )
        if self.undocumented:
            logger.warning(
                "PS7 sent a value that its interface does not document in: %s",
                ", ".join(self.undocumented),
            )
        return ended


def tracer_of(host: trace.Tracer | None) -> trace.Tracer | None:
    """Return the tracer of the host, else that of the process; None if nothing traces."""
    if host is None and not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return trace.get_tracer(SCOPE)
    return host


def span(
    tracer: trace.Tracer | None,
    name: str,
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    attributes: dict[str, int] | None = None,
) -> AbstractContextManager[trace.Span]:
    """Make a span that is current within a `with`, unless nothing traces."""
    if tracer is None:
        return _NO_SPAN
    # An exception's text and traceback are not ours to show.
    return tracer.start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )


def circuit_opened(failures: int, pause: float) -> None:
    """Report that PS7 is only probed from now on, after so many lookups that failed in a row."""
    open_circuits.add(1)
    many = "1 failure" if failures == 1 else f"{failures} failures"
    logger.warning("Circuit breaker open after %s; next probe in %g s", many, pause)


def circuit_closed(reason: Reason) -> None:
    """Report that PS7 is asked again, since a probe ended so."""
    open_circuits.add(-1)
    logger.warning("Circuit breaker closed: PS7 answers again (probe: %s)", reason)


def warn_of_expiry(problem: str, shape: str) -> None:
    """Warn of each problem once a process: PS7 says something else than the plugin knows."""
    if problem not in _expiry_problems:
        _expiry_problems.add(problem)
        logger.warning(
            "PS7 sent an expireIn that %s (%s): PS7_MAX_AGE applies instead", problem, shape
        )


def log_bug(error: Exception) -> None:
    """Log an unforeseen error's class and place; not its text, which may quote anything."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    logger.error("%s at %s:%s", type(error).__name__, Path(place.filename).name, place.lineno)
