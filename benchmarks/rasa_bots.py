"""The bots of `benchmarks.rasa_turn`: what they do for their customers, and where they run.

`BASE` is the small bot of the conversation tests. Every other setting changes one thing about it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.calls import SLOTS
from benchmarks.processes import OTHER_CORES, ROOT, only_on
from benchmarks.scale import engines
from benchmarks.sides import EMPTY
from tests.conversation.cast import BOTS
from tests.conversation.harness import FRAGMENT, OSS_BOT, Bot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.scale.crew import Crew
    from benchmarks.scale.programs import Programs

WITHOUT, NOTHING = "without the plugin", "an action that does nothing, every turn"
ONCE = "an action that sets the same slots once, every turn"
EVERY_TURN, AT_START = "the plugin, every turn", "the plugin, at session start"
SEGMENT_ALONE = "the plugin, at session start, segment alone"
BASE, BANK, FAR = "base case", "a bank's bot", "200 turns into the conversation"
POSTGRES, NEWER_JSONSCHEMA = "conversations in PostgreSQL", "jsonschema 4.17.3"

DATABASE = "rasa"
_INTENTS, _RESPONSES, _SLOTS = 200, 500, 60
"""Of a bank's bot, beside those of the small one."""
_JSONSCHEMA = "jsonschema==4.17.3"


@dataclass(frozen=True)
class Cell:
    """What is measured: a setting, and what the bot does in it."""

    setting: str
    does: str

    @property
    def bot(self) -> Cell:
        """The cell whose servers it uses: how long users talk makes no other bot."""
        return Cell(BASE, self.does) if self.setting == FAR else self


_COMPARED = (WITHOUT, EVERY_TURN, AT_START)
CELLS = (
    *(Cell(BASE, does) for does in (WITHOUT, NOTHING, ONCE, EVERY_TURN, AT_START, SEGMENT_ALONE)),
    *(
        Cell(setting, does)
        for setting in (BANK, FAR, POSTGRES, NEWER_JSONSCHEMA)
        for does in _COMPARED
    ),
)


class Workshop:
    """Makes bots, and what they need beside their files, in one folder."""

    def __init__(self, folder: Path, programs: Programs, crew: Crew) -> None:
        """Take the programs that are installed, and who starts them."""
        self._folder = folder
        self._programs = programs
        self._crew = crew
        self.left_out: dict[str, str] = {}
        """Settings that cannot be measured here, and why."""

    async def bots(self) -> dict[Cell, Bot]:
        """Return a bot for each cell that has one of its own."""
        chosen = {cell: bot for cell, bot in self._small().items() if cell in CELLS}
        settings: dict[str, Callable[[Bot], Bot]] = {BANK: self._bank()}
        if database := await self._postgres():
            settings[POSTGRES] = lambda bot: replace(bot, endpoints=database)
        if newer := self._newer_jsonschema():
            variables = {"PYTHONPATH": str(newer)}
            settings[NEWER_JSONSCHEMA] = lambda bot: replace(bot, rasa_variables=variables)
        for setting, change in settings.items():
            for does in _COMPARED:
                chosen[Cell(setting, does)] = change(chosen[Cell(BASE, does)])
        return chosen

    def _small(self) -> dict[Cell, Bot]:
        folder = BOTS["story_bot"].folder
        every_turn = Bot(folder, (FRAGMENT,), actions_in=ROOT)

        def at_start(*options: str) -> Bot:
            domain = self._folder / f"at-session-start{len(options)}.yml"
            domain.write_text(at_session_start(*options), encoding="utf-8")
            return replace(every_turn, domain_files=(domain,), actions="benchmarks.session_start")

        bots = {
            WITHOUT: Bot(folder, actions_in=ROOT),
            NOTHING: replace(every_turn, actions=EMPTY.actions),
            ONCE: replace(every_turn, actions="benchmarks.rivals.once"),
            EVERY_TURN: every_turn,
            AT_START: at_start("--slots", ",".join(SLOTS[2:])),
            SEGMENT_ALONE: at_start(),
        }
        return {Cell(BASE, does): bot for does, bot in bots.items()}

    def _bank(self) -> Callable[[Bot], Bot]:
        """Return how a bot becomes a bank's: it still answers what the small one does."""
        folder = self._folder / "bank"
        shutil.copytree(BOTS["story_bot"].folder, folder)
        intents = [f"topic_{number}" for number in range(_INTENTS)]
        entities = [f"detail_{number}" for number in range(_SLOTS)]
        responses = {f"utter_{number}": [{"text": f"É {number}."}] for number in range(_RESPONSES)}
        slots = {
            f"own_{entity}": {
                "type": "text",
                "influence_conversation": False,
                "mappings": [{"type": "from_entity", "entity": entity}],
            }
            for entity in entities
        }
        parts: dict[str, dict[str, object]] = {
            "domain/bank.yml": {
                "intents": intents,
                "entities": entities,
                "slots": slots,
                "responses": responses,
            },
            "data/bank-nlu.yml": {
                "nlu": [
                    {"intent": intent, "examples": f"- fale do tema{number}\n- sobre tema{number}"}
                    for number, intent in enumerate(intents)
                ]
            },
            "data/bank-stories.yml": {
                "stories": [
                    {"story": intent, "steps": [{"intent": intent}, {"action": f"utter_{number}"}]}
                    for number, intent in enumerate(intents)
                ]
            },
        }
        for name, part in parts.items():  # JSON is YAML as well
            (folder / name).write_text(json.dumps({"version": "3.1", **part}), encoding="utf-8")
        return lambda bot: replace(bot, folder=folder)

    async def _postgres(self) -> Path | None:
        """Start PostgreSQL, and return the endpoints of a bot that keeps conversations there."""
        if not (self._programs.postgres / "initdb").exists():
            self.left_out[POSTGRES] = "apt-get install postgresql"
            return None
        with only_on(OTHER_CORES):
            engine = await engines.postgres(self._programs, self._crew, DATABASE)
        store = {
            "type": "SQL",
            "dialect": "postgresql",
            "url": "127.0.0.1",
            "port": engine.port,
            "db": DATABASE,
            "username": DATABASE,
            "password": engine.password,
        }
        file = self._folder / "postgres-endpoints.yml"
        file.write_text(
            (OSS_BOT / "endpoints.yml").read_text() + f"tracker_store: {json.dumps(store)}\n"
        )
        return file

    def _newer_jsonschema(self) -> Path | None:
        """Return a folder that holds it, for Rasa to find before its own."""
        folder = self._folder / "newer-jsonschema"
        install = ("-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, _JSONSCHEMA)
        command = (self._programs.rasa_python, *install)
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            self.left_out[NEWER_JSONSCHEMA] = (done.stderr.splitlines() or ["pip failed"])[-1]
            return None
        return folder


def at_session_start(*options: str) -> str:
    """Return the domain file for a bot that looks up where a session starts, and then only."""
    command = ("-m", "actions.ps7", "domain", "--oss", "--at-session-start", *options)
    return subprocess.check_output((sys.executable, *command), cwd=ROOT, text=True)  # noqa: S603
