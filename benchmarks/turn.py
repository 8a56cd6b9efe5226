"""A turn of a conversation in a real Rasa: from a user's message over REST to the bot's answer.

All servers run at once, and one at a time has something to do: Rasa on the first core, everything
else beside it. PS7_RASA_PYTHON names the interpreter that has Rasa.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import processor
from benchmarks.bot import environment
from benchmarks.calls import SLOTS
from benchmarks.figures import circumstances, over, shown, table
from benchmarks.scale.programs import Programs
from benchmarks.stub import context_id
from tests.conversation.harness import FRAGMENT, Bot, Stage
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conversation.talking import RunningBot

WITHOUT, NOTHING = "without the plugin", "an action that does nothing, every turn"
EVERY_TURN, AT_START = "the plugin, every turn", "the plugin, at session start"
SEGMENT = "the plugin, at session start, segment only"
BASE, BANK, FAR = "base case", "a bank's bot", "200 turns into the conversation"
JSONSCHEMA = "jsonschema 4.17.3"
COMPARED = (WITHOUT, EVERY_TURN, AT_START)

FIRST, LATER, RATE = "the first turn", "a later turn", "turns a second"
RASA, ACTIONS = "CPU of Rasa, ms a turn", "CPU of the action server, ms a turn"
_SAID = ("oi", "estou feliz", "tchau")
_NEAR, _FAR, _LAST = 8, 203, 7
"""Turns of a conversation, and of a long one; so many at its end are the later ones."""
_CONVERSATIONS, _USERS = 12, 16
_INTENTS, _RESPONSES, _OWN_SLOTS = 200, 500, 60
"""Of a bank's bot, beside those of the small one."""
_KNOWN = {WITHOUT: None, NOTHING: None}
"""What `ps7_status` says after a turn, if it is not `ok`."""


@dataclass(frozen=True)
class Measured:
    """A bot that answers, the processes that run it, and one value a round of each figure."""

    does: str
    running: RunningBot
    rasa: int = 0
    actions: int = 0
    samples: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def talk(self, turns: int, whose: str) -> list[float]:
        """Let a new user say so many things; return the milliseconds of each turn."""
        chat, times = self.running.chat(), []
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
        """Let so many users at a time come one after the other."""
        turns, began = 0, time.monotonic()

        async def come_and_go(place: int) -> None:
            nonlocal turns
            while time.monotonic() < began + seconds:
                times = await self.talk(_NEAR, context_id(place))
                turns += len(times)

        before = [processor.seconds(pid) for pid in (self.rasa, self.actions)]
        await asyncio.gather(*(come_and_go(place) for place in range(_USERS)))
        self.samples[RATE].append(turns / (time.monotonic() - began))
        after = [processor.seconds(pid) for pid in (self.rasa, self.actions)]
        for name, used, earlier in zip((RASA, ACTIONS), after, before, strict=True):
            self.samples[name].append((used - earlier) / turns * 1000)


def bots(folder: Path, rasa_python: Path) -> dict[tuple[str, str], Bot]:
    """Return what is started: by setting, and by what the bot does for its customers."""
    small = ROOT / "benchmarks" / "stories"
    every_turn = Bot(small, (FRAGMENT,), actions_in=ROOT)

    def at_start(name: str, *options: str) -> Bot:
        command = ("-m", "actions.ps7", "domain", "--oss", "--at-session-start", *options)
        domain = folder / f"{name}.yml"
        domain.write_bytes(subprocess.check_output((sys.executable, *command), cwd=ROOT))  # noqa: S603 - our own command
        return replace(every_turn, domain_files=(domain,), actions="benchmarks.session_start")

    base = {
        WITHOUT: Bot(small, actions_in=ROOT),
        NOTHING: replace(every_turn, actions="benchmarks.peers.nothing"),
        EVERY_TURN: every_turn,
        AT_START: at_start("twelve", "--slots", ",".join(SLOTS[2:])),
        SEGMENT: at_start("segment"),
    }
    bank, newer = _bank(small, folder / "bank"), str(folder / "newer")
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--target", newer)
    command = (rasa_python, *install, JSONSCHEMA.replace(" ", "=="))
    subprocess.run(command, check=True)  # noqa: S603 - pip, of Rasa's Python
    return {
        **{(BASE, does): bot for does, bot in base.items()},
        **{(BANK, does): replace(base[does], folder=bank) for does in COMPARED},
        **{
            (JSONSCHEMA, does): replace(base[does], rasa_variables={"PYTHONPATH": newer})
            for does in COMPARED
        },
    }


