"""A turn of a conversation in a real Rasa: from a user's message over REST to the bot's answer.

`benchmarks.rasa_bots` says what is compared. All servers run at once, and one at a time has
something to do: Rasa on the first core, all others beside it. PS7_RASA_PYTHON names the interpreter
that has Rasa.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks.processes import FIRST_CORE, OTHER_CORES, only_on
from benchmarks.rasa_bots import (
    AT_START,
    BASE,
    CELLS,
    EVERY_TURN,
    FAR,
    NOTHING,
    ONCE,
    SEGMENT_ALONE,
    WITHOUT,
    Cell,
    Workshop,
)
from benchmarks.report import Figure, Report
from benchmarks.scale.crew import Crew
from benchmarks.scale.programs import Programs
from benchmarks.sides import OURS
from benchmarks.stub import context_id
from tests.conversation.harness import Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from benchmarks.arena import Arena
    from tests.conversation.harness import Bot
    from tests.conversation.talking import RunningBot

CROWD = "16 users at a time"
FIRST, LATER, RATE = "first turn, ms", "later turns, ms", "turns/s"
OVER_WITHOUT = f"{{}}, over {WITHOUT}"
_USERS = 16
_SAID = ("oi", "estou feliz", "tchau")
_LAST = 7
"""So many turns at the end of a conversation are the later ones."""
_NEAR = 8
"""Turns of a conversation: the later ones lie around the fifth."""
_KNOWN = {WITHOUT: None, NOTHING: None}
"""What `ps7_status` says after a turn, where it is not `ok`."""

GOALS = (
    ("a later turn, every turn, over none", LATER, EVERY_TURN, WITHOUT, 2.3),
    ("… over an action that sets the same slots once", LATER, EVERY_TURN, ONCE, 1.05),
    ("the turn with the lookup, over that action", FIRST, EVERY_TURN, ONCE, 1.08),
    ("a later turn, at session start, over none", LATER, AT_START, WITHOUT, 1.05),
    ("… with segment alone", LATER, SEGMENT_ALONE, WITHOUT, 1.05),
)
"""In the base case: whose turn, over whose, may be how many times as long."""

Samples = defaultdict[str, list[float]]
"""One value a round, by the name of a column."""


@dataclass(frozen=True)
class Measured:
    """A bot that answers, and the processes that run it."""

    does: str
    running: RunningBot
    rasa: int
    actions: int
    samples: Samples = field(default_factory=lambda: defaultdict(list))

    def figures(self) -> dict[str, Figure]:
        """Return what the rounds gave."""
        return {name: Figure.of(values) for name, values in self.samples.items()}

    async def talk(self, turns: int, whose: str) -> list[float]:
        """Let a new user say so many things; return the milliseconds of each turn."""
        chat = self.running.chat()
        times = []
        for text in islice(cycle(_SAID), turns):
            began = time.perf_counter()
            answers = await chat.say(text, {"contextId": whose})
            times.append((time.perf_counter() - began) * 1000)
            if not answers:
                raise RuntimeError(f"{self.does}: no answer to {text}")
        return times

    async def warm_up(self) -> None:
        """Let somebody talk, and make sure that the bot knows what it should about them."""
        chat = self.running.chat()
        for text in _SAID:
            await chat.say(text, {"contextId": context_id(0)})
        status = (await chat.slots()).get("ps7_status")
        if status != _KNOWN.get(self.does, "ok"):
            raise RuntimeError(f"{self.does}: ps7_status is {status}")

    async def crowd(self, seconds: float) -> None:
        """Let users come one after the other, so many at a time, and note what they waited for."""
        waits: list[float] = []
        began = time.monotonic()

        async def come_and_go(place: int) -> None:
            while time.monotonic() < began + seconds:
                waits.extend(await self.talk(_NEAR, context_id(place)))

        rasa, actions = _cpu_seconds(self.rasa), _cpu_seconds(self.actions)
        await asyncio.gather(*(come_and_go(place) for place in range(_USERS)))
        self.samples[RATE].append(len(waits) / (time.monotonic() - began))
        self.samples["median wait, ms"].append(median(waits))
        for name, pid, before in (
            ("CPU of Rasa, ms", self.rasa, rasa),
            ("CPU of the action server, ms", self.actions, actions),
        ):
            self.samples[name].append((_cpu_seconds(pid) - before) / len(waits) * 1000)


def measure(arena: Arena) -> Report:
    """Measure it."""
    programs = Programs.find()
    if not programs.rasa_python.exists():
        raise SystemExit(f"a turn needs rasa==3.6.21: {programs.rasa_python} does not exist")
    return asyncio.run(_measure(arena, programs))


async def _measure(arena: Arena, programs: Programs) -> Report:
    this = asyncio.current_task()
    if this is not None:  # a SIGTERM ends the servers too
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    folder = arena.lab.folder
    stage = Stage(programs.rasa_python, folder, folder, OURS.environment(arena.ps7_url))
    with TemporaryDirectory() as postgres:  # its owner is another user, who may not read ours
        crew = Crew(Path(postgres))
        try:
            workshop = Workshop(folder, programs, crew)
            measured = await _open(stage, await workshop.bots())
            with only_on(OTHER_CORES):
                crowds = await _rounds(arena, measured)
        finally:
            await stage.close()
            await crew.end()
    report = compare(measured, crowds)
    report.notes.append(_about(programs))
    report.notes += [f"Not measured here: {what}: {why}" for what, why in workshop.left_out.items()]
    return report


async def _open(stage: Stage, bots: Mapping[Cell, Bot]) -> dict[Cell, Measured]:
    """Start every bot, and let each use the cores that are meant for it."""
    names = {cell: f"bot{number}" for number, cell in enumerate(bots)}
    opening = [asyncio.create_task(stage.open(names[cell], bot)) for cell, bot in bots.items()]
    try:
        await asyncio.wait(opening)  # for all: none may start after the others have ended
    except asyncio.CancelledError:
        for task in opening:
            task.cancel()
        await asyncio.wait(opening)
        raise
    measured = {}
    for (cell, bot), task in zip(bots.items(), opening, strict=True):
        running, (rasa, actions) = task.result(), stage.pids(names[cell], bot)
        _keep_on(FIRST_CORE, rasa)
        _keep_on(OTHER_CORES, actions)
        measured[cell] = Measured(cell.does, running, rasa, actions)
    return measured


async def _rounds(arena: Arena, bots: dict[Cell, Measured]) -> dict[str, Measured]:
    """Talk to all bots in turn, every other round backwards; return those that had a crowd.

    A bot of the base case is measured in two cells or three, and keeps the samples of each apart.
    """
    plan = arena.plan
    for bot in bots.values():
        await bot.warm_up()
    near = dict(bots)
    far = {cell: _again(bots[cell.bot]) for cell in CELLS if cell.setting == FAR}
    crowds = {cell.does: _again(bot) for cell, bot in bots.items() if cell.setting == BASE}
    for number in range(plan.rounds):
        forwards = number % 2 == 0
        await _talk(_turned(near.values(), forwards), _NEAR, plan.conversations)
        await _talk(_turned(far.values(), forwards), plan.far + _LAST // 2, 1)
        for crowd in _turned(crowds.values(), forwards):
            await crowd.crowd(plan.seconds)
    bots |= far
    return crowds


async def _talk(bots: Collection[Measured], turns: int, conversations: int) -> None:
    """Let so many users of each bot talk, the bots taking turns."""
    talks: list[list[list[float]]] = [[] for _ in bots]
    for number in range(conversations):
        for bot, talk in zip(bots, talks, strict=True):
            talk.append(await bot.talk(turns, context_id(number)))
    for bot, talk in zip(bots, talks, strict=True):
        bot.samples[FIRST].append(median(times[0] for times in talk))
        bot.samples[LATER].append(median(each for times in talk for each in times[-_LAST:]))


def compare(bots: Mapping[Cell, Measured], crowds: Mapping[str, Measured]) -> Report:
    """Make a table of each setting and of the crowds, and decide the goals."""
    report = Report()
    found = {cell: bots[cell].figures() for cell in CELLS if cell in bots}
    tables = {setting: report.table(setting) for setting in dict.fromkeys(c.setting for c in found)}
    for cell, figures in found.items():
        without, base = found[Cell(cell.setting, WITHOUT)], found[Cell(BASE, cell.does)]
        columns = {}
        for name in (LATER,) if cell.setting == FAR else (FIRST, LATER):
            columns[name] = figures[name]
            columns[OVER_WITHOUT.format(name[:-4])] = figures[name].over(without[name])
        if cell.setting != BASE:
            columns[f"{LATER[:-4]}, over the {BASE}"] = figures[LATER].over(base[LATER])
        tables[cell.setting].add(cell.does, columns)
    table = report.table(CROWD)
    rate = crowds[WITHOUT].figures()[RATE]
    for does, crowd in crowds.items():
        columns = crowd.figures()
        table.add(does, {**columns, OVER_WITHOUT.format(RATE): columns[RATE].over(rate)})
    for what, name, does, other, limit in GOALS:
        ratio = found[Cell(BASE, does)][name].over(found[Cell(BASE, other)][name])
        report.aim(what, ratio, "at most", limit)
    return report


def _about(programs: Programs) -> str:
    """Return which versions were measured, and what the base case is."""
    versions = programs.versions()
    said = ", ".join(f"{name} {versions[name]}" for name in ("rasa", "jsonschema", "PostgreSQL"))
    return (
        f"{said}. The base case: a bot of four intents, turns 2 to {_NEAR} of a conversation, one "
        "user at a time, conversations in Rasa's memory. Each other table changes one of these."
    )


def _again(bot: Measured) -> Measured:
    return Measured(bot.does, bot.running, bot.rasa, bot.actions)


def _turned(bots: Iterable[Measured], forwards: bool) -> list[Measured]:  # noqa: FBT001
    return list(bots) if forwards else list(bots)[::-1]


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _cpu_seconds(pid: int) -> float:
    times = [process.cpu_times() for process in _family(pid)]
    return float(sum(each.user + each.system for each in times))


def _keep_on(cores: Collection[int], pid: int) -> None:
    for process in _family(pid):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, cores)
