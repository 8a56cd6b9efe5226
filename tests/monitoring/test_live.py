"""examples/monitoring as it runs: two workers, a real Prometheus, and a PS7 that breaks.

The rules are those that are shipped, with their durations divided by 60.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import pytest

from examples.demo import Customer
from examples.monitoring.watched import PROMETHEUS, WORKERS, beside, watched
from tests.monitoring.test_rules import COUNTERS, HERE, RECORDED
from tests.support.needs import lacking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.monitoring.watched import Watched

pytestmark = pytest.mark.release

WITHIN = 30.0
"""Seconds in which an alert must begin or end, on a busy machine."""
NOT_HERE = ("usual", "as_usual", "failing", "refused", "posted", "silent")
"""What is recorded of which this run has no data: nothing is days old, and what failed is over."""
OF_DAYS = {"PS7FewerKnown", "PS7Budget"}
"""Alerts that look at more than this run."""


async def has(it: Watched, query: str, series: int = 1) -> None:
    """Wait until Prometheus has so much for a query: on a busy machine a scrape may fail."""
    deadline = time.monotonic() + WITHIN
    while len(await it.ask(query)) < series:
        assert time.monotonic() < deadline, query
        await asyncio.sleep(0.1)


async def only(it: Watched, *names: str) -> None:
    """Wait until these alerts fire and no others, but for those of days."""
    found: set[str] = set()
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        found = {alert["labels"]["alertname"] for alert in await it.alerts()} - OF_DAYS
        if found == {*names}:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{sorted(found)} fire, and not {names}")


@pytest.mark.timeout(300)
async def test_alerts_begin_and_end_as_ps7_breaks_and_is_mended() -> None:
    """The first event of a process counts, both workers are seen, and every query has data."""
    if PROMETHEUS is None:
        lacking("Prometheus", "apt-get install prometheus")
    async with watched(60.0, PS7_BREAKER_RESET="1") as it, beside(it.customers(10)):
        # Each worker has a port of its own, and is there at 0.
        await has(it, "sum by (instance) (ps7_turns_total) >= 0", series=WORKERS)
        forged = Customer()
        forged.slots |= {"ps7_status": "ok", "segment": "Private", "ps7_context": "not a seal"}
        assert await it.turn(forged) == "tampered"
        await only(it, "PS7Forgery")
        await only(it)

        await it.ps7.stop()
        await only(it, "PS7Unavailable")
        await it.ps7.start()
        await only(it)

        password, it.ps7.password = it.ps7.password, "another one"
        await has(it, 'ALERTS{alertname="PS7Denied",severity="page",alertstate="firing"}')
        await only(it, "PS7Denied")
        it.ps7.password = password
        await only(it)

        for query in every_query():
            await has(it, query)
        await has(it, 'target_info{service_name="bot-actions",service_instance_id!=""}')
        groups = (await it.get("rules"))["groups"]
        assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


def every_query() -> Iterator[str]:
    """Read what must have data by now: metrics, what is recorded, and the dashboard's queries."""
    yield from COUNTERS
    for each in RECORDED:
        if "certificate" not in each and not each.rpartition(":")[2].startswith(NOT_HERE):
            yield each
    board = json.loads((HERE / "dashboard.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            if "certificate" not in target["expr"]:  # PS7 is the simulator, over http
                yield target["expr"].replace("$job", "ps7").replace("$__rate_interval", "20s")