def _bank(small: Path, folder: Path) -> Path:
    """Make a bank's bot of the small one, which still answers what that one does."""
    shutil.copytree(small, folder)
    intents = [f"topic_{number}" for number in range(_INTENTS)]
    entities = [f"detail_{number}" for number in range(_OWN_SLOTS)]
    slots = {
        f"own_{entity}": {
            "type": "text",
            "influence_conversation": False,
            "mappings": [{"type": "from_entity", "entity": entity}],
        }
        for entity in entities
    }
    responses = {f"utter_{number}": [{"text": f"É {number}."}] for number in range(_RESPONSES)}
    domain: dict[str, object] = {
        "intents": intents,
        "entities": entities,
        "slots": slots,
        "responses": responses,
    }
    stories = [
        {"story": intent, "steps": [{"intent": intent}, {"action": f"utter_{number}"}]}
        for number, intent in enumerate(intents)
    ]
    examples = [
        {"intent": intent, "examples": f"- fale do tema{number}\n- sobre tema{number}"}
        for number, intent in enumerate(intents)
    ]
    parts: dict[str, dict[str, object]] = {
        "domain/bank": domain,
        "data/stories-of-bank": {"stories": stories},
        "data/nlu-of-bank": {"nlu": examples},
    }
    for name, part in parts.items():
        text = json.dumps({"version": "3.1", **part})  # JSON is YAML as well
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


async def measure(folder: Path, ps7_url: str, rounds: int, seconds: int) -> str:
    """Measure all bots in turn; return the tables."""
    rasa_python = Programs.find().rasa_python
    if not rasa_python.exists():
        raise SystemExit(f"a turn needs a Python that has Rasa: {rasa_python} does not exist")
    stage = Stage(rasa_python, folder, folder, environment(ps7_url))
    try:
        measured = await _open(stage, bots(folder, rasa_python))
        await _rounds(measured, rounds, seconds)
    finally:
        await stage.close()
    versions = Programs.find().versions("rasa", "jsonschema")
    return f"{circumstances(**versions)}\n\n{report(measured)}"


async def _open(
    stage: Stage, chosen: dict[tuple[str, str], Bot]
) -> dict[tuple[str, str], Measured]:
    """Start every bot, and let each use the cores that are meant for it."""
    measured = {}
    for number, (cell, bot) in enumerate(chosen.items()):
        name = f"bot{number}"
        await stage.open(**{name: bot})
        rasa, actions = stage.pids(name)
        processor.keep_on(processor.FIRST, rasa)
        processor.keep_on(processor.OTHERS, actions)
        measured[cell] = Measured(cell[1], stage.running[name], rasa, actions)
    return measured


async def _rounds(measured: dict[tuple[str, str], Measured], rounds: int, seconds: int) -> None:
    """Talk to all bots, every other round backwards. The long talks are with those of the base."""
    for bot in measured.values():
        await bot.warm_up()
    near = [*measured.values()]
    crowds = [bot for (setting, _), bot in measured.items() if setting == BASE]
    far = [replace(bot, samples=defaultdict(list)) for bot in crowds if bot.does in COMPARED]
    for number in range(rounds):
        order = slice(None, None, 1 if number % 2 else -1)
        await _talk(near[order], _NEAR, _CONVERSATIONS)
        await _talk(far[order], _FAR, 1)
        for bot in crowds[order]:
            await bot.crowd(seconds)
    measured |= {(FAR, bot.does): bot for bot in far}


async def _talk(some: Sequence[Measured], turns: int, conversations: int) -> None:
    """Let so many users of each bot talk, the bots in turn."""
    talks: defaultdict[int, list[list[float]]] = defaultdict(list)
    for number in range(conversations):
        for place, bot in enumerate(some):
            talks[place].append(await bot.talk(turns, context_id(number)))
    for place, bot in enumerate(some):
        bot.samples[FIRST].append(median(times[0] for times in talks[place]))
        later = median(each for times in talks[place] for each in times[-_LAST:])
        bot.samples[LATER].append(later)


def report(measured: dict[tuple[str, str], Measured]) -> str:
    """Lay out a table of one user at a time, and one of the crowds."""

    def row(setting: str, figure: str) -> tuple[str, ...]:
        found = [measured[setting, does].samples[figure] for does in COMPARED]
        ratios = [f"{over(each, found[0]):.2f}" for each in found[1:]]
        return f"{figure}, {setting}", *map(shown, found), *ratios

    times = table(
        ("ms", *COMPARED, "ratio, every turn", "ratio, at session start"),
        [row(BASE, FIRST), *(row(setting, LATER) for setting in (BASE, BANK, FAR, JSONSCHEMA))],
    )
    crowds = [(does, bot.samples) for (setting, does), bot in measured.items() if setting == BASE]
    columns = (LATER, RATE, RASA, ACTIONS)
    crowd = table(
        (f"base case, {_USERS} users at a time", f"{LATER} of one user, ms", *columns[1:]),
        [(does, *(shown(samples[name]) for name in columns)) for does, samples in crowds],
    )
    return f"{times}\n\n{crowd}"
