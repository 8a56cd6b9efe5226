"""What may be said about a lookup: one log line, spans and metrics.

What is no field of `LookupReport` is not said: no contextId, no sender id, nothing of the customer
or of the credentials passes through this room. OpenTelemetry is used through its API alone; where
no SDK is set up, spans and metrics go nowhere.
"""

from __future__ import annotations

import logging
import time
import traceback
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ..context import Outcome
from ..errors import LookupFailed, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

logger = logging.getLogger(__name__)

SCOPE = "rasa_ps7"
_NO_SPAN = nullcontext(trace.INVALID_SPAN)
_propagator = TraceContextTextMapPropagator()
_meter = metrics.get_meter(SCOPE)
_duration = _meter.create_histogram(
    "ps7.lookup.duration", "s", "Lookups, by outcome and reason, and how long they took"
)
_retries = _meter.create_counter("ps7.lookup.retries", "{request}", "Requests after the first")
_in_use = _meter.create_up_down_counter(
    "ps7.connections.in_use", "{connection}", "Requests that wait for PS7 at this moment"
)
_open_circuits = _meter.create_up_down_counter(
    "ps7.breaker.open", "{breaker}", "Circuit breakers that are open at this moment"
)
_put_back = _meter.create_counter("ps7.slots.put_back", "{slot}", "Slots put back to PS7's word")
_refused = _meter.create_counter("ps7.seals.refused", "{seal}", "Seals that are none of ours")
_turned_away = _meter.create_counter(
    "ps7.arrivals.refused", "{arrival}", "ContextIds that were not let in, by reason"
)


@dataclass
class LookupReport:
    """How one lookup ended. Until something else is said, it was cancelled."""

    context_digest: str
    """Keyed digest of the contextId."""
    correlation_id: str | None = None
    outcome: Outcome = Outcome.UNAVAILABLE
    reason: Reason = Reason.CANCELLED
    status: int | None = None
    """HTTP status of the last answer, None where none came."""
    attempts: int = 0
    """Requests that were sent."""
    seconds: float = 0.0
    doubtful: tuple[str, ...] = ()
    """Wire names of the fields whose values the interface does not document."""

    def write(self) -> None:
        """Write the one INFO line of a lookup, and a WARNING where a field's value was doubtful."""
        logger.info(
            "PS7 lookup: outcome=%s reason=%s status=%s attempts=%d ms=%.0f correlation=%s "
            "context=%s",
            self.outcome.value,
            self.reason.value,
            "-" if self.status is None else self.status,
            self.attempts,
            self.seconds * 1000,
            self.correlation_id or "-",
            self.context_digest,
        )
        if self.doubtful:
            logger.warning(
                "PS7 sent a value that its interface does not document in: %s",
                ", ".join(self.doubtful),
            )


class Telemetry:
    """Observes lookups and attempts."""

    def __init__(self, tracer: Callable[[], trace.Tracer | None] | None = None) -> None:
        """Take where the host's tracer comes from; it may have none, or not yet."""
        self._host_tracer = tracer or (lambda: None)

    @contextmanager
    def lookup(self, report: LookupReport) -> Iterator[None]:
        """Span, measure and log one lookup. A failure that passes through is noted on its way."""
        started = time.monotonic()
        with self._span("ps7.lookup", trace.SpanKind.INTERNAL) as span:
            try:
                yield
            except LookupFailed as failure:
                report.outcome, report.reason = failure.outcome, failure.reason
                report.status = failure.status
                raise
            finally:
                report.seconds = time.monotonic() - started
                ended = {"outcome": report.outcome.value, "reason": report.reason.value}
                span.set_attributes({f"ps7.{name}": value for name, value in ended.items()})
                span.set_attribute("ps7.attempts", report.attempts)
                span.set_attribute("ps7.context_digest", report.context_digest)
                if report.correlation_id is not None:
                    span.set_attribute("ps7.correlation_id", report.correlation_id)
                _duration.record(report.seconds, ended)
                if report.attempts > 1:
                    _retries.add(report.attempts - 1)
                report.write()

    @contextmanager
    def attempt(self, report: LookupReport) -> Iterator[trace.Span]:
        """Span and count one request to PS7."""
        report.attempts += 1
        with self._span("ps7.attempt", trace.SpanKind.CLIENT) as span:
            span.set_attribute("ps7.attempt", report.attempts)
            _in_use.add(1)
            try:
                yield span
            except LookupFailed as failure:
                span.set_attribute("ps7.reason", failure.reason.value)
                raise
            finally:
                _in_use.add(-1)

    def _span(self, name: str, kind: trace.SpanKind) -> AbstractContextManager[trace.Span]:
        tracer = self._host_tracer()
        if tracer is None:
            if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
                return _NO_SPAN  # nobody set a provider up
            tracer = trace.get_tracer(SCOPE)
        # An exception's text and traceback are not ours to show.
        return tracer.start_as_current_span(
            name, kind=kind, record_exception=False, set_status_on_exception=False
        )


def trace_headers() -> dict[str, str]:
    """Give the W3C trace context of the current span, as request headers. No baggage."""
    headers: dict[str, str] = {}
    _propagator.inject(headers)
    return headers


def circuit_opened(failures: int, reset: float) -> None:
    """Count a breaker that opens, and log it for operations."""
    _open_circuits.add(1)
    logger.warning("Circuit breaker open after %d failures; next probe in %g s", failures, reset)


def circuit_closed() -> None:
    """Count a breaker that closes again, and log it."""
    _open_circuits.add(-1)
    logger.warning("Circuit breaker closed: PS7 answers again")


def slots_put_back(count: int) -> None:
    """Count slots that something else had overwritten."""
    _put_back.add(count)


def seal_refused() -> None:
    """Count a seal that is not ours, or not of this conversation."""
    _refused.add(1)


def arrival_refused(reason: Reason) -> None:
    """Count a contextId that was not let in."""
    _turned_away.add(1, {"reason": reason.value})


def log_bug(error: Exception) -> None:
    """Name an error that nobody foresaw, and its place; not its text, which may quote anything."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    logger.error("%s at %s:%s", type(error).__name__, Path(place.filename).name, place.lineno)
