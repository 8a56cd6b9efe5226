"""Counters that are there at 0 before their first event.

Prometheus sees an event as a step from one number to a higher one. OpenTelemetry's own counter has
no number before its first event, so that no alert would see that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCOPE = "rasa_ps7"
"""The name under which OpenTelemetry knows the plugin."""

_Key = tuple[tuple[str, str], ...]

# Kept over a reload of this module: OpenTelemetry goes on to read the counters of before.
_counts: dict[str, dict[_Key, int]] = globals().get("_counts", {})


class CounterFromZero:
    """Counts events by their attributes, for whatever reads the metrics of the process."""

    def __init__(
        self,
        name: str,
        unit: str,
        description: str,
        known: Iterable[Mapping[str, str]] = ({},),
    ) -> None:
        """Take the sets of attributes that are known beforehand: each of them begins at 0."""
        self.name, self.unit, self.description = name, unit, description
        self.known = tuple(tuple(attributes.items()) for attributes in known)
        self._counts = _counts.setdefault(name, dict.fromkeys(self.known, 0))
        self.register(get_meter(SCOPE))

    def add(self, number: int, attributes: Mapping[str, str] | None = None) -> None:
        """Count so many events with these attributes, in the order in which they are known."""
        key = tuple(attributes.items()) if attributes else ()
        self._counts[key] = self._counts.get(key, 0) + number

    def register(self, meter: Meter) -> None:
        """Let a meter read it."""
        meter.create_observable_counter(self.name, [self._read], self.unit, self.description)

    def _read(self, _options: CallbackOptions) -> list[Observation]:
        # A copy: another thread may read while this one counts.
        return [Observation(number, dict(key)) for key, number in [*self._counts.items()]]
