"""What OpenTelemetry gets of this process: a host's spans, and what the plugin measures."""

from __future__ import annotations

from collections import defaultdict

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from actions.ps7 import telemetry
from actions.ps7.telemetry import Measure

MEASURES = [value for value in vars(telemetry).values() if isinstance(value, Measure)]
"""What the plugin measures from the start of a process on."""


class Spans:
    """A host's tracer, and the spans that ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("host")
        self.clear = self._exporter.clear

    @property
    def ended(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.ended]

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.ended if span.name == name]


def measured(monkeypatch: pytest.MonkeyPatch) -> InMemoryMetricReader:
    """Return what reads all that the plugin measures from now on, and nothing of before.

    A process has one meter provider for good: the instruments are made again.
    """
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], shutdown_on_exit=False).get_meter("test")
    said = [vars(telemetry._duration)[of] for of in ("_name", "_unit", "_description")]
    monkeypatch.setattr(telemetry, "_duration", meter.create_histogram(*said))
    for measure in MEASURES:
        monkeypatch.setattr(measure, "_figures", defaultdict(int, dict.fromkeys(measure.known, 0)))
        measure.register(meter)
    return reader
