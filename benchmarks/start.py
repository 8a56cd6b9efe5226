"""What a start costs: the import, the time until the first answered turn, and memory at rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks import sides
from benchmarks.calls import as_json
from benchmarks.processes import FIRST_CORE
from benchmarks.report import Figure, Report
from benchmarks.rounds import interleave

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.sides import Side

_MORE_ROUNDS = 3
"""An import is quick, and its time jumps about: so many times the rounds of the others."""
_IMPORT = """
import time
import aiohttp, rasa_sdk, rasa_sdk.endpoint
began = time.perf_counter()
import {module}
print((time.perf_counter() - began) * 1000)
"""
_MODULES = ("actions.ps7", "benchmarks.rivals.bare_aiohttp")
_POLL = 0.005


def measure(arena: Arena) -> Report:
    """Measure all of it."""
    report = Report()
    imports(report, arena)
    first_turn(report, arena)
    return report


def imports(report: Report, arena: Arena) -> None:
    """Import in fresh interpreters, where the SDK and aiohttp are there already."""

    def one(module: str) -> float:
        child = arena.lab.start("import", "-c", _IMPORT.format(module=module), cores=FIRST_CORE)
        milliseconds = float(child.first_line())
        child.end()
        return milliseconds

    for module in _MODULES:
        one(module)  # writes the bytecode, and brings the files into memory
    times = interleave(_MODULES, _MORE_ROUNDS * arena.plan.rounds, one)
    table = report.table("Import, beyond rasa_sdk and aiohttp")
    for module, values in times.items():
        table.add(module, {"ms": Figure.of(values)})
    report.aim("import of actions.ps7, ms", Figure.of(times[_MODULES[0]]), "at most", 100)


def first_turn(report: Report, arena: Arena) -> None:
    """Start servers, and let each answer one turn."""
    call = as_json(arena.users()[0].call())

    def one(side: Side) -> tuple[float, float]:
        began = time.monotonic()
        server = sides.launch(arena.lab, side, arena.ps7_url)
        server.wait(_POLL)
        server.post(call)
        seconds = time.monotonic() - began
        memory = server.running.proportional()
        server.running.end()
        return seconds, memory

    table = report.table("A fresh server, one worker and the process that watches over it")
    for side, values in interleave(
        (sides.OURS, sides.BARE, sides.EMPTY), arena.plan.long_rounds, one
    ).items():
        seconds, memory = zip(*values, strict=True)
        table.add(
            side.name,
            {"s to the first turn": Figure.of(seconds), "MiB at rest": Figure.of(memory)},
        )
