"""What a start costs: the registration, the time until a first answered turn, memory at rest."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from benchmarks import sides
from benchmarks.calls import as_json
from benchmarks.processes import FIRST_CORE, ROOT
from benchmarks.report import Figure, Report
from benchmarks.rounds import interleave

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.sides import Side

_MORE_ROUNDS = 3
"""A registration is quick, and its time jumps about: so many times the rounds of the others."""
_REGISTRATION = """
import logging, sys, time
import rasa_sdk.endpoint, rasa_sdk.executor
logging.disable()
sys.path.insert(0, {home!r})
executor = rasa_sdk.executor.ActionExecutor()
began = time.perf_counter()
executor.register_package({package!r})
print((time.perf_counter() - began) * 1000)
"""
_PACKAGES = {"the plugin alone": "actions", "bare aiohttp": "benchmarks.rivals.bare_aiohttp"}
_POLL = 0.005


def measure(arena: Arena) -> Report:
    """Measure all of it."""
    report = Report()
    registration(report, arena)
    first_turn(report, arena)
    return report


def registration(report: Report, arena: Arena) -> None:
    """Register actions in fresh interpreters that hold what an action server loads by itself.

    The plugin is a copy as README.md makes it, without the command and the test kit; aiohttp and
    everything else that the actions need is loaded with them.
    """
    home = arena.lab.folder / "bot"
    optional = shutil.ignore_patterns("cli", "testing", "__pycache__")
    shutil.copytree(ROOT / "actions", home / "actions", ignore=optional)

    def one(name: str) -> float:
        child = arena.lab.start(
            "registration",
            "-c",
            _REGISTRATION.format(home=str(home), package=_PACKAGES[name]),
            cores=FIRST_CORE,
            variables=sides.OURS.environment(arena.ps7_url),
        )
        milliseconds = float(child.first_line())
        child.end()
        return milliseconds

    for name in _PACKAGES:
        one(name)  # writes the bytecode, and brings the files into memory
    times = interleave(tuple(_PACKAGES), _MORE_ROUNDS * arena.plan.rounds, one)
    table = report.table("Registration of the actions, beyond what an action server loads")
    for name, values in times.items():
        table.add(name, {"ms": Figure.of(values)})
    ours = Figure.of(times["the plugin alone"])
    report.aim("registration of the plugin, ms", ours, "at most", 150)


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
