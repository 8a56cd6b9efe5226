"""Spans, trace context and metrics: what OpenTelemetry gets of a lookup, and what it does not."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest

from actions.ps7 import Outcome, PS7Client
from actions.ps7.dialogue import counters, runtime
from actions.ps7.testing import Simulator
from tests.host.test_client import failure_of, settings_for
from tests.support.processes import ROOT
from tests.support.simulator_client import own_simulator

pytest.importorskip("opentelemetry.sdk", reason="the oldest rasa_sdk brings no OpenTelemetry SDK")

from opentelemetry import baggage, context, trace

from tests.support import observed
from tests.support.observed import Spans

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

TRACE_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[13]")
"""A sampled span's; the second bit, of a newer version, says that the trace id is random."""


ps7 = pytest.fixture(own_simulator)


# Spans


@pytest.fixture
def spans() -> Spans:
    """Return a tracer of a host."""
    return Spans()


def client_of(url: str, spans: Spans, **settings: Any) -> PS7Client:  # noqa: ANN401 - any setting
    return PS7Client(settings_for(url, deadline=5.0, **settings), tracer=lambda: spans.tracer)


async def test_a_lookup_is_a_span_and_its_request_another(ps7: Simulator, spans: Spans) -> None:
    """The second within the first, with the attributes of the list and no other."""
    async with client_of(ps7.url, spans) as client:
        await client.lookup("ana", correlation_id="trail-1")
        digest = client.digest("ana")
    assert spans.names == ["ps7.attempt", "ps7.lookup"]
    (attempt,), (lookup,) = spans.named("ps7.attempt"), spans.named("ps7.lookup")
    assert dict(lookup.attributes or {}) == {
        "ps7.outcome": "ok",
        "ps7.reason": "ok",
        "ps7.attempts": 1,
        "ps7.context_digest": digest,
        "ps7.correlation_id": "trail-1",
    }
    assert dict(attempt.attributes or {}) == {"ps7.attempt": 1, "http.response.status_code": 200}
    assert (lookup.kind, attempt.kind) == (trace.SpanKind.INTERNAL, trace.SpanKind.CLIENT)
    assert attempt.parent == lookup.context
    assert lookup.parent is None
    assert [(*span.events, *span.links) for span in (lookup, attempt)] == [(), ()]


