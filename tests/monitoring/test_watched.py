"""What `make monitoring` makes of the rules, says, and writes down; `test_live` runs it."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from examples.monitoring import __main__ as monitoring
from examples.monitoring.watched import WORKERS, Watched, _config, faster
from tests.monitoring.test_rules import GROUP, load, promtool


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        ("for: 5m", "for: 5000ms"),
        ("scrape_interval: 15s", "scrape_interval: 250ms"),
        ("rate(a[1h] offset 1d)", "rate(a[60000ms] offset 1440000ms)"),
        ("ps7:turns:share1h{job=~'ps7-.+'} > 0.5", "ps7:turns:share1h{job=~'ps7-.+'} > 0.5"),
        ("localhost:9464", "localhost:9464"),
    ],
)
def test_every_duration_is_shorter_and_nothing_else(text: str, shorter: str) -> None:
    """An hour is a minute. What is recorded keeps its name."""
    assert faster(text, 60) == shorter
    assert "[1ms]" in faster("rate(a[1s])", 10_000), "less is nothing"


def test_prometheus_watches_each_worker_by_the_rules_that_are_shipped(tmp_path: Path) -> None:
    """With durations of its own and nothing else of its own."""
    config = _config(tmp_path, 60, 7000)
    (job,) = load(config)["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"localhost:{7000 + n}" for n in range(WORKERS)]}]
    assert f"{len(GROUP['rules'])} rules found" in promtool("check", "config", str(config))


class FakeWatched:
    """One that is away as an alert begins, and knows no more of it afterwards."""

    actions, prometheus, targets = "http://actions", "http://prometheus", ["http://worker"]

    def __init__(self) -> None:
        self.did: list[str] = []
        self.ps7 = SimpleNamespace(stop=self._stop, start=self._start)

    async def _stop(self) -> None:
        self.did.append("stop")

    async def _start(self) -> None:
        self.did.append("start")

    async def customers(self, rate: float) -> None:
        self.did.append(f"{rate:.0f} customers")

    async def alerts(self) -> list[dict[str, Any]]:
        alert = {"labels": {"alertname": "PS7Unavailable"}, "annotations": {"summary": "Away."}}
        return [alert] if self.did[-1:] == ["stop"] else []

    async def ask_over_time(
        self, query: str, start: float, steps: int, step: float
    ) -> list[dict[str, Any]]:
        assert steps == 96
        label = "status" if "ps7_turns_total" in query else "alertname"
        return [{"metric": {label: "any"}, "values": [[start + 2 * step, "19.96"]]}]


def test_what_happens_is_said_and_written_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """PS7 goes away and comes back while customers talk; alerts begin and end."""
    it = FakeWatched()

    @asynccontextmanager
    async def watched(_: float) -> AsyncIterator[FakeWatched]:
        yield it

    monkeypatch.setattr(monitoring, "watched", watched)
    monkeypatch.setattr(monitoring, "FIRST", 0.1)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    file = tmp_path / "record.json"
    assert monitoring.main(["--faster", "3000", "--record", str(file)]) == 0
    assert it.did == ["20 customers", "stop", "start"]
    said = [line[8:] for line in capsys.readouterr().out.splitlines()[2:]]
    assert said == [
        "PS7 goes away",
        "PS7Unavailable begins: Away.",
        "PS7 is back",
        "PS7Unavailable ends",
    ]
    record = json.loads(file.read_text("utf-8"))
    once = [0, 0, 20.0, *[0] * 93]
    assert (record["turns"], record["alerts"]) == ({"any": once}, {"any": once})
    assert (record["step"], record["away"], record["back"]) == pytest.approx((0.01, 0.24, 0.54))


async def test_only_alerts_that_fire_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is pending may go away by itself."""

    async def get(_: Watched, what: str) -> dict[str, Any]:
        return {what: [{"state": "pending"}, {"state": "firing"}]}

    monkeypatch.setattr(Watched, "get", get)
    it: Any = Watched.__new__(Watched)
    assert await it.alerts() == [{"state": "firing"}]
