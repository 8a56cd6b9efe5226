"""Spans, trace context and metrics: what OpenTelemetry gets of a lookup, and what it does not."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import PS7Client, runtime, telemetry
from actions.ps7.testing import Simulator
from tests.host.test_client import failure_of, settings_for
from tests.support.log import Log
from tests.support.simulator_client import own_simulator
from tests.support.waiting import until

pytest.importorskip("opentelemetry.sdk", reason="the oldest rasa_sdk brings no OpenTelemetry SDK")

from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import ReadableSpan

from tests.support import observed
from tests.support.observed import Spans
from tests.support.processes import ROOT

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

Points = Callable[[], dict[str, list[Any]]]

ps7 = pytest.fixture(own_simulator)


# Spans


@pytest.fixture
def spans() -> Spans:
    """Return a tracer of a host."""
    return Spans()


def client_of(url: str, spans: Spans, **settings: Any) -> PS7Client:  # noqa: ANN401 - any setting
    return PS7Client(settings_for(url, **settings), tracer=lambda: spans.tracer)


def said_of(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_a_lookup_is_a_span_and_each_attempt_another(ps7: Simulator, spans: Spans) -> None:
    """With the attributes of the list and no other: what came, and why it was not the end.

    `PS7_TRACE_CONTEXT` sends the id of an attempt, which PS7 may follow, as that of a sampled span
    (a newer version says in the second bit that it is random), and no baggage: that may hold
    anything.
    """
    ps7.script("C1", ["http-503", "ana"])
    async with client_of(ps7.url, spans, trace_context=True) as client:
        with spans.tracer.start_as_current_span("turn") as turn:
            token = context.attach(baggage.set_baggage("user", "planted"))
            await client.lookup("C1", correlation_id="trail-1")
            context.detach(token)
        digest = client.digest("C1")
    assert "planted" not in str([dict(request.headers) for request in ps7.requests])
    (lookup,), attempts = spans.named("ps7.lookup"), spans.named("ps7.attempt")
    assert said_of(lookup) == {
        "ps7.outcome": "ok",
        "ps7.reason": "ok",
        "ps7.attempts": 2,
        "ps7.context_digest": digest,
        "ps7.correlation_id": "trail-1",
    }
    assert [said_of(span) for span in attempts] == [
        {"ps7.attempt": 1, "http.response.status_code": 503, "ps7.reason": "server_error"},
        {"ps7.attempt": 2, "http.response.status_code": 200},
    ]
    of_exceptions = [(span.events, span.status.description) for span in (lookup, *attempts)]
    assert of_exceptions == [((), None)] * 3
    assert lookup.parent == turn.get_span_context()
    for span, request in zip(attempts, ps7.requests, strict=True):
        assert (span.kind, span.parent) == (trace.SpanKind.CLIENT, lookup.context)
        ids = f"{span.context.trace_id:032x}-{span.context.span_id:016x}"
        assert re.fullmatch(f"00-{ids}-0[13]", request.headers["traceparent"])


async def test_without_a_tracer_of_the_host_the_provider_of_the_process_counts(
    ps7: Simulator, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that sets OpenTelemetry up by itself sees lookups too; else there is no span.

    By default PS7 does not get the id.
    """
    async with PS7Client(settings_for(ps7.url)) as client:
        await client.lookup("ana")
        assert spans.names == []
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
        await client.lookup("ana")
    assert spans.names == ["ps7.attempt", "ps7.lookup"]
    assert not any("traceparent" in request.headers for request in ps7.requests)


