"""Bots as they are found in the wild: before `rasa-ps7 init`, and after it.

All is done as a builder does it, by commands. Rasa trains and tests each bot twice, as it was and
as `init` and a person left it, and talks over REST.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
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

pytestmark = [pytest.mark.release, pytest.mark.conversation]
Ran = subprocess.CompletedProcess[str]
beside_the_servers = pytest.mark.asyncio(loop_scope="module")

FOUND = Path(__file__).parent / "bots"
COPIES = ("before", "after")
EVERYBODYS_PORTS = "(?<=:)(5055|8099)(?=/|\n)"
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
    """Bring a bot from Rasa 2 to Rasa 3, as the refusal says."""
    rasa = [str(_rasa_python()), "-W", "ignore", "-m", "rasa", "data", "migrate"]
    subprocess.run(rasa, cwd=bot, check=True, capture_output=True)
    (bot / "new_domain.yml").replace(bot / "domain.yml")
    (bot / "original_domain.yml").unlink()


def nothing(_: Path) -> None:
    """Leave the bot as it was, or as `init` left it."""


@dataclass(frozen=True)
class Bot:
    """What is said to a bot, and what a builder meets."""

    said: tuple[str, ...]
    """The first one is answered by `utter_greet`, and perhaps others."""
    greeting: str = "Hello! I am the assistant of Personnalité."
    slots: dict[str, Any] = field(default_factory=lambda: ANA)
    inside: str = "."
    options: tuple[str, ...] = ()
    refused: str = ""
    """How the first try of `init` ends, as a pattern; blank if nothing stands in its way."""
    first: Callable[[Path], None] = nothing
    """What a person does then."""
    in_git: bool = True
    server: str = ""
    """Where the action server starts, if not beside the domain."""
    left: tuple[str, ...] = ()
    """Of each line that `init` leaves to a person how it begins, as a pattern."""
    person: Callable[[Path], None] = nothing


BOTS = {
    "own_fallback": Bot(
        ("hi", "my computer is broken", "tell me a joke", "xyzzy qwfp", "how is my ticket", "hello")
    ),
    "tracked_env": Bot(
        ("oi", "quem é você", "quero pagar", "111.444.777-35", "abracadabra", "bom dia"),
        "Olá! Sou a assistente do Personnalité.",
        ANA | {"customer_cpf": ANA["cpf"], "cpf": "111.444.777-35"},
        inside="bot",
        left=(
            "git keeps .env, so no key was put into it: set",
            "the domain is a folder now: .*/Makefile:6, .*compose.yml:5, .*:7, .*Dockerfile:3$",
        ),
    ),
    "own_session_start": Bot(
        ("hi", "what is my balance", "which currency", "lorem ipsum", "hello"),
        slots={"ps7_status": "ok", "segment": ANA["segment"], "currency": "$"},
        options=("--at-session-start",),
        left=(r"derive your action_session_start \(actions/start.py:11\) from", "let each rule or"),
        person=derive_the_session_start,
    ),
    "other_port": Bot(
        ("hi", "the last day of february", "hello"),
        left=(r"add rasa-ps7 to requirements-actions\.txt:1, or the next environment",),
    ),
    "buttons": Bot(
        ("hi", "send something back", "hello", "where is my order", "is it in stock"), in_git=False
    ),
    "actions_elsewhere": Bot(
        ("hi", "book a visit", "natal", "olinda", "hello"),
        inside="bot",
        options=("--actions", "../services/actions"),
        refused=r"the domain's actions \(.*\) are in \.\./services/actions, not here: ",
        left=(r"add rasa-ps7 to \.\./services/requirements\.txt:1, or the next",),
        server="../services",
    ),
    "rasa_two": Bot(
        ("hi", "i want a gold card", "hello"),
        refused=r"the domain says `version: 2\.0`: it is written for Rasa 2, .*`rasa data migrate`",
        first=migrate,
    ),
    "in_container": Bot(
        ("hi", "the next agency please", "hello"),
        left=(
            r"the image of actions/Dockerfile:1 and actions/Dockerfile:2 needs the plugin: put",
            r"the action server is http://actions:\d+: give it .*\(in docker-compose\.yml, by",
        ),
    ),
}
IN_RASAS = {"other_port"}
"""Bots whose actions need what Rasa's environment has: its rasa-sdk 3.6.2, and dateutil."""


