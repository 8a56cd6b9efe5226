"""What is observed of a lookup: one log line, spans and metrics.

What is no field of `LookupReport` is not shown: no contextId, no sender id, nothing of the customer
or of the credentials. Its `answer` is for the caller alone, and is read nowhere here. OpenTelemetry
is used through its API alone; where no SDK is set up, spans and metrics go nowhere.
"""

from __future__ import annotations

import logging
import time
import traceback
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ..context import Outcome
from ..errors import LookupFailed, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from .wire import Answer

logger = logging.getLogger(__name__)

SCOPE = "rasa_ps7"
_NO_SPAN = nullcontext(trace.INVALID_SPAN)
propagator = TraceContextTextMapPropagator()
"""Writes the W3C trace context of the current span into headers. No baggage."""
_meter = metrics.get_meter(SCOPE)
_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0]
_ADVICE = "explicit_bucket_boundaries_advisory"  # an argument from 1.30 on
_takes_advice = _ADVICE in signature(_meter.create_histogram).parameters
_advice: dict[str, Any] = {_ADVICE: _BUCKETS} if _takes_advice else {}
_duration = _meter.create_histogram(
    "ps7.lookup.duration",
    "s",
    "Lookups, by outcome and reason, and how long they took",
    **_advice,
)
_retries = _meter.create_counter("ps7.lookup.retries", "{request}", "Requests after the first")
_in_use = _meter.create_up_down_counter(
    "ps7.connections.in_use", "{connection}", "Requests that wait for PS7 at this moment"
)
open_circuits = _meter.create_up_down_counter(
    "ps7.breaker.open", "{breaker}", "Circuit breakers that are open at this moment"
)
slots_restored = _meter.create_counter(
    "ps7.slots.restored", "{slot}", "Slots restored from the seal"
)
seals_refused = _meter.create_counter("ps7.seals.refused", "{seal}", "Seals that are none of ours")
arrivals_refused = _meter.create_counter(
    "ps7.arrivals.refused", "{arrival}", "Arrivals that were refused, by reason"
)
_turns = _meter.create_counter("ps7.turns", "{run}", "Runs of an action, by what the status says")


@dataclass
class LookupReport:
    """How one lookup went. Until something else is noted, it was cancelled."""

    context_digest: str = ""
    """Keyed digest of the contextId."""
    correlation_id: str | None = None
    outcome: Outcome = Outcome.UNAVAILABLE
    reason: Reason = Reason.CANCELLED
    status: int | None = None
    """HTTP status of the last answer, None where none came."""
    attempts: int = 0
    """Requests that were sent."""
    seconds: float = 0.0
    undocumented: tuple[str, ...] = ()
    """Wire names of the fields whose values the interface does not document."""
    replayed: bool = False
    """Whether a token was refused and the request sent again: once is enough."""
    answer: Answer | None = None
    """PS7's answer to the last attempt as it came; None where none came, or not whole."""

    def write(self) -> None:
        """Write the one INFO line of a lookup, and a WARNING that names undocumented values."""
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
        if self.undocumented:
            logger.warning(
                "PS7 sent a value that its interface does not document in: %s",
                ", ".join(self.undocumented),
            )


@contextmanager
def lookup(report: LookupReport, tracer: trace.Tracer | None) -> Iterator[None]:
    """Span, measure and log one lookup, and note how it fails."""
    started = time.monotonic()
    with _span(tracer, "ps7.lookup", trace.SpanKind.INTERNAL) as span:
        try:
            yield
        except LookupFailed as failure:
            report.outcome, report.reason = failure.outcome, failure.reason
            report.status = failure.status
            raise
        finally:
            report.seconds = time.monotonic() - started
            outcome, reason = report.outcome.value, report.reason.value
            span.set_attribute("ps7.outcome", outcome)
            span.set_attribute("ps7.reason", reason)
            span.set_attribute("ps7.attempts", report.attempts)
            span.set_attribute("ps7.context_digest", report.context_digest)
            if report.correlation_id is not None:
                span.set_attribute("ps7.correlation_id", report.correlation_id)
            _duration.record(report.seconds, {"outcome": outcome, "reason": reason})
            if report.attempts > 1:
                _retries.add(report.attempts - 1)
            report.write()


@contextmanager
def attempt(report: LookupReport, tracer: trace.Tracer | None) -> Iterator[trace.Span]:
    """Span and count one request to PS7."""
    report.attempts += 1
    with _span(tracer, "ps7.attempt", trace.SpanKind.CLIENT) as span:
        span.set_attribute("ps7.attempt", report.attempts)
        _in_use.add(1)
        try:
            yield span
        except LookupFailed as failure:
            span.set_attribute("ps7.reason", failure.reason.value)
            raise
        finally:
            _in_use.add(-1)


def _span(
    tracer: trace.Tracer | None, name: str, kind: trace.SpanKind
) -> AbstractContextManager[trace.Span]:
    if tracer is None:
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            return _NO_SPAN  # no provider is set up
        tracer = trace.get_tracer(SCOPE)
    # An exception's text and traceback are not ours to show.
    return tracer.start_as_current_span(
        name, kind=kind, record_exception=False, set_status_on_exception=False
    )


def count_turn(
    action: str, status: Outcome, *, looked_up: bool = False, metadata: bool | None = None
) -> None:
    """Count one run of an action, and what the status says after it."""
    attributes = {"action": action, "status": status.value}
    if status == Outcome.OK:
        attributes["source"] = "looked_up" if looked_up else "held"
    elif metadata is not None:
        attributes["metadata"] = "brought" if metadata else "none"
    _turns.add(1, attributes)


def log_bug(error: Exception) -> None:
    """Log an unforeseen error's class and place; not its text, which may quote anything."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    logger.error("%s at %s:%s", type(error).__name__, Path(place.filename).name, place.lineno)