async def test_a_probe_of_the_breaker_has_a_span_and_a_metric_of_its_own(
    ps7: Simulator, spans: Spans, points: Points
) -> None:
    """It is no lookup, no part of the trace that set it off, and no retry.

    A lookup that the open circuit refuses is a span without an attempt. The counter goes up from 0
    in a series that was there before: the first event is a step, which Prometheus sees.
    """
    series = len(points()["ps7.probe"])
    await ps7.stop()
    async with client_of(ps7.url, spans, attempts=1, breaker_failures=1) as client:
        begun = points()
        for name in ("breaker.open", "connections.in_use", "connections.waiting"):
            assert [point.value for point in begun[f"ps7.{name}"]] == [0], "shown from the start"
        with spans.tracer.start_as_current_span("turn"):
            await failure_of(client)
            await until("a probe has ended", lambda: spans.named("ps7.probe"))
            await failure_of(client)
    (probe,), (lookup, refused) = spans.named("ps7.probe"), spans.named("ps7.lookup")
    (of_lookup, of_probe) = spans.named("ps7.attempt")
    assert (of_lookup.parent, of_probe.parent) == (lookup.context, probe.context)
    assert probe.parent is None
    said = said_of(probe)
    assert re.fullmatch("[0-9a-f]{12}", str(said.pop("ps7.context_digest")))
    assert said == {"ps7.outcome": "unavailable", "ps7.reason": "connect", "ps7.attempts": 1}
    assert said_of(refused)["ps7.reason"] == "circuit_open"
    read = points()
    assert len(read["ps7.probe"]) == series
    (counted,) = [point for point in read["ps7.probe"] if point.value]
    end = {"outcome": "unavailable", "reason": "connect"}
    assert (dict(counted.attributes), counted.value) == (end, 1)
    assert sum(point.count for point in read["ps7.lookup.duration"]) == 2
    assert [point.value for point in read["ps7.lookup.retries"]] == [0]
    assert [point.value for point in read["ps7.breaker.open"]] == [1]


async def test_a_lookup_that_is_cancelled_ends_its_spans(ps7: Simulator, spans: Spans) -> None:
    """And says so."""
    async with client_of(ps7.url, spans, read_timeout=100) as client:
        looking = asyncio.create_task(client.lookup("slow"))
        await until("PS7 is asked", lambda: ps7.requests)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert spans.names == ["ps7.attempt", "ps7.lookup"]
    assert said_of(spans.ended[-1])["ps7.reason"] == "cancelled"


