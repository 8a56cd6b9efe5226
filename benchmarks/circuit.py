"""A turn while PS7 is down: the circuit breaker is open, and no connection is tried."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks import sides
from benchmarks.arena import column, fill
from benchmarks.calls import as_json
from benchmarks.report import Report
from tests.support.processes import free_port

if TYPE_CHECKING:
    from benchmarks.arena import Arena

_UNAVAILABLE = '"unavailable"'
_FAILURES = 5


def measure(arena: Arena) -> Report:
    """Measure it."""
    report = Report()
    nobody = f"http://127.0.0.1:{free_port()}"
    limits = {"PS7_BREAKER_FAILURES": str(_FAILURES), "PS7_BREAKER_RESET": "240"}
    ours = replace(
        sides.OURS,
        name="ours, circuit open",
        settings={"PS7_BASE_URL": nobody, **limits},
        expected=_UNAVAILABLE,
    )
    jobs = arena.lookups((ours, sides.EMPTY))
    server, _ = jobs[ours.name]
    for user in arena.users()[:_FAILURES] * _FAILURES:
        server.post(as_json(user.call()))
    loads = arena.saturate(jobs)
    fill(report.table("The circuit is open, 32 at a time"), loads, sides.EMPTY.name)
    rate = {name: column(rounds, "rate") for name, rounds in loads.items()}
    over = rate[ours.name].over(rate[sides.EMPTY.name])
    report.aim("circuit open, over the empty action", over, "at least", 0.5)
    return report
