"""A host whose action server exports what it observes, as OpenTelemetry's own packages do.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 python otlp_host.py

Reads calls of an action, one JSON a line, and answers each with one line of JSON; when the input
ends, it exports what is left. All that is logged at DEBUG goes to standard error.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.tracing.tracer_register import ActionExecutorTracerRegister


async def serve(executor: ActionExecutor) -> None:
    """Run actions in one event loop until the input ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        call: dict[str, Any] = json.loads(line)
        result: Any = await executor.run(call)
        sys.stdout.write(json.dumps(result.model_dump()) + "\n")
        sys.stdout.flush()
    from actions.ps7.dialogue import runtime  # noqa: PLC0415 - registered by then

    await runtime.current().client.close()


def main() -> None:
    """Set up the action server first and the exporters afterwards, as rasa_sdk does."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    executor = ActionExecutor()
    executor.register_package("actions")
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(insecure=True))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    metrics.set_meter_provider(meters)
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(insecure=True)))
    ActionExecutorTracerRegister().register_tracer(tracers.get_tracer("rasa_sdk"))
    asyncio.run(serve(executor))
    tracers.shutdown()
    meters.shutdown()


if __name__ == "__main__":
    main()
