"""Bots as they are found in the wild: before `rasa-ps7 init`, and after it.

All is done as a builder does it, by commands. Rasa trains and tests each bot twice, as it was and
as `init` and a person left it, and talks over REST. What `init` refuses, and what it leaves to a
person, the tests of the command say.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from actions.ps7.customer import CUSTOMER_SLOTS, STATUS
from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.fixtures import _rasa_python
from tests.conversation.harness import Life, start_rasas
from tests.conversation.talking import Chat
from tests.docs.documents import document
from tests.support.processes import ROOT, Process, free_port

pytestmark = [
    pytest.mark.release,
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="module"),
]

FOUND = Path(__file__).parent / "bots"
COPIES = ("before", "after")
IN_GIT = "git init -q; git add -Af; git -c user.name=a -c user.email=a@b.example commit -qm Begun"
ANA = {
    slot: value
    for slot, value in PERSONAS["ana"].slots.items()
    if slot == STATUS or CUSTOMER_SLOTS[slot].declared
}


def derive_the_session_start(bot: Path) -> None:
    """Do what the page shows, and let the rule for the balance look up first."""
    page = document("docs/integration.md")
    (code,) = (block.code for block in page.blocks if block.path == "actions/start.py")
    (bot / "actions" / "start.py").write_text(code)
    for file in ("data/rules.yml", "tests/test_stories.yml"):
        text = (bot / file).read_text()
        looks_up = r"\1      - action: action_ps7_context\n"
        (bot / file).write_text(re.sub("(.* intent: ask_balance\n)", looks_up, text))


def migrate(bot: Path) -> None:
    """Bring a bot from Rasa 2 to Rasa 3, as `init` says."""
    rasa = [str(_rasa_python()), "-W", "ignore", "-m", "rasa", "data", "migrate"]
    subprocess.run(rasa, cwd=bot, check=True, capture_output=True)
    (bot / "new_domain.yml").replace(bot / "domain.yml")
    (bot / "original_domain.yml").unlink()


@dataclass(frozen=True)
class Bot:
    """What is said to a bot, and what a builder meets."""

    said: tuple[str, ...]
    """The first one is answered by `utter_greet`, and perhaps others."""
    greeting: str = "Hello! I am the assistant of Personnalité."
    slots: dict[str, Any] = field(default_factory=lambda: ANA)
    inside: str = "."
    options: tuple[str, ...] = ()
    first: Callable[[Path], None] | None = None
    """What a person does before `init` …"""
    person: Callable[[Path], None] | None = None
    """… and after it."""


BOTS = {
    "own_fallback": Bot(
        ("hi", "my computer is broken", "tell me a joke", "xyzzy qwfp", "how is my ticket", "hello")
    ),
    "tracked_env": Bot(
        ("oi", "quem é você", "quero pagar", "111.444.777-35", "abracadabra", "bom dia"),
        "Olá! Sou a assistente do Personnalité.",
        ANA | {"customer_cpf": ANA["cpf"], "cpf": "111.444.777-35"},
        inside="bot",
    ),
    "own_session_start": Bot(
        ("hi", "what is my balance", "which currency", "lorem ipsum", "hello"),
        slots={"ps7_status": "ok", "segment": ANA["segment"], "currency": "$"},
        options=("--at-session-start",),
        person=derive_the_session_start,
    ),
    "buttons": Bot(("hi", "send something back", "hello", "where is my order", "is it in stock")),
    "rasa_two": Bot(("hi", "i want a gold card", "hello"), first=migrate),
}


def typed(bot: Path, port: int) -> list[list[str]]:
    """Return the commands of Rasa that a builder types: train, test and run."""
    domain = "domain" if (bot / "domain").is_dir() else "domain.yml"
    tested = "--stories tests --fail-on-prediction-errors --no-plot --out results"
    return [
        ["train", "--domain", domain, "--fixed-model-name", "bot"],
        ["test", "core", *tested.split(), "--endpoints", "endpoints.yml"],
        ["run", "--enable-api", "-i", "127.0.0.1", "-p", str(port)],
    ]


@dataclass
class Builder:
    """Somebody at a terminal, and the bots in two copies: as they were, and with the plugin."""

    folder: Path
    ps7: Simulator
    processes: list[Process] = field(default_factory=list)
    rasa: dict[Path, str] = field(default_factory=dict)
    starts: dict[str, list[str]] = field(default_factory=dict)
    """How the action server is started, as `init` says."""
    doctors: dict[str, str] = field(default_factory=dict)
    """What the doctor says of the bot when all is done."""

    def bot(self, name: str, copy: str = "after") -> Path:
        """Return the folder of a bot."""
        return self.folder / copy / name / BOTS[name].inside

    @property
    def environment(self) -> dict[str, str]:
        """What any program needs, and the plugin as if it was installed."""
        return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.folder / "site"), "LANG": "C.UTF-8"}

    def types(self, name: str, *arguments: str) -> str:
        """Run the plugin's command in a bot; nothing is set there but its .env."""
        return subprocess.run(
            [sys.executable, "-m", "rasa_ps7", *arguments],
            cwd=self.bot(name),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        ).stdout

    def adopts(self, name: str) -> None:
        """Lay a bot out twice, its action server at a port that is free, and put the plugin in."""
        bot = BOTS[name]
        for copy in COPIES:
            shutil.copytree(FOUND / name, self.folder / copy / name)
            (self.bot(name, copy) / "credentials.yml").write_text("rest:\n")
            replace_in(self.folder / copy / name, {"5055": str(free_port())})
            if bot.first:
                bot.first(self.bot(name, copy))
        subprocess.run(["sh", "-ec", IN_GIT], cwd=self.folder / "after" / name, check=True)
        said = self.types(name, "init", "--yes", *bot.options)
        self.starts[name] = re.findall(r"^  (.* -m rasa_sdk .*)$", said, re.MULTILINE)
        if bot.person:
            bot.person(self.bot(name))
        self.doctors[name] = self.types(name, "doctor", "--bot", ".", "--only-bot", "--strict")
        # What `init` wrote is where another test may listen.
        replace_in(
            self.bot(name), {"5055": str(free_port()), "8099": self.ps7.url.rpartition(":")[2]}
        )

    async def starts_actions(self, name: str, copy: str) -> None:
        """Start the action server: as `init` said, or as the bot's own Makefile does."""
        bot = self.bot(name, copy)
        if not (bot / "actions").exists():
            return
        port = re.findall(r"localhost:(\d+)", (bot / "endpoints.yml").read_text())[0]
        (told,) = self.starts[name]
        command = re.sub(r"( --port \d+)?$", f" --port {port}", told)
        if name == "tracked_env":
            command = f"make -C .. actions PYTHON={sys.executable}"
        variables = {**self.environment, "SANIC_HOST": "127.0.0.1"}
        log = self.folder / f"{copy}-{name}.log"
        server = await Process.start(log, "sh", "-c", command, cwd=bot, variables=variables)
        self.processes.append(server)
        await server.answers(f"http://127.0.0.1:{port}/health")

    async def starts_rasa(self) -> None:
        """Train, test and run every bot."""
        ports = {self.bot(name, copy): free_port() for name in BOTS for copy in COPIES}
        lives: list[Life] = [
            (str(bot), str(bot / "rasa.log"), {}, typed(bot, port)) for bot, port in ports.items()
        ]
        rasa = await start_rasas(_rasa_python(), self.folder / "rasa.log", lives)
        self.processes.append(rasa)
        for bot, port in ports.items():
            self.rasa[bot] = f"http://127.0.0.1:{port}"
            try:
                await rasa.answers(f"{self.rasa[bot]}/status")
            except RuntimeError:
                pytest.fail(f"{bot}:\n{(bot / 'rasa.log').read_text()[-5000:]}")

    async def says(
        self, name: str, copy: str, who: str | None
    ) -> tuple[list[list[dict[str, Any]]], dict[str, Any]]:
        """Say all that is said to a bot; return the answers, and the slots in the end."""
        async with aiohttp.ClientSession() as http:
            chat = Chat(http, self.rasa[self.bot(name, copy)])
            metadata, heard = {"contextId": who} if who else None, []
            for text in BOTS[name].said:
                answers = await chat.answers(text, metadata)
                heard.append([answer | {"recipient_id": "…"} for answer in answers])
            return heard, await chat.slots()


