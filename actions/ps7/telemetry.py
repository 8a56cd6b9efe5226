"""What is observed of the plugin: every log line, metric and span. Nothing here decides.

What is no field of `LookupReport` or `RunReport` is not shown: no contextId, no sender id, nothing
of the customer or of the credentials. OpenTelemetry is used through its API only; if no SDK is set
up, spans and metrics go nowhere.
"""

from __future__ import annotations

import logging
import traceback
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .customer import CONTEXT_ACTION, NEEDED, SESSION_ACTION, SLOTS, VERIFY_ACTION
from .digests import KeyedDigest
from .outcomes import ANONYMOUS, ARRIVAL_REFUSED, Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

logger = logging.getLogger(__name__)

SCOPE = "rasa_ps7"
"""The name under which OpenTelemetry knows the plugin."""

# What is measured in a process, from its start on

_Key = tuple[tuple[str, str], ...]


class Measure:
    """A figure of this process by its attributes: what reads the metrics asks for it.

    So it is there before its first event, also for a meter provider that comes later: Prometheus
    sees no step in a series that begins above 0, and a rule no figure without a series.
    """

    def __init__(
        self,
        kind: Literal["counter", "up_down_counter", "gauge"],
        name: str,
        unit: str,
        description: str,
        known: Iterable[Mapping[str, str]] = ({},),
    ) -> None:
        """Take the sets of attributes that are known beforehand: each of them begins at 0."""
        self.kind, self.name, self.unit, self.description = kind, name, unit, description
        self.known = tuple(tuple(attributes.items()) for attributes in known)
        self._figures = defaultdict[_Key, float](int, dict.fromkeys(self.known, 0))
        self.register(metrics.get_meter(SCOPE))

    def add(self, number: int, attributes: Mapping[str, str] | None = None) -> None:
        """Count so many more with these attributes, in the order in which they are known."""
        key = tuple(attributes.items()) if attributes else ()
        self._figures[key] += number  # in one step: a host may run event loops in several threads

    def set(self, figure: float, attributes: Mapping[str, str]) -> None:
        """Replace all figures by this one."""
        self._figures = defaultdict(int, {tuple(attributes.items()): figure})

    def register(self, meter: metrics.Meter) -> None:
        """Let a meter read it."""
        create = getattr(meter, f"create_observable_{self.kind}")
        create(self.name, [self._read], self.unit, self.description)

    def _read(self, _options: metrics.CallbackOptions) -> list[metrics.Observation]:
        # A copy: another thread may read while this one counts.
        return [metrics.Observation(number, dict(key)) for key, number in [*self._figures.items()]]


# A lookup

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
_retries = Measure("counter", "ps7.lookup.retries", "{request}", "Requests after the first")
in_use = Measure("up_down_counter", "ps7.connections.in_use", "{connection}", "Requests under way")
waiting = Measure(
    "up_down_counter", "ps7.connections.waiting", "{lookup}", "Lookups that wait for a place"
)
open_circuits = Measure("up_down_counter", "ps7.breaker.open", "{breaker}", "Open circuit breakers")


def _end(outcome: Outcome, reason: Reason) -> dict[str, str]:
    return {"outcome": str(outcome), "reason": str(reason)}


_probes = Measure(
    "counter",
    "ps7.probe",
    "{probe}",
    "Probes of circuit breakers, by outcome and reason",
    # Those that fail, for alerts: some of these pairs never occur.
    [_end(outcome, why) for outcome in (Outcome.DENIED, Outcome.UNAVAILABLE) for why in Reason],
)
_certificate_ends = Measure(
    "gauge", "ps7.certificate.expiry", "s", "When a certificate is over, in seconds since 1970", ()
)
_seal_keys = Measure(
    "gauge", "ps7.seal.keys", "{key}", "PS7_SEAL_KEYS of a process, by their digest", ()
)


def client_certificate_read(end: datetime) -> None:
    """Note until when the certificate is valid that the plugin shows to PS7."""
    _certificate_ends.set(end.timestamp(), {"certificate": "client"})


def seal_keys_loaded(keys: Collection[str]) -> None:
    """Report by which keys this process seals and opens: how many, and a digest of the set.

    Servers with the same digest open each other's seals. The order of the keys has no part in it,
    so that a rotation changes it only as a key comes or goes.
    """
    digest = KeyedDigest("\n".join(sorted(keys)), "seal keys").short("")
    _seal_keys.set(len(keys), {"digest": digest})
    logger.info("Seal keys: number=%d digest=%s", len(keys), digest)