def typed(bot: Path, port: int) -> list[list[str]]:
    """Return the commands of Rasa that a builder types: train, test and run."""
    domain = "domain" if (bot / "domain").is_dir() else "domain.yml"
    tested = "--stories tests --fail-on-prediction-errors --no-plot --out results"
    return [
        ["train", "--domain", domain, "--fixed-model-name", "bot"],
        ["test", "core", *tested.split(), "--endpoints", "endpoints.yml"],
        ["run", "--enable-api", "-i", "127.0.0.1", "-p", str(port)],
    ]


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, and return what it prints."""
    command = ("git", "-c", "user.name=builder", "-c", "user.email=builder@example.com", *arguments)
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@dataclass
class Builder:
    """Somebody at a terminal, and the bots in two copies: as they were, and with the plugin."""

    folder: Path
    ps7: Simulator
    processes: list[Process] = field(default_factory=list)
    rasa: dict[Path, str] = field(default_factory=dict)
    refused: dict[str, Ran] = field(default_factory=dict)
    init: dict[str, Ran] = field(default_factory=dict)
    strict: dict[str, Ran] = field(default_factory=dict)

    def bot(self, name: str, copy: str = "after") -> Path:
        """Return the folder of a bot."""
        return self.folder / copy / name / BOTS[name].inside

    def python(self, name: str) -> Path:
        """Return what runs the actions: for a bot whose actions need more, where that is."""
        return _rasa_python() if name in IN_RASAS else Path(sys.executable)

    def types(self, name: str, *arguments: str, **variables: str) -> Ran:
        """Run the plugin's command in a bot; nothing is set there but its .env."""
        return subprocess.run(
            [self.python(name), "-m", "rasa_ps7", *arguments],
            cwd=self.bot(name),
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What any program needs, and the plugin as if it was installed."""
        return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.folder / "site"), "LANG": "C.UTF-8"}

    def elsewhere(self) -> Iterator[tuple[Path, str]]:
        """Yield the files in which `init` wrote a port that another test may listen on."""
        yield self.bot("buttons") / "endpoints.yml", str(free_port())
        yield self.bot("tracked_env") / ".env", str(self.ps7.url.rpartition(":")[2])

    async def starts_actions(self, name: str, copy: str) -> None:
        """Start the action server: as `init` said, or as the bot's own Makefile does."""
        bot = self.bot(name, copy)
        if not (bot / BOTS[name].server / "actions").exists():
            return
        endpoints = (bot / "endpoints.yml").read_text()
        port = re.findall(r"(?:localhost|actions):(\d+)", endpoints)[0]
        # What a network of Compose does for the container.
        (bot / "endpoints.yml").write_text(endpoints.replace("//actions:", "//localhost:"))
        told = re.findall(r"^  (.* -m rasa_sdk .*)$", self.init[name].stdout, re.MULTILINE)
        assert len(told) == (name != "in_container")
        image = f"{self.python(name)} -m rasa_sdk --actions actions"
        command = re.sub(r"( --port \d+)?$", f" --port {port}", told[0] if told else image)
        if name == "tracked_env":
            command = f"make -C .. actions PYTHON={sys.executable}"
        variables = {**self.environment, "PS7_BASE_URL": self.ps7.url, "SANIC_HOST": "127.0.0.1"}
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Builder]:
    """Lay the bots out, put the plugin into one copy of each, and start all that they need."""
    folder = tmp_path_factory.mktemp("bots")
    (folder / "site").mkdir()
    (folder / "site" / "rasa_ps7").symlink_to(ROOT / "actions" / "ps7")
    async with Simulator() as ps7:
        at = Builder(folder, ps7)
        for name, bot in BOTS.items():
            for copy in COPIES:
                lay_out(folder / copy / name, name)
            if bot.refused:
                at.refused[name] = at.types(name, "init", "--yes")
            for copy in COPIES:
                bot.first(at.bot(name, copy))
            at.init[name] = at.types(name, "init", "--yes", *bot.options)
            bot.person(at.bot(name))
            named = [*bot.options] if bot.server else []
            strict = ["doctor", "--bot", ".", "--only-bot", "--strict"]
            at.strict[name] = at.types(name, *strict, *named)
        for file, new in at.elsewhere():
            file.write_text(re.sub(EVERYBODYS_PORTS, new, file.read_text()))
        try:
            for name in BOTS:
                await asyncio.gather(*(at.starts_actions(name, copy) for copy in COPIES))
            await at.starts_rasa()
            yield at
        finally:
            await asyncio.gather(*(process.end() for process in at.processes))


def lay_out(folder: Path, name: str) -> None:
    """Copy a bot into a repository of its own, its action server at a port that is free."""
    shutil.copytree(FOUND / name, folder)
    (folder / BOTS[name].inside / "credentials.yml").write_text("rest:\n")
    ports = {"5055": str(free_port()), "5056": str(free_port())}
    for file in (path for path in folder.rglob("*") if path.is_file()):
        text = re.sub("|".join(ports), lambda port: ports[port[0]], file.read_text())
        file.write_text(text)
    commands = ("init", "-q"), ("add", "-A", "-f"), ("commit", "-q", "-m", "As it was")
    for command in commands if BOTS[name].in_git else ():
        git(folder, *command)


every_bot = pytest.mark.parametrize("name", BOTS)


@every_bot
def test_what_init_leaves_to_a_person_and_what_the_doctor_has_to_say(
    builder: Builder, name: str
) -> None:
    """Nothing, once that is done: also where warnings are errors.

    Where others in the repository say that the domain is one file is named by file and line. A bot
    that has to be changed first, or whose actions have to be named, is refused with what to do.
    """
    if refused := BOTS[name].refused:
        assert re.match(refused, builder.refused[name].stdout, re.DOTALL)
    assert ("There is no git here" in builder.init[name].stdout) is not BOTS[name].in_git
    rules = builder.bot(name) / BOTS[name].server / ".gitignore"
    assert name == "tracked_env" or ".env\n" in rules.read_text()
    said = re.findall(r"Left to you\n((?:  .*\n)*)", builder.init[name].stdout)
    lines = [line.strip() for part in said for line in part.splitlines()]
    for line, expected in zip(lines, BOTS[name].left, strict=True):
        assert re.match(expected, line)
    assert builder.strict[name].returncode == 0, builder.strict[name].stdout
    assert "no errors, no warnings" in builder.strict[name].stdout


@every_bot
@beside_the_servers
async def test_all_answers_but_the_greeting_are_as_before(builder: Builder, name: str) -> None:
    """For somebody without a contextId every one is; Ana is greeted by segment, buttons kept."""
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