async def test_without_a_tracer_of_the_host_the_provider_of_the_process_counts(
    ps7: Simulator, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that sets OpenTelemetry up by itself sees lookups too; else there is no span."""
    async with PS7Client(settings_for(ps7.url)) as client:
        await client.lookup("ana")
        assert spans.names == []
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
        await client.lookup("ana")
    assert spans.names == ["ps7.attempt", "ps7.lookup"]


async def test_each_attempt_is_a_span_that_ps7_may_follow(
    ps7: Simulator, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the status that came and why it was not the end; `PS7_TRACE_CONTEXT` sends its id."""
    monkeypatch.setattr("actions.ps7.api.policy.uniform", lambda *_: 0.0)
    ps7.answer("C1", status=503)
    async with client_of(ps7.url, spans, trace_context=True, breaker_failures=4) as client:
        await failure_of(client)
        digest = client.digest("C1")
    (lookup,), attempts = spans.named("ps7.lookup"), spans.named("ps7.attempt")
    assert dict(lookup.attributes or {}) == {
        "ps7.outcome": "unavailable",
        "ps7.reason": "server_error",
        "ps7.attempts": 3,
        "ps7.context_digest": digest,
    }
    assert [dict(span.attributes or {}) for span in attempts] == [
        {"ps7.attempt": number, "http.response.status_code": 503, "ps7.reason": "server_error"}
        for number in (1, 2, 3)
    ]
    assert all(span.parent == lookup.context for span in attempts)
    sent = [TRACE_PARENT.fullmatch(request.headers["traceparent"]) for request in ps7.requests]
    assert [(int(one[1], 16), int(one[2], 16)) for one in sent if one] == [
        (span.context.trace_id, span.context.span_id) for span in attempts if span.context
    ]


async def test_a_question_of_the_breaker_has_a_span_and_a_metric_of_its_own(
    ps7: Simulator, spans: Spans, measured: Metrics
) -> None:
    """It is no lookup, no part of the trace that set it off, and no retry.

    A lookup that the open circuit refuses is a span without an attempt.
    """
    await ps7.stop()
    async with client_of(ps7.url, spans, attempts=1, breaker_failures=1) as client:
        with spans.tracer.start_as_current_span("turn"):
            await failure_of(client)
            await asyncio.sleep(0.1)
            await failure_of(client)
    (question,), (lookup, refused) = spans.named("ps7.question"), spans.named("ps7.lookup")
    (of_lookup, of_question) = spans.named("ps7.attempt")
    assert (of_lookup.parent, of_question.parent) == (lookup.context, question.context)
    assert question.parent is None
    said = dict(question.attributes or {})
    assert re.fullmatch("[0-9a-f]{12}", str(said.pop("ps7.context_digest")))
    assert said == {"ps7.outcome": "unavailable", "ps7.reason": "connect", "ps7.attempts": 1}
    assert refused.attributes is not None
    assert refused.attributes["ps7.reason"] == "circuit_open"
    assert refused.attributes["ps7.attempts"] == 0
    points = measured.points()
    assert [dict(point.attributes) for point in points["ps7.question"] if point.value] == [
        {"outcome": "unavailable", "reason": "connect"}
    ]
    assert sum(point.count for point in points["ps7.lookup.duration"]) == 2
    assert "ps7.lookup.retries" not in points


async def test_a_lookup_that_is_cancelled_ends_its_spans(ps7: Simulator, spans: Spans) -> None:
    """And says so."""
    async with client_of(ps7.url, spans, read_timeout=100) as client:
        looking = asyncio.create_task(client.lookup("slow"))
        await asyncio.sleep(0.1)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    (lookup,) = spans.named("ps7.lookup")
    assert spans.names == ["ps7.attempt", "ps7.lookup"]
    assert lookup.attributes is not None
    assert lookup.attributes["ps7.reason"] == "cancelled"


async def test_a_lookup_stands_below_the_span_of_its_host(ps7: Simulator, spans: Spans) -> None:
    """A trace goes through the action server."""
    async with client_of(ps7.url, spans) as client:
        with spans.tracer.start_as_current_span("turn") as turn:
            await client.lookup("ana")
    (lookup,) = spans.named("ps7.lookup")
    assert lookup.parent == turn.get_span_context()


# The SDK's tracer


@contextmanager
def registered(spans: Spans) -> Iterator[None]:
    """Register a tracer with rasa_sdk for a while."""
    from rasa_sdk.tracing.tracer_register import ActionExecutorTracerRegister  # noqa: PLC0415

    register: Any = ActionExecutorTracerRegister()
    before = register.get_tracer()
    register.register_tracer(spans.tracer)
    try:
        yield
    finally:
        register.tracer = before


needs_tracing = pytest.mark.skipif(
    find_spec("rasa_sdk.tracing") is None, reason="the oldest rasa_sdk has no tracing"
)


@pytest.fixture
def register_anew() -> Iterator[None]:
    """Look for the SDK's tracing again: a test that ran before may have had modules of its own."""
    runtime._tracer_register.cache_clear()
    yield
    runtime._tracer_register.cache_clear()


@needs_tracing
@pytest.mark.usefixtures("register_anew")
def test_the_tracer_of_the_sdk_is_found_when_it_is_there(spans: Spans) -> None:
    """It comes after the actions, and may be another one later."""
    assert runtime.host_tracer() is None
    with registered(spans):
        assert runtime.host_tracer() is spans.tracer


@pytest.mark.usefixtures("register_anew")
def test_an_sdk_without_tracing_has_no_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest versions know no such module."""
    monkeypatch.setitem(sys.modules, "rasa_sdk.tracing.tracer_register", None)
    assert runtime.host_tracer() is None


# Trace context


@pytest.mark.parametrize("wanted", [True, False])
async def test_nothing_else_of_the_context_goes_to_ps7(
    ps7: Simulator, spans: Spans, wanted: bool
) -> None:
    """Baggage may hold anything; and by default not even the trace's id is sent."""
    token = context.attach(baggage.set_baggage("user", "planted"))
    try:
        async with client_of(ps7.url, spans, trace_context=wanted) as client:
            await client.lookup("ana")
    finally:
        context.detach(token)
    headers = {name.lower(): value for name, value in ps7.requests[0].headers.items()}
    assert ("traceparent" in headers) is wanted
    assert not {"baggage", "tracestate", "b3"} & headers.keys()
    assert "planted" not in str(headers)


async def test_without_a_span_there_is_no_trace_context(ps7: Simulator) -> None:
    """A host without tracing has no span to name."""
    async with PS7Client(settings_for(ps7.url, trace_context=True)) as client:
        await client.lookup("ana")
    assert "traceparent" not in ps7.requests[0].headers


# Metrics


class Metrics:
    """What the plugin measures from now on, and nothing that was measured before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._reader = observed.measured(monkeypatch)

    def points(self) -> dict[str, list[Any]]:
        """Return the points of each instrument."""
        data = self._reader.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def value(self, name: str) -> int:
        """Return the value of an instrument without attributes, 0 if it was never used."""
        points = self.points().get(name, [])
        assert all(not point.attributes for point in points)
        return sum(point.value for point in points)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Metrics:
    """Measure from now on."""
    return Metrics(monkeypatch)


async def test_how_long_lookups_take_by_outcome_and_reason(
    ps7: Simulator, measured: Metrics
) -> None:
    """In seconds, and by nothing else: what identifies anybody is no attribute."""
    async with PS7Client(settings_for(ps7.url)) as client:
        for _ in range(3):
            await client.lookup("ana", correlation_id="trail-1")
        await failure_of(client, "not-found")
        await failure_of(client, "http-401")
    points = measured.points()["ps7.lookup.duration"]
    assert {tuple(sorted(point.attributes.items())): point.count for point in points} == {
        (("outcome", "ok"), ("reason", "ok")): 3,
        (("outcome", "rejected"), ("reason", "failure_code")): 1,
        (("outcome", "denied"), ("reason", "unauthorized")): 1,
    }
    assert all(0 < point.sum < 5 for point in points)


async def test_retries_are_counted(
    ps7: Simulator, measured: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests after the first."""
    monkeypatch.setattr("actions.ps7.api.policy.uniform", lambda *_: 0.0)
    ps7.answer("C1", status=503)
    async with PS7Client(settings_for(ps7.url)) as client:
        await client.lookup("ana")
        assert measured.value("ps7.lookup.retries") == 0
        await failure_of(client)
        assert measured.value("ps7.lookup.retries") == 2


async def test_the_connections_in_use_are_shown(ps7: Simulator, measured: Metrics) -> None:
    """Up while PS7 takes its time, and down again however it ends."""
    async with PS7Client(settings_for(ps7.url, deadline=0.4, read_timeout=100)) as client:
        late = asyncio.create_task(failure_of(client, "slow"))
        cancelled = asyncio.create_task(client.lookup("slow"))
        await asyncio.sleep(0.15)
        assert measured.value("ps7.connections.in_use") == 2
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        assert measured.value("ps7.connections.in_use") == 1
        await late
        await client.lookup("ana")
        assert measured.value("ps7.connections.in_use") == 0


async def test_what_an_alert_reads_is_there_at_0_before_it_happens(
    ps7: Simulator, measured: Metrics
) -> None:
    """So the first event is a step, which Prometheus sees; no set of attributes comes twice."""
    before = measured.points()
    read = (
        *("ps7.arrivals.refused", "ps7.question", "ps7.seals.refused"),
        *("ps7.slots.restored", "ps7.turns"),
    )
    assert {*read} == before.keys()
    await ps7.stop()
    async with PS7Client(settings_for(ps7.url, attempts=1, breaker_failures=1)) as client:
        await failure_of(client)
        await asyncio.sleep(0.1)
    counters.count_turn("action_ps7_forget", Outcome.MISSING)
    after = measured.points()
    for name in read:
        assert {point.value for point in before[name]} == {0}
        said = [sorted(point.attributes.items()) for point in after[name]]
        assert len(said) == len({str(each) for each in said})
    assert {(name, point.value) for name in read for point in after[name] if point.value} == {
        ("ps7.question", 1),
        ("ps7.turns", 1),
    }
    assert len(after["ps7.question"]) == len(before["ps7.question"])
    assert len(after["ps7.turns"]) == len(before["ps7.turns"]) + 1


def test_counters_go_on_where_the_module_is_loaded_again() -> None:
    """OpenTelemetry keeps the instrument that it was given first, of a host that reloads."""
    script = """
from importlib import reload
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from actions.ps7 import counter
from actions.ps7.dialogue import counters
reader = InMemoryMetricReader()
counters.slots_restored.add(1)
metrics.set_meter_provider(MeterProvider([reader]))
reload(counter); reload(counters)
counters.slots_restored.add(1)
(read,) = reader.get_metrics_data().resource_metrics
metrics = [metric for scope in read.scope_metrics for metric in scope.metrics]
points = [metric.data.data_points for metric in metrics if metric.name == "ps7.slots.restored"]
print(*(point.value for each in points for point in each))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {*ran.stdout.split()} == {"2"}


def test_every_instrument_has_a_unit_and_a_description() -> None:
    """A dashboard shows them."""
    made = [
        *((one._name, one._unit, one._description) for _, one in observed.INSTRUMENTS.values()),
        *((one.name, one.unit, one.description) for one in observed.COUNTERS),
    ]
    assert sorted(name for name, *_ in made) == [
        "ps7.arrivals.refused",
        "ps7.breaker.open",
        "ps7.connections.in_use",
        "ps7.lookup.duration",
        "ps7.lookup.retries",
        "ps7.question",
        "ps7.seals.refused",
        "ps7.slots.restored",
        "ps7.turns",
    ]
    assert all(map(all, made))
