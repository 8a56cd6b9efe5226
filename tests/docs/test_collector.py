"""The module of docs/operations.md sends metrics to a collector: here one that keeps them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as told
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as service

from actions.ps7.testing import Simulator
from tests.docs.documents import document
from tests.matrix.hosts import over_http
from tests.support.dialogue import Dialogue
from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

(MODULE,) = (each.code for each in document("docs/operations.md").blocks if "OTLP" in each.code)


class Collector(service.MetricsServiceServicer):
    """Hands on the names of the metrics that arrive."""

    def __init__(self) -> None:
        self.names = asyncio.Queue[str]()

    async def Export(  # noqa: N802 - the protocol's
        self, request: told.ExportMetricsServiceRequest, _context: object
    ) -> told.ExportMetricsServiceResponse:
        scopes = (scope for each in request.resource_metrics for scope in each.scope_metrics)
        for metric in (metric for scope in scopes for metric in scope.metrics):
            self.names.put_nowait(metric.name)
        return told.ExportMetricsServiceResponse()


async def test_metrics_of_a_worker_arrive_at_a_collector(tmp_path: Path) -> None:
    """As OTLP over gRPC, each by its name."""
    (tmp_path / "rasa_ps7").symlink_to(ROOT / "actions" / "ps7")
    (tmp_path / "actions.py").write_text(f"import rasa_ps7\n{MODULE}", encoding="utf-8")
    collector, server = Collector(), grpc.aio.server()
    service.add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    variables: dict[str, Any] = {
        "cwd": tmp_path,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_METRIC_EXPORT_INTERVAL": "200",  # milliseconds
        "PYTHONPATH": str(tmp_path),
    }
    try:
        async with (
            Simulator() as ps7,
            over_http(Path(sys.executable), tmp_path, variables | ps7.environment) as send,
        ):
            await Dialogue().turn(send, metadata={"contextId": "ana"})
            found: set[str] = set()
            while not {"ps7.turns", "ps7.lookup.duration"} <= found:
                found.add(await collector.names.get())
    finally:
        await server.stop(None)
