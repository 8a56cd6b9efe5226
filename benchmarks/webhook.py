"""The webhook of a real action server: the plugin against what people would write instead.

Each call is a lookup: nothing is held. The server has a core for itself; PS7's stub and the load
generator share the rest. Trackers and domains are small here, which is where the plugin's own work
weighs most.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks import sides
from benchmarks.arena import column, fill
from benchmarks.report import Figure, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.arena import Arena
    from benchmarks.sides import Side

OURS, TRACED = sides.OURS.name, sides.OURS_TRACED.name
BARE, BARE_TRACED = sides.BARE.name, sides.BARE_TRACED.name
REQUESTS = sides.REQUESTS.name
_ALL = (
    *(sides.OURS, sides.OURS_TRACED, sides.BARE, sides.BARE_TRACED, sides.EMPTY),
    *(sides.PER_CALL, sides.HTTPX, sides.REQUESTS),
)
_WAITING = (sides.OURS, sides.BARE, sides.HTTPX, sides.REQUESTS)
_WIDE = replace(sides.OURS, settings={"PS7_MAX_CONNECTIONS": "1024"})


def measure(arena: Arena) -> Report:
    """Measure all of it."""
    report = Report()
    at_once(report, arena)
    after_a_while(report, arena)
    many_waiting(report, arena)
    return report


def at_once(report: Report, arena: Arena) -> None:
    """Compare all sides with PS7 answering at once."""
    rate = _saturate(report, "PS7 answers at once, 32 at a time", arena, _ALL)
    report.aim("lookups, over bare aiohttp", rate[OURS].over(rate[BARE]), "at least", 0.6)
    per_call = rate[OURS].over(rate[sides.PER_CALL.name])
    report.aim("… over aiohttp with a session per call", per_call, "at least", 1.0)
    both = rate[TRACED].over(rate[BARE_TRACED])
    report.aim("… over bare aiohttp, with spans exported on both sides", both, "at least", 0.6)


def after_a_while(report: Report, arena: Arena) -> None:
    """Compare what waits: PS7 takes 100 ms, and 1 s."""
    title = "PS7 takes 100 ms, 32 at a time"
    rate = _saturate(report, title, arena, _WAITING, milliseconds=100)
    report.aim("PS7 takes 100 ms, over bare", rate[OURS].over(rate[BARE]), "at least", 0.98)
    report.aim("… over requests", rate[OURS].over(rate[REQUESTS]), "at least", 30)


def many_waiting(report: Report, arena: Arena) -> None:
    """Compare 1,000 lookups at a time that take a second each."""
    many = arena.plan.many
    jobs = arena.lookups((_WIDE, sides.BARE), milliseconds=1000)
    loads = arena.saturate(jobs, at_a_time=many, slow=True)
    fill(report.table(f"PS7 takes 1 s, {many:,} at a time"), loads, BARE)
    refused = Figure.of([load.wrong + load.lost for load in loads[OURS]])
    report.aim("1,000 at a time at 1 s: without a customer", refused, "at most", 0)
    report.aim("… MiB above rest", column(loads[OURS], "memory"), "at most", 60)


def _saturate(
    report: Report, title: str, arena: Arena, some: Sequence[Side], *, milliseconds: int = 0
) -> dict[str, Figure]:
    jobs = arena.lookups(some, milliseconds=milliseconds)
    loads = arena.saturate(jobs, slow=milliseconds > 0)
    fill(report.table(title), loads, BARE)
    return {name: column(rounds, "rate") for name, rounds in loads.items()}
