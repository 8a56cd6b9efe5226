"""See it: `make monitoring`, or `python -m examples.monitoring`.

Customers talk to a bot, PS7 goes away and comes back, and each alert that begins or ends is said.
All of it stays until Ctrl+C, so that one can look at Prometheus. `--record FILE` ends instead, and
writes down what docs/pictures/outage_alerts.py draws.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .watched import Watched, beside, watched

if TYPE_CHECKING:
    from collections.abc import Sequence

CALM, AWAY, AFTER = 12.0, 15.0, 21.0
"""Minutes, as the rules see them, with PS7, without it, and with it again."""
FIRST = 6.0
"""Seconds until Prometheus scrapes."""
RATE = 20.0
"""Customers a second."""
STEP = 0.5
"""Minutes, likewise, between two points of the record."""


async def show(factor: float, *, stay: bool) -> dict[str, object]:
    """Let PS7 go away and come back once, stay if that is wanted, and return the record."""
    minute = 60 / factor
    async with watched(factor) as it:
        print(f"The action server: {it.actions}   Prometheus: {it.prometheus}/alerts")
        print("\n".join(f"A worker's metrics: {target}" for target in it.targets))
        began = time.time()
        async with beside(it.customers(RATE), _say_alerts(it, began)):
            await asyncio.sleep(FIRST + CALM * minute)
            _say(began, "PS7 goes away")
            await it.ps7.stop()
            await asyncio.sleep(AWAY * minute)
            _say(began, "PS7 is back")
            await it.ps7.start()
            await asyncio.sleep(AFTER * minute)
            if stay:
                print("Ctrl+C ends it all.", flush=True)
                await asyncio.Event().wait()
        return await _recorded(it, began + FIRST, minute)


async def _say_alerts(it: Watched, began: float) -> None:
    known: dict[str, str] = {}
    while True:
        firing = {
            alert["labels"]["alertname"]: alert["annotations"]["summary"]
            for alert in await it.alerts()
        }
        for name in firing.keys() - known.keys():
            _say(began, f"{name} begins: {firing[name]}")
        for name in known.keys() - firing.keys():
            _say(began, f"{name} ends")
        known = firing
        await asyncio.sleep(0.25)


def _say(began: float, what: str) -> None:
    print(f"{time.time() - began:4.0f} s  {what}", flush=True)


async def _recorded(it: Watched, start: float, minute: float) -> dict[str, object]:
    """Return turns a second by status, and which alerts fire, at each step."""
    steps, step = round((CALM + AWAY + AFTER) / STEP), STEP * minute

    async def over_time(query: str, label: str) -> dict[str, list[float]]:
        lines = {}
        for series in await it.ask_over_time(query, start, steps, step):
            points = {round((at - start) / step): float(value) for at, value in series["values"]}
            lines[series["metric"][label]] = [round(points.get(n, 0), 1) for n in range(steps)]
        return lines

    return {
        "step": step,
        "away": CALM * minute,
        "back": (CALM + AWAY) * minute,
        "turns": await over_time(
            f"sum by (status) (rate(ps7_turns_total[{round(4000 * step)}ms])) > 0", "status"
        ),
        "alerts": await over_time('ALERTS{alertstate="firing",severity!="none"}', "alertname"),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.monitoring", description="PS7 goes away, and alerts fire."
    )
    parser.add_argument(
        "--faster", type=float, default=60.0, help="what the durations of the rules are divided by"
    )
    parser.add_argument("--record", type=Path, help="a file for the record; ends after it")
    options = parser.parse_args(arguments)
    # End in the same way at a SIGTERM, so that no process stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        record = asyncio.run(show(options.faster, stay=options.record is None))
        options.record.write_text(json.dumps(record) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
