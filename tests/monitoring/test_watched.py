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
from tests.monitoring.test_promtool import promtool
from tests.monitoring.test_rules import GROUP, load

pytestmark = pytest.mark.slow


def test_every_duration_is_shorter_and_nothing_else() -> None:
    """An hour is a minute. What is recorded keeps its name, and none becomes 0."""
    shorter = {
        "for: 5m": "for: 5000ms",
        "scrape_interval: 15s": "scrape_interval: 250ms",
        "rate(a[1h] offset 1d)": "rate(a[60000ms] offset 1440000ms)",
        "ps7:turns:share1h{job=~'ps7-.+'}": "ps7:turns:share1h{job=~'ps7-.+'}",
    }
    assert {text: faster(text, 60) for text in shorter} == shorter
    assert "[1ms]" in faster("rate(a[1s])", 10_000)


def test_prometheus_watches_each_worker_by_the_rules_that_are_shipped(tmp_path: Path) -> None:
    """As its settings are, with durations and ports of its own and nothing else of its own."""
    config = _config(tmp_path, 60, 7000)
    (job,) = load(config)["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"localhost:{7000 + n}" for n in range(WORKERS)]}]
    assert f"{len(GROUP['rules'])} rules found" in promtool("check", "config", str(config))


def test_what_happens_is_said_and_written_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """PS7 goes away and comes back while customers talk; an alert that fires begins and ends.

    One that is pending may go away by itself.
    """
    did: list[str] = []

    async def note(what: str) -> None:
        did.append(what)

    class Away(Watched):
        """Prometheus with an alert while PS7 is away, and one point of each query."""

        async def customers(self, rate: float) -> None:
            did.append(f"{rate:.0f} customers")

        async def get(self, what: str, **asked: str) -> dict[str, Any]:
            if what == "alerts":
                told = {
                    "labels": {"alertname": "PS7Unavailable"},
                    "annotations": {"summary": "Away."},
                }
                states = ["pending", "firing"] if did[-1] == "stop" else ["pending"]
                return {"alerts": [{"state": state, **told} for state in states]}
            start, end, step = (float(asked[each]) for each in ("start", "end", "step"))
            assert end - start == pytest.approx(95 * step)
            label = "status" if "ps7_turns_total" in asked["query"] else "alertname"
            return {"result": [{"metric": {label: "any"}, "values": [[start + 2 * step, "19.96"]]}]}

    @asynccontextmanager
    async def watched(_: float) -> AsyncIterator[Watched]:
        ps7: Any = SimpleNamespace(stop=lambda: note("stop"), start=lambda: note("start"))
        http: Any = None
        yield Away(ps7, "http://actions", "http://prometheus", ["http://worker"], http)

    monkeypatch.setattr(monitoring, "watched", watched)
    monkeypatch.setattr(monitoring, "FIRST", 0.1)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    file = tmp_path / "record.json"
    assert monitoring.main(["--faster", "3000", "--record", str(file)]) == 0
    assert did == ["20 customers", "stop", "start"]
    assert [line[8:] for line in capsys.readouterr().out.splitlines()[2:]] == [
        "PS7 goes away",
        "PS7Unavailable begins: Away.",
        "PS7 is back",
        "PS7Unavailable ends",
    ]
    once = {"any": [0, 0, 20.0, *[0] * 93]}
    assert json.loads(file.read_text("utf-8")) == {
        "step": 0.01,
        "away": pytest.approx(0.24),
        "back": pytest.approx(0.54),
        "turns": once,
        "alerts": once,
    }
