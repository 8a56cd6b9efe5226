"""A whole turn, from a user's message over Rasa's REST channel to the bot's answer, in a real Rasa.

The same small bot three times: as it was before the plugin; with the plugin's domain file and, in
the plugin's place, an action that does nothing on every turn; and with the plugin. PS7_RASA_PYTHON
names the interpreter that has Rasa. The version of jsonschema there decides what calling any custom
action costs, so the table names it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.processes import ROOT
from benchmarks.report import Figure, Report
from benchmarks.sides import EMPTY, OURS
from benchmarks.stub import context_id
from tests.conversation.cast import BOTS
from tests.conversation.harness import FRAGMENT, Bot, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.arena import Arena
    from tests.conversation.talking import RunningBot

_SAID = ("oi", "estou feliz", "tchau")
_WITHOUT, _EMPTY, _OURS = "without the plugin", "an action that does nothing", "with the plugin"
_FIRST, _LATER = "first turn, ms", "later turns, ms"
_CONVERSATIONS = 30
"""A round."""


def bots() -> dict[str, Bot]:
    """Return the three."""
    folder = BOTS["story_bot"].folder
    return {
        _WITHOUT: Bot(folder),
        _EMPTY: Bot(folder, domain_files=(FRAGMENT,), actions_in=ROOT, actions=EMPTY.actions),
        _OURS: Bot(folder, domain_files=(FRAGMENT,), actions_in=ROOT),
    }


def measure(arena: Arena) -> Report:
    """Measure it."""
    python = Path(os.environ.get("PS7_RASA_PYTHON") or ROOT / ".venv-rasa" / "bin" / "python")
    if not python.exists():
        raise SystemExit(f"a whole turn needs rasa==3.6.21: PS7_RASA_PYTHON, {python} is not there")
    return asyncio.run(_measure(arena, python))


async def _measure(arena: Arena, python: Path) -> Report:
    folder = arena.lab.folder
    stage = Stage(python, folder, folder, OURS.environment(arena.ps7_url))
    try:
        names, chosen = zip(*bots().items(), strict=True)
        opening = (stage.open(f"bot{number}", bot) for number, bot in enumerate(chosen))
        running = dict(zip(names, await asyncio.gather(*opening), strict=True))
        times = await converse(running, arena.plan.rounds, _CONVERSATIONS)
    finally:
        await stage.close()
    report = Report()
    rasa = f"Rasa 3.6.21 with jsonschema {_jsonschema(python)}"
    table = report.table(f"A whole turn in {rasa}, one user at a time")
    for name, columns in times.items():
        table.add(name, columns)
    ours, empty = times[_OURS], times[_EMPTY]
    more = ours[_LATER].minus(empty[_LATER])
    report.aim("ms more than an action that does nothing: a held turn", more, "at most", 1)
    more = ours[_FIRST].minus(empty[_FIRST])
    report.aim("… a turn with a lookup", more, "at most", 1)
    return report


def _jsonschema(python: Path) -> str:
    code = "from importlib.metadata import version; print(version('jsonschema'))"
    command = (python, "-c", code)
    return subprocess.check_output(command, text=True).strip()  # noqa: S603 - Rasa's Python


async def converse(
    running: Mapping[str, RunningBot], rounds: int, conversations: int
) -> dict[str, dict[str, Figure]]:
    """Talk to bots in turn: in each round so many users of each of them, who say three things."""
    first: dict[str, list[float]] = {name: [] for name in running}
    later: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(rounds):
        times: dict[str, list[list[float]]] = {name: [] for name in running}
        for number in range(conversations):
            for name, bot in running.items():
                times[name].append(await _conversation(bot, context_id(number)))
        for name, turns in times.items():
            first[name].append(median(turn[0] for turn in turns))
            later[name].append(median(each for turn in turns for each in turn[1:]))
    return {
        name: {_FIRST: Figure.of(first[name]), _LATER: Figure.of(later[name])} for name in running
    }


async def _conversation(bot: RunningBot, whose: str) -> list[float]:
    """Return the milliseconds of each turn."""
    chat = bot.chat()
    times = []
    for text in _SAID:
        began = time.perf_counter()
        answers = await chat.say(text, {"contextId": whose})
        times.append((time.perf_counter() - began) * 1000)
        if not answers:
            raise RuntimeError(f"no answer to {text}")
    return times
