"""The module that docs/operations.md shows brings a worker's metrics to a collector."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from actions.ps7.testing import Simulator
from tests.docs.documents import document
from tests.docs.python_code import path_of
from tests.support.action_server import ActionServer
from tests.support.dialogue import LOOK_UP, Dialogue
from tests.support.processes import ROOT

pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="comes with rasa_sdk")

from tests.host.test_otlp import Collector

NAME = "actions/metrics.py"


async def test_the_metrics_of_a_worker_reach_a_collector(tmp_path: Path) -> None:
    """With the module in a bot's actions, loaded as the page says."""
    (code,) = (each.code for each in document("docs/operations.md").blocks if path_of(each) == NAME)
    actions = tmp_path / "actions"
    actions.mkdir()
    (actions / "__init__.py").write_text("from . import metrics\n", encoding="utf-8")
    (tmp_path / NAME).write_text(code, encoding="utf-8")
    (actions / "ps7").symlink_to(ROOT / "actions" / "ps7")
    with Collector() as collector:
        async with Simulator() as ps7:
            server = await ActionServer.start(
                Path(sys.executable),
                tmp_path / "server.log",
                cwd=tmp_path,
                PYTHONPATH=str(tmp_path),
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}",
                OTEL_METRIC_EXPORT_INTERVAL="200",
                PS7_BASE_URL=ps7.url,
                PS7_USERNAME=str(ps7.username),
                PS7_PASSWORD=str(ps7.password),
            )
            try:
                await server.send(Dialogue().call(LOOK_UP, {"contextId": "ana"}))
                for _ in range(400):
                    await asyncio.sleep(0.05)
                    if b"ps7.lookup.duration" in collector.everything:
                        return
                pytest.fail(f"nothing came within 20 s:\n{server.process.tail}")
            finally:
                await server.stop()