@dataclass
class LookupReport:
    """How one lookup went. Until something else is noted, it was cancelled."""

    context_digest: str = ""
    """Keyed digest of the contextId."""
    correlation_id: str | None = None
    outcome: Outcome = Outcome.UNAVAILABLE
    reason: Reason = Reason.CANCELLED
    status: int | None = None
    """HTTP status of the answer to the last request, None if it had none."""
    attempts: int = 0
    """Requests that were sent."""
    seconds: float = 0.0
    undocumented: tuple[str, ...] = ()
    """Wire names of the fields whose values the interface does not document."""
    detail: str = ""
    """What OpenSSL says of a failure of TLS."""
    kind: Literal["lookup", "probe"] = "lookup"
    """Whether a customer is looked up, or the circuit breaker sends a probe."""

    def ends(self, outcome: Outcome, reason: Reason, status: int | None = None) -> None:
        """Note how the lookup ends."""
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
        if self.kind == "probe":
            _probes.add(1, ended)
            return
        _duration.record(self.seconds, ended)
        if self.attempts > 1:
            _retries.add(self.attempts - 1)

    def write(self) -> dict[str, str]:
        """Write the one INFO line of a lookup, and a WARNING of what is wrong with TLS or values.

        Return how it ended. A probe that is cancelled has no line: the process ends.
        """
        ended = _end(self.outcome, self.reason)
        if self.kind == "probe" and self.reason is Reason.CANCELLED:
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
        if self.detail:
            logger.warning("TLS with PS7 failed: %s", self.detail)
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


_LOST_AFTER = 50
"""Customers in a row without a field, as often as one is expected to have it."""
_fields_lost = Measure(
    "counter",
    "ps7.fields.lost",
    "{field}",
    "Fields that PS7 sent, and sends no more",
    [{"field": name} for name in dict.fromkeys(slot.wire for slot in SLOTS) if name],
)


class Fields:
    """Which fields PS7 sends: whether one of them is gone, as if it had been renamed."""

    def __init__(self) -> None:
        self._customers = 0
        self._times: defaultdict[str, int] = defaultdict(int)
        """How many customers had a field …"""
        self._last: dict[str, int] = {}
        """… and which was the last of them."""
        self._lost: set[str] = set()

    def came(self, names: frozenset[str]) -> None:
        """Note the fields of a customer; warn once of one that fifty in a row have no more.

        Of a field that one customer of ten has, it takes five hundred.
        """
        self._customers = number = self._customers + 1
        for name in names:
            self._times[name] += 1
            self._last[name] = number
        self._lost -= names
        for name in self._last.keys() - names - self._lost:
            times, last = self._times[name], self._last[name]
            if (number - last) * times >= _LOST_AFTER * last:
                self._lost.add(name)
                _fields_lost.add(1, {"field": name})
                logger.warning(
                    "PS7 sends no %s any more: %d customers had it, the last %d have not",
                    *(name, times, number - last),
                )


_expiry_problems: set[str] = set()


def warn_of_expiry(problem: str, shape: str) -> None:
    """Warn of each problem once a process: PS7 says something else than the plugin knows."""
    if problem not in _expiry_problems:
        _expiry_problems.add(problem)
        logger.warning(
            "PS7 sent an expireIn that %s (%s): PS7_MAX_AGE applies instead", problem, shape
        )


# A run of an action


def _turn(action: str, status: Outcome, **why: str) -> dict[str, str]:
    return {"action": action, "status": str(status), **why}


def _known_turns() -> Iterator[dict[str, str]]:
    for status in Outcome:
        held = {"source": "held"} if status == Outcome.OK else {}
        yield _turn(VERIFY_ACTION, status, **held)
        for action in (CONTEXT_ACTION, SESSION_ACTION):
            if status in ANONYMOUS:
                yield _turn(action, status, metadata="brought")
                yield _turn(action, status, metadata="none")
            else:
                yield _turn(action, status, source="looked_up")
                yield _turn(action, status, **held)


turns = Measure(
    "counter", "ps7.turns", "{run}", "Runs of an action, by the final status", _known_turns()
)
slots_restored = Measure("counter", "ps7.slots.restored", "{slot}", "Slots restored from the seal")
seals_refused = Measure("counter", "ps7.seals.refused", "{seal}", "Seals that were refused")
arrivals_refused = Measure(
    "counter",
    "ps7.arrivals.refused",
    "{arrival}",
    "Arrivals that were refused, by reason",
    [{"reason": reason.value} for reason in ARRIVAL_REFUSED],
)
_MOST_NOTED = 64
"""Sets of metadata keys that are named in the log: a client may make up any number of them."""


