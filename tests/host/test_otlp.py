"""End to end: an action server's spans and metrics, from a real exporter to a real receiver."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from typing_extensions import Self

from tests.faults.secrets import found
from tests.host.test_gateway import KEYS, Fabric
from tests.support.dialogue import Dialogue
from tests.support.processes import ROOT

grpc = pytest.importorskip("grpc", reason="the oldest rasa_sdk brings no gRPC")
pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="… and no exporter")

from opentelemetry.proto.collector.metrics.v1 import (  # noqa: E402 - after the check above
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import (  # noqa: E402
    trace_service_pb2,
    trace_service_pb2_grpc,
)


class Collector:
    """Receives what exporters send, by the collector's protocol."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.metrics: list[Any] = []
        self._server = grpc.server(ThreadPoolExecutor(2))
        traces: Any = trace_service_pb2_grpc  # generated, without annotations
        measures: Any = metrics_service_pb2_grpc
        traces.add_TraceServiceServicer_to_server(self._Traces(self), self._server)
        measures.add_MetricsServiceServicer_to_server(self._Metrics(self), self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()

    @property
    def everything(self) -> bytes:
        """What arrived, as it was on the wire."""
        return b"".join(one.SerializeToString() for one in (*self.spans, *self.metrics))

    @property
    def services(self) -> set[str]:
        """What those who measure call themselves."""
        return {
            attribute.value.string_value
            for request in self.metrics
            for resource in request.resource_metrics
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
        }

    class _Traces(trace_service_pb2_grpc.TraceServiceServicer):
        def __init__(self, collector: Collector) -> None:
            self.collector = collector

        def Export(self, request: Any, context: Any) -> Any:  # noqa: ANN401, ARG002, N802
            self.collector.spans.append(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    class _Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
        def __init__(self, collector: Collector) -> None:
            self.collector = collector

        def Export(self, request: Any, context: Any) -> Any:  # noqa: ANN401, ARG002, N802
            self.collector.metrics.append(request)
            return metrics_service_pb2.ExportMetricsServiceResponse()


SECRETS = {
    "cpf": "52998224725",
    "cpf with its points": "529.982.247-25",
    "account": "13156463165468461654",
    "phone": "+5511912345678",
    "contextId": "ctx/planted?id=1+2",
    "sender id": "+5521998877665",
    "user": "planted-user",
    "password": "planted-päss/word+1",
    "api key": "planted-api-key/1",
    "app key": "planted-app-key",
    "app secret": "planted-app-secret",
    "token": "planted-token-1",
}
ANSWER = {
    "code": "0",
    "message": "planted-message",
    "key": "planted-key",
    "payload": {
        "u_cpf": "00052998224725",
        "u_ag": "0341",
        "u_cc": SECRETS["account"],
        "u_numA": SECRETS["phone"],
        "u_id": "planted-unknown",
    },
}


async def test_a_collector_gets_spans_and_metrics_and_nothing_of_anybody() -> None:
    """An action server as it runs, with the real exporter: after a found and a failed customer."""
    async with Fabric() as fabric:
        fabric.body = json.dumps(ANSWER).encode()
        with Collector() as collector:
            environment = {
                **{name: value for name, value in os.environ.items() if name[:4] != "PS7_"},
                "PYTHONPATH": str(ROOT),
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
                "OTEL_SERVICE_NAME": "bot-actions",
                "PS7_BASE_URL": fabric.url,
                "PS7_USERNAME": SECRETS["user"],
                "PS7_PASSWORD": SECRETS["password"],
                "PS7_API_KEY": SECRETS["api key"],
                "PS7_APP_KEY": KEYS["app_key"],
                "PS7_APP_SECRET": KEYS["app_secret"],
                "PS7_SEAL_KEYS": f'["{Fernet.generate_key().decode()}"]',
                "PS7_TRACE_CONTEXT": "true",
            }
            slots, said = await run_host(fabric, environment)
    assert [one["ps7_status"] for one in slots] == ["ok", "unavailable"]
    assert slots[0]["cpf"] == SECRETS["cpf"]
    spans = [
        span
        for request in collector.spans
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if span.name.startswith("ps7.")
    ]
    assert sorted(span.name for span in spans) == ["ps7.attempt"] * 4 + ["ps7.lookup"] * 2
    lookups = {span.span_id for span in spans if span.name == "ps7.lookup"}
    assert {span.parent_span_id for span in spans if span.name == "ps7.attempt"} == lookups
    arrived = {
        metric.name: metric
        for request in collector.metrics
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        if scope.scope.name == "rasa_ps7"
        for metric in scope.metrics
    }
    of_lookups = {"ps7.lookup.duration", "ps7.lookup.retries", "ps7.connections.in_use"}
    assert arrived.keys() == {*of_lookups, "ps7.turns"}
    for point in arrived["ps7.lookup.duration"].histogram.data_points:
        bounds = point.explicit_bounds
        assert (bounds[0], bounds[-1]) == (0.005, 5), "from a quick answer to PS7_DEADLINE"
    assert collector.services == {"bot-actions"}
    everything = collector.everything.decode(errors="replace")
    assert found(SECRETS.values(), everything) == []
    assert b"PS7 lookup: outcome=ok" in said
    assert "planted" not in everything
    # rasa_sdk itself logs whole calls at DEBUG: what this package says is looked at alone.
    ours = b"\n".join(line for line in said.splitlines() if b":actions." in line)
    assert found(SECRETS.values(), ours.decode()) == []


async def run_host(
    fabric: Fabric, environment: dict[str, str]
) -> tuple[list[dict[str, Any]], bytes]:
    """Have a host look a customer up twice, in vain the second time; return slots and log."""
    host = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent / "scripts" / "otlp_host.py"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
    )
    assert host.stdin is not None
    assert host.stdout is not None
    assert host.stderr is not None
    log = asyncio.create_task(host.stderr.read())
    slots = []
    for status in (200, 503):
        fabric.lookup_status = status
        dialogue = Dialogue()
        dialogue.sender_id = SECRETS["sender id"]
        call = dialogue.call("action_ps7_context", {"contextId": SECRETS["contextId"]})
        host.stdin.write(json.dumps(call).encode() + b"\n")
        answer = await asyncio.wait_for(host.stdout.readline(), 20)
        assert answer, (await log).decode()
        events = json.loads(answer)["events"]
        slots.append({event["name"]: event["value"] for event in events})
    host.stdin.close()
    assert await asyncio.wait_for(host.wait(), 20) == 0
    return slots, await log