def test_the_tracer_of_the_sdk_is_the_one_that_is_there(
    spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes after the actions, and may be another one later. The oldest versions have none."""
    runtime._tracer_register.cache_clear()  # a test before may have had modules of its own
    if find_spec("rasa_sdk.tracing") is not None:
        register = runtime._tracer_register()
        assert register is not None
        for tracer in (None, spans.tracer):
            monkeypatch.setattr(register, "tracer", tracer)
            assert runtime.host_tracer() is tracer
    runtime._tracer_register.cache_clear()
    monkeypatch.setitem(sys.modules, "rasa_sdk.tracing.tracer_register", None)
    assert runtime.host_tracer() is None
    runtime._tracer_register.cache_clear()


# Metrics


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Points:
    """Return what reads the points of each instrument, of what is measured from now on."""
    reader = observed.measured(monkeypatch)

    def read() -> dict[str, list[Any]]:
        data = reader.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    return read


async def test_durations_are_measured_by_outcome_and_reason(ps7: Simulator, points: Points) -> None:
    """In seconds, and by nothing else: what identifies anybody is no attribute.

    The requests after the first are counted.
    """
    async with PS7Client(settings_for(ps7.url, attempts=3)) as client:
        for _ in range(3):
            await client.lookup("ana", correlation_id="trail-1")
        await failure_of(client, "not-found")
        await failure_of(client, "http-503")
    read = points()
    durations = read["ps7.lookup.duration"]
    assert [(dict(point.attributes), point.count) for point in durations] == [
        ({"outcome": "ok", "reason": "ok"}, 3),
        ({"outcome": "rejected", "reason": "failure_code"}, 1),
        ({"outcome": "unavailable", "reason": "server_error"}, 1),
    ]
    assert all(0 < point.sum < 5 for point in durations)
    assert [(point.attributes, point.value) for point in read["ps7.lookup.retries"]] == [({}, 2)]


@pytest.mark.skipif(not telemetry._takes_advice, reason="this OpenTelemetry takes no advice")
def test_durations_are_told_apart_from_a_quick_answer_to_the_deadline() -> None:
    """By its own buckets OpenTelemetry tells nothing below 5 s apart."""
    bounds = vars(telemetry._duration)["_explicit_bucket_boundaries_advisory"]
    assert (bounds[0], bounds[-1]) == (0.005, 5)


@pytest.mark.slow
async def test_places_in_use_and_lookups_that_wait_are_shown(
    ps7: Simulator, points: Points
) -> None:
    """Up while PS7 takes its time, and down again however a lookup ends; no place, no request."""

    def shown() -> list[tuple[dict[str, object], int]]:
        read = [points()[f"ps7.connections.{name}"] for name in ("in_use", "waiting")]
        return [(dict(point.attributes), point.value) for gauge in read for point in gauge]

    async with PS7Client(settings_for(ps7.url, deadline=1.2, max_connections=2)) as client:
        ends = [asyncio.create_task(client.ask("slow")) for _ in range(4)]
        await asyncio.sleep(0.1)
        assert shown() == [({}, 2), ({}, 2)]
        ends.pop().cancel()
        reports = [lookup.report for lookup in await asyncio.gather(*ends)]
    said = [(report.reason.value, report.attempts) for report in reports]
    assert said == [("deadline", 1), ("deadline", 1), ("busy", 0)]
    assert shown() == [({}, 0), ({}, 0)]


def test_servers_with_other_seal_keys_are_told_apart(
    points: Points, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a line of the start and a metric, whatever the order of the keys; none shows a key."""
    caplog.set_level("INFO", "actions.ps7.telemetry")
    monkeypatch.setattr(runtime, "_runtimes", [])
    old, new, other = (Fernet.generate_key().decode() for _ in range(3))
    shown = []
    for keys in ([old, new], [new, old], [old], [other, new]):
        runtime.get_or_create(settings_for("http://127.0.0.1:9", seal_keys=json.dumps(keys)))
        (point,) = points()["ps7.seal.keys"]
        assert point.value == len(keys)
        shown.append(point.attributes["digest"])
        line = f"Seal keys: number={len(keys)} digest={shown[-1]}"
        assert ("actions.ps7.telemetry", logging.INFO, line) in caplog.record_tuples
    assert shown[0] == shown[1]
    assert len({*shown}) == 3
    assert not any(key in f"{caplog.text}{shown}" for key in (old, new, other))


GONE = "WARNING PS7 sends no u_seg any more: {} customers had it, the last {} have not"
BOTH, ONE = frozenset({"u_seg", "u_ag"}), frozenset({"u_ag"})


@pytest.mark.parametrize(
    ("had", "last", "again"),
    [(100, 50, (500, 60)), (10, 500, (410, 183))],
    ids=["each had it", "each tenth had it"],
)
def test_a_field_that_customers_have_no_more_is_named_once(
    points: Points, log: Log, had: int, last: int, again: tuple[int, int]
) -> None:
    """After fifty in a row, or as many more as fewer had it. One that came back may go again."""
    fields = telemetry.Fields()
    for number in range(1, 101):
        fields.came(ONE if number % (100 // had) else BOTH)
    for lines in ([], [GONE.format(had, last)], []):
        for _ in range(1 if lines else last - 1):
            fields.came(ONE)
        assert log() == lines
    lost = {str(each.attributes["field"]): each.value for each in points()["ps7.fields.lost"]}
    assert {name: number for name, number in lost.items() if number} == {"u_seg": 1}
    assert len(lost) == 10
    for sent in (*[BOTH] * 400, *[ONE] * 1000):
        fields.came(sent)
    assert log() == [GONE.format(*again)]


LATE = """
import json
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from actions.ps7 import ActionPS7Context
ActionPS7Context()
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
(resource,) = reader.get_metrics_data().resource_metrics
(scope,) = resource.scope_metrics
print(json.dumps({m.name: {p.value for p in m.data.data_points} == {0} for m in scope.metrics}))
"""


@pytest.mark.slow
def test_every_series_begins_at_0_though_the_provider_comes_after_the_client() -> None:
    """As in a worker of `examples/monitoring`. When a certificate ends, and keys, are no counts."""
    env = {**Simulator(port=9).environment, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", LATE], env=env, stdout=subprocess.PIPE, check=True)
    begun = {each.name: each.kind != "gauge" for each in observed.MEASURES}
    del begun["ps7.certificate.expiry"]
    assert json.loads(ran.stdout) == begun
