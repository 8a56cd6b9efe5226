"""The stage of a conversation test: trained bots, and the Rasa and action servers that run them.

It knows nothing of what is said, and nothing of the plugin but the environment variables it is
handed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.conversation.talking import RunningBot
from tests.support.action_server import launch
from tests.support.processes import ROOT, Process, free_port

OSS_BOT = ROOT / "examples" / "oss-bot"
FRAGMENT = ROOT / "domain.yml"
QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""What a Rasa of the tests is told: nothing of it is about a bot."""
_ACTIONS = "actions-"
_DESK_TOKEN = "made up, for the desk"

RASA_OF_BOTS = ROOT / "tests" / "support" / "rasa_of_bots.py"


@dataclass(frozen=True)
class Bot:
    """A bot to train and run, and what its action server is told."""

    folder: Path
    domain_files: tuple[Path, ...] = ()
    """What is added to its domain before it is trained."""
    actions_in: Path = OSS_BOT
    """The folder in which the action server starts, and looks for its actions first."""
    actions: str = "actions"
    """The package or module that the action server loads."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """PS7_* variables beyond those that reach the simulator."""
    endpoints: Path = OSS_BOT / "endpoints.yml"
    credentials: Path = OSS_BOT / "credentials.yml"
    in_rasa: bool = False
    """Whether its action server is `rasa run actions`, in Rasa's own environment."""
    rasa_variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the Rasa server beyond those that every one gets."""


class Stage:
    """Every process that the tests of one session need."""

    def __init__(
        self, rasa_python: Path, models: Path, scratch: Path, settings: Mapping[str, str]
    ) -> None:
        """Take the Python that has Rasa, a place for models, one for logs, and PS7_* settings."""
        self.rasa_python = rasa_python
        self._models = models
        self.scratch = scratch
        self._desk = free_port()
        self.desk_log = scratch / "desk.log"
        self._settings = {
            **settings,
            "HANDOVER_URL": f"http://127.0.0.1:{self._desk}/handovers",
            "HANDOVER_TOKEN": _DESK_TOKEN,
        }
        self.running: dict[str, RunningBot] = {}
        """The bots that were opened, by name."""
        self._bots: dict[str, tuple[Bot, int]] = {}
        """What they are, and where their action servers listen."""
        self._opening = ""
        """The bots that start now, or did not start."""
        self._processes: dict[str, Process] = {}
        self._http = aiohttp.ClientSession()

    def whole_logs(self, name: str = "") -> str:
        """Return all that the processes so far have said, or those of this name."""
        logs = sorted(log for log in self.scratch.glob("*.log") if name in log.stem)
        return "".join(log.read_text(errors="replace") for log in logs)

    def pids(self, name: str) -> tuple[int, int]:
        """Return the processes of a bot that was opened alone: Rasa's, and its action server's."""
        return self._processes[name].pid, self._processes[f"{_ACTIONS}{name}"].pid

    def complaints(self) -> list[str]:
        """Return what the action servers said that no process should say."""
        servers = (each for name, each in self._processes.items() if name.startswith(_ACTIONS))
        return [line for server in servers for line in server.complaints]

    def actions_log(self, name: str) -> Path:
        """Return the log of the action server of a bot."""
        return self.scratch / f"{_ACTIONS}{name}.log"

    def actions_url(self, name: str) -> str:
        """Return the webhook of a bot's action server."""
        return f"http://127.0.0.1:{self._bots[name][1]}/webhook"

    @asynccontextmanager
    async def without_actions(self, name: str) -> AsyncIterator[None]:
        """Kill the action server of a bot that was opened, and start it again afterwards."""
        killed = self._processes[f"{_ACTIONS}{name}"]
        await killed.kill()
        assert killed.complaints == []  # its log begins anew
        try:
            yield
        finally:
            await self._start_actions(name)

    async def open_desk(self) -> None:
        """Start the agents' desk."""
        port, token = str(self._desk), {"HANDOVER_TOKEN": _DESK_TOKEN}
        command = (sys.executable, "-m", "examples.desk", "--port", port)
        desk = await self._run(self.desk_log.stem, *command, cwd=ROOT, variables=token)
        await desk.answers(f"http://127.0.0.1:{port}/")

    def handed_over(self) -> list[dict[str, Any]]:
        """Return what the desk got, oldest first."""
        return [json.loads(line) for line in self.desk_log.read_text("utf-8").splitlines()]

    async def open(self, **bots: Bot) -> None:
        """Train bots, but those that were trained before, and start them with their actions.

        If that fails, it fails for every later test as well, and is not tried again.
        """
        if not bots:
            return
        assert not self._opening, f"the bots of this run did not start: {self._opening}"
        self._opening = ", ".join(bots)
        self._bots |= {name: (bot, free_port()) for name, bot in bots.items()}
        await asyncio.gather(*map(self._start_actions, bots))
        lives: list[tuple[str, str, dict[str, str], list[list[str]]]] = []
        trained: list[tuple[Path, Path]] = []
        running: dict[str, RunningBot] = {}
        for name, bot in bots.items():
            port, database = free_port(), self.scratch / f"{name}.db"
            source = self._source(name, bot)
            model = self._models / f"{_digest(source, str(self.rasa_python))}.tar.gz"
            made, commands = model, list[list[str]]()
            if not model.exists():
                # Another process of this run may train the same bot meanwhile.
                made = self._models / f"{name}-{os.getpid()}-{model.name}"
                trained.append((made, model))
                out = ("--out", str(self._models), "--fixed-model-name", made.name)
                commands.append(["train", "--domain", "domain", "--skip-validation", *out])
            server = ("run", "--enable-api", "-i", "127.0.0.1", "-p", str(port))
            files = ("--credentials", str(bot.credentials), "--endpoints", str(bot.endpoints))
            commands.append([*server, "--model", str(made), *files])
            told = {"ACTION_ENDPOINT_URL": self.actions_url(name), "DATABASE": str(database)}
            log, variables = self.scratch / f"{name}-rasa.log", told | {**bot.rasa_variables}
            lives.append((str(source), str(log), variables, commands))
            url = f"http://127.0.0.1:{port}"
            running[name] = RunningBot(self._http, url, model, database)
        (name, *_) = bots
        # What counts before Rasa is loaded, such as PYTHONPATH, can be told to a bot alone.
        variables = QUIET | (lives[0][2] if len(lives) == 1 else {})
        command = (self.rasa_python, "-W", "ignore", RASA_OF_BOTS, json.dumps(lives))
        rasas = await self._run(name, *command, cwd=self.scratch, variables=variables)
        for name in bots:
            await rasas.answers(f"{running[name].url}/status")
        self.running |= running
        for made, model in trained:
            made.replace(model)
        self._opening = ""

    async def close(self) -> None:
        """End the processes that were started here, and no other."""
        await self._http.close()
        await asyncio.gather(*(process.end() for process in self._processes.values()))

    def _source(self, name: str, bot: Bot) -> Path:
        """Lay out what a bot is trained from."""
        source = self.scratch / name
        shutil.copytree(bot.folder / "data", source / "data")
        shutil.copy(bot.folder / "config.yml", source)
        files = bot.domain_files
        if (bot.folder / "domain").exists():
            shutil.copytree(bot.folder / "domain", source / "domain")
        else:
            (source / "domain").mkdir()
            files = (*files, bot.folder / "domain.yml")
        for file in files:
            shutil.copy(file, source / "domain")
        return source

    async def _start_actions(self, name: str) -> None:
        bot, port = self._bots[name]
        server = await launch(
            self.rasa_python if bot.in_rasa else Path(sys.executable),
            self.actions_log(name),
            actions=bot.actions,
            port=port,
            cwd=bot.actions_in,
            variables={**self._settings, **bot.settings},
            program="rasa run actions" if bot.in_rasa else "rasa_sdk",
        )
        self._processes[server.name] = server
        await server.answers(f"http://127.0.0.1:{port}/health")

    async def _run(
        self, name: str, *command: str | Path, cwd: Path, variables: Mapping[str, str]
    ) -> Process:
        log = self.scratch / f"{name}.log"
        self._processes[name] = await Process.start(log, *command, cwd=cwd, variables=variables)
        return self._processes[name]


def _digest(folder: Path, *more: str) -> str:
    """Return what tells one set of files from another."""
    digest = hashlib.sha256("\n".join(more).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
