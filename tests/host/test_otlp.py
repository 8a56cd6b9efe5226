"""End to end: an action server's spans and metrics, from a real exporter to a real receiver.

That no value of anybody is among them is watched in every test of `tests/faults`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7.testing import Simulator
from tests.support.dialogue import Dialogue
from tests.support.processes import ROOT

grpc: Any = pytest.importorskip("grpc", reason="the oldest rasa_sdk brings no gRPC")
pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="… and no exporter")

from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData  # noqa: E402 - after the check
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData  # noqa: E402

HOST = Path(__file__).parent / "scripts" / "otlp_host.py"


class Collector(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Receives what exporters send: the bytes of each service, by the collector's protocol."""

    def __init__(self) -> None:
        self.got: dict[str, bytes] = defaultdict(bytes)

    def service(self, call: Any) -> Any:  # noqa: ANN401 - as above
        """Take what comes in, and answer with a message that says nothing."""
        name = call.method.split(".")[-1].partition("/")[0]

        def take(request: bytes, _: object) -> bytes:
            self.got[name] += request
            return b""

        return grpc.unary_unary_rpc_method_handler(take)


async def looked_up(environment: dict[str, str], *context_ids: str) -> list[object]:
    """Have a host look customers up; return what their status says."""
    host = await asyncio.create_subprocess_exec(
        *(sys.executable, HOST),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
    )
    calls = [Dialogue().call("action_ps7_context", {"contextId": each}) for each in context_ids]
    given = "".join(f"{json.dumps(call)}\n" for call in calls).encode()
    said, _ = await asyncio.wait_for(host.communicate(given), 30)
    assert host.returncode == 0
    answers = [
        {e["name"]: e["value"] for e in json.loads(line)["events"]} for line in said.splitlines()
    ]
    return [slots["ps7_status"] for slots in answers]


async def test_a_collector_gets_spans_and_metrics() -> None:
    """An action server as it runs, with the real exporter: after a found and a failed customer."""
    collector, server = Collector(), grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((collector,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    async with Simulator() as ps7:
        environment = {
            **{name: value for name, value in os.environ.items() if name[:4] != "PS7_"},
            **ps7.environment,
            "PYTHONPATH": str(ROOT),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_SERVICE_NAME": "bot-actions",
            "PS7_SEAL_KEYS": f'["{Fernet.generate_key().decode()}"]',
            "PS7_TRACE_CONTEXT": "true",
        }
        assert await looked_up(environment, "ana", "http-503") == ["ok", "unavailable"]
    server.stop(0).wait()
    # Both kinds of request are, on the wire, what these messages are.
    traces = TracesData.FromString(collector.got["TraceService"])
    scopes = [scope for resource in traces.resource_spans for scope in resource.scope_spans]
    spans = [span for scope in scopes for span in scope.spans if span.name.startswith("ps7.")]
    assert sorted(span.name for span in spans) == ["ps7.attempt"] * 4 + ["ps7.lookup"] * 2
    lookups = {span.span_id for span in spans if span.name == "ps7.lookup"}
    assert {span.parent_span_id for span in spans if span.name == "ps7.attempt"} == lookups
    metrics = MetricsData.FromString(collector.got["MetricsService"]).resource_metrics
    (resource,) = metrics
    assert "bot-actions" in str(resource.resource.attributes)
    (scope,) = (scope for scope in resource.scope_metrics if scope.scope.name == "rasa_ps7")
    measured = {metric.name: metric for metric in scope.metrics}
    of_lookups = {"ps7.lookup.duration", "ps7.lookup.retries", "ps7.connections.in_use"}
    assert measured.keys() >= {*of_lookups, "ps7.turns"}
    for point in measured["ps7.lookup.duration"].histogram.data_points:
        bounds = point.explicit_bounds
        assert (bounds[0], bounds[-1]) == (0.005, 5), "from a quick answer to PS7_DEADLINE"
    assert collector.got["TraceService"].count(b"52998224725") == 0
