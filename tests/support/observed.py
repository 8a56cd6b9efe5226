"""What OpenTelemetry gets of this process: a host's spans, and what the plugin measures."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from actions.ps7 import telemetry
from actions.ps7.telemetry import CounterFromZero

_KINDS = {
    metrics.Histogram: "create_histogram",
    metrics.Counter: "create_counter",
    metrics.UpDownCounter: "create_up_down_counter",
}
INSTRUMENTS: dict[str, tuple[str, Any]] = {
    name: (create, value)
    for name, value in vars(telemetry).items()
    for kind, create in _KINDS.items()
    if isinstance(value, kind)
}
"""Those of OpenTelemetry that the plugin uses as they are, by name, and how each is made."""
COUNTERS = [value for value in vars(telemetry).values() if isinstance(value, CounterFromZero)]
"""Those that are there at 0 before their first event."""


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

    A process has one meter provider for good: the instruments are made again, as they are.
    """
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], shutdown_on_exit=False).get_meter("test")
    for name, (create, instrument) in INSTRUMENTS.items():
        said = (instrument._name, instrument._unit, instrument._description)
        monkeypatch.setattr(telemetry, name, getattr(meter, create)(*said))
    for counter in COUNTERS:
        monkeypatch.setattr(counter, "_counts", dict.fromkeys(counter.known, 0))
        counter.register(meter)
    monkeypatch.setattr(telemetry, "certificate_ends", {})
    meter.create_observable_gauge("ps7.certificate.expiry", [telemetry.read_certificates], "s")
    monkeypatch.setattr(telemetry, "seal_keys", {})
    meter.create_observable_gauge("ps7.seal.keys", [telemetry.read_seal_keys], "{key}")
    return reader