def replace_in(folder: Path, ports: dict[str, str]) -> None:
    """Change ports in every file of a bot, but for what git keeps."""
    for file in folder.rglob("*"):
        if file.is_file() and ".git" not in file.parts:
            old = file.read_text()
            new = re.sub("|".join(ports), lambda port: ports[port[0]], old)
            if new != old:
                file.write_text(new)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Builder]:
    """Lay the bots out, put the plugin into one copy of each, and start all that they need."""
    folder = tmp_path_factory.mktemp("bots")
    (folder / "site").mkdir()
    (folder / "site" / "rasa_ps7").symlink_to(ROOT / "actions" / "ps7")
    async with Simulator() as ps7:
        at = Builder(folder, ps7)
        try:
            for name in BOTS:
                at.adopts(name)
                await asyncio.gather(*(at.starts_actions(name, copy) for copy in COPIES))
            await at.starts_rasa()
            yield at
        finally:
            await asyncio.gather(*(process.end() for process in at.processes))


@pytest.mark.parametrize("name", BOTS)
async def test_all_answers_but_the_greeting_are_as_before(builder: Builder, name: str) -> None:
    """For somebody without a contextId every one is; Ana is greeted by segment, buttons kept.

    The doctor finds nothing, also where warnings are errors.
    """
    assert "no errors, no warnings" in builder.doctors[name], builder.doctors[name]
    bot = BOTS[name]
    before, _ = await builder.says(name, "before", None)
    assert all(before[:2])
    assert (await builder.says(name, "after", None))[0] == before
    after, slots = await builder.says(name, "after", "ana")
    everybodys = before[0][0]["text"]
    for said in (answer for answers in before for answer in answers):
        said["text"] = said["text"].replace(everybodys, bot.greeting)
    assert after == before
    assert {slot: slots[slot] for slot in bot.slots} == bot.slots