@dataclass
class RunReport:
    """How one run went, as far as a log or a metric may contain it."""

    rule: str
    """Name of the rule that decided."""
    outcome: Outcome
    """What the status is afterwards."""
    slots: Iterable[str] = ()
    """Names of the slots that change."""
    restored: Collection[str] = ()
    """Names of those that something else had overwritten."""
    looked_up: bool = False
    metadata: str | None = None
    """The keys of metadata that brought no contextId, if there was any (`describe_metadata`)."""
    without_context_id: bool = False
    """Whether a contextId was looked for, and none is at hand."""
    refusal: LookupReport | None = None
    """Of a contextId about which PS7 is not asked."""
    seal_refused: bool = False
    """Whether the slot of the seal has something that no key opens for this conversation."""
    seal_keys_made: bool = False
    """Whether this process made its seal key itself."""
    slots_claimed: bool = False
    """Whether slots claimed a customer, and were cleared as no seal names one."""
    guesses: int = 0
    """About so many contextIds the conversation asked in vain, if that is one more alert."""
    status_claimed: bool = False
    """Whether the status claimed a customer, and the seal names none."""
    undeclared: Iterable[tuple[str, str]] = ()
    """Slots that the bot has to declare and does not: the default name, and the bot's."""
    own: Iterable[tuple[str, str, str]] = ()
    """Slots that the bot fills by itself: the default name, the bot's, and the mapping."""

    def tell(self, action: str, noted: set[str]) -> None:
        """Log and count the run of an action; `noted` is what this process warns of only once."""
        if self.undeclared or self.own or self.metadata is not None:
            self._tell_once(noted)
        if self.seal_refused or self.restored or self.slots_claimed or self.status_claimed:
            self._tell_attacks()
        if self.refusal is not None:
            _tell_refusal(self.refusal)
        if self.guesses:
            arrivals_refused.add(1, {"reason": Reason.TOO_MANY_CONTEXT_IDS.value})
            logger.warning("PS7 did not know %d contextIds of one conversation", self.guesses)
        why = {}
        if self.looked_up:
            why["source"] = "looked_up"
        elif self.outcome == Outcome.OK:
            why["source"] = "held"
        elif self.without_context_id:
            why["metadata"] = "none" if self.metadata is None else "brought"
        turns.add(1, _turn(action, self.outcome, **why))
        logger.debug("%s: rule=%s slots=%s", action, self.rule, [*self.slots])

    def _tell_once(self, noted: set[str]) -> None:
        for default, name in self.undeclared:
            _warn_once(noted, f"The bot's domain does not declare the slot {name}", default)
        for default, name, mapping in self.own:
            text = (
                f"The bot's domain fills the slot {name} by {mapping}, so it is the bot's own and "
                f"left alone; PS7_SLOT_NAMES can name another slot for {default}"
            )
            _warn_once(noted, text, default)
        if self.metadata is not None and len(noted) < _MOST_NOTED:
            text = f"A message brought metadata without a contextId; {self.metadata}"
            _warn_once(noted, text)

    def _tell_attacks(self) -> None:
        """Log what something else than the plugin wrote."""
        if self.seal_refused:
            seals_refused.add(1)
            unset = "; PS7_SEAL_KEYS is not set, so none from before the last start opens"
            logger.warning(
                "A seal was refused: it is not ours, or not of this conversation%s",
                unset if self.seal_keys_made else "",
            )
        if self.restored:
            slots_restored.add(len(self.restored))
            logger.warning("Slots restored from the seal: %s", ", ".join(self.restored))
        if self.slots_claimed:
            logger.warning("The slots claimed a customer with no seal of ours behind them: cleared")
        if self.status_claimed:
            logger.warning("The status claimed a customer; the seal says %s", self.outcome.value)


def _tell_refusal(refusal: LookupReport) -> None:
    refusal.write()
    if refusal.reason in ARRIVAL_REFUSED:
        arrivals_refused.add(1, {"reason": refusal.reason.value})
        logger.warning("Arrival refused: %s", ARRIVAL_REFUSED[refusal.reason])


def _warn_once(noted: set[str], text: str, default: str = "") -> None:
    if text not in noted:
        noted.add(text)
        without_it = f": {NEEDED[default]}" if default in NEEDED else ""
        logger.warning("%s%s", text, without_it)


def warn_of_left_out(slot: str) -> None:
    """Warn of an event of a bot's `opened` that sets a slot of the plugin's."""
    logger.warning("PS7SessionStart.opened returned a value for %s: left out", slot)


@cache
def warn_of_open_arrival() -> None:
    """Once a process, warn that a contextId is accepted from whoever can post to a channel."""
    logger.warning(
        "PS7_ARRIVAL_KEYS is not set: whoever can post to a channel of this bot can send any "
        "contextId. Let a back-end of yours sign them, or be the only one that reaches the channel."
    )


# What no one foresaw


def log_bug(error: Exception, what: str = "") -> None:
    """Log an unforeseen error's class and place; not its text, which may quote anything."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    name, file = type(error).__name__, Path(place.filename).name
    logger.error("%s%s at %s:%s", what, name, file, place.lineno)
