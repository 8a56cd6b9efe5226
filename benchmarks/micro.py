"""Single steps of a turn, in microseconds: `benchmarks.timings` under pyperf, brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyperf

from benchmarks.processes import FIRST_CORE
from benchmarks.report import Figure, Report
from benchmarks.timings import EVENTS, HELD

if TYPE_CHECKING:
    from benchmarks.arena import Arena

_THOROUGH = ("--processes", "7", "--values", "2", "--min-time", "0.05")
_QUICK = ("--debug-single-value",)


def measure(arena: Arena) -> Report:
    """Time everything; a value is the mean of one of pyperf's processes."""
    report = Report()
    file = arena.lab.folder / "timings.json"
    timings = arena.lab.start(
        "timings",
        *("-m", "benchmarks.timings", "--quiet", "--output", str(file)),
        *("--inherit-environ", "PYTHONPATH", *(_THOROUGH if arena.plan.wrk else _QUICK)),
        cores=FIRST_CORE,
    )
    if timings.process.wait():
        raise RuntimeError(timings.said())
    table = report.table("Steps of a turn")
    micros = {}
    for benchmark in pyperf.BenchmarkSuite.load(str(file)).get_benchmarks():
        name = benchmark.get_name()
        micros[name] = Figure.of([value * 1e6 for value in benchmark.get_values()])
        table.add(name, {"µs": micros[name]})
    few, _, many = (micros[HELD.format(events)] for events in EVENTS)
    report.aim("a held turn, 10,000 older events over 10", many.over(few), "at most", 1.1)
    return report
