"""The stage of a conversation test: trained bots, and the Rasa and action servers that run them.

It knows nothing of what is said, and nothing of the plugin but the environment variables it is
handed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.conversation.talking import RunningBot
from tests.support.processes import ROOT, Process, free_port

OSS_BOT = ROOT / "examples" / "oss-bot"
FRAGMENT = ROOT / "domain.yml"
_ACTIONS = "actions-"
_DESK_TOKEN = "made up, for the desk"


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
    sql: bool = False
    """Whether Rasa keeps its conversations in a database, instead of in its memory."""
    in_rasa: bool = False
    """Whether its action server is `rasa run actions`, in Rasa's own environment."""
    rasa_variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the Rasa server beyond those that every one gets."""


class Stage:
    """Every process that the tests of one session need."""

    def __init__(
        self,
        rasa_python: Path,
        models: Path,
        scratch: Path,
        settings: Mapping[str, str],
    ) -> None:
        """Take the Python that has Rasa, a place for models, one for logs, and PS7_* settings."""
        self.rasa_python = rasa_python
        self._models = models
        self._scratch = scratch
        self._desk = free_port()
        self.desk_log = scratch / "desk.log"
        self._settings = {
            **settings,
            "HANDOVER_URL": f"http://127.0.0.1:{self._desk}/handovers",
            "HANDOVER_TOKEN": _DESK_TOKEN,
        }
        self._processes: list[Process] = []
        self._action_servers: dict[tuple[object, ...], asyncio.Task[str]] = {}
        self._training: dict[Path, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(2)
        self._http = aiohttp.ClientSession()

    def logs(self) -> list[tuple[str, str]]:
        """Return the name of each process so far, and the end of its log."""
        return [(process.name, process.tail) for process in self._processes]

    def whole_logs(self, name: str = "") -> str:
        """Return all that the processes so far have said, or those of this name."""
        return "".join(each.output for each in self._processes if name in each.name)

    def pids(self, name: str, bot: Bot) -> tuple[int, int]:
        """Return the processes of a bot that was opened: Rasa's, and its action server's."""
        pids = {process.name: process.pid for process in self._processes}
        return pids[f"{name}-rasa"], pids[self.actions_log(bot).stem]

    def complaints(self) -> list[str]:
        """Return what the action servers said that no process should say."""
        servers = (process for process in self._processes if process.name.startswith(_ACTIONS))
        return [line for server in servers for line in server.complaints]

    def actions_log(self, bot: Bot) -> Path:
        """Return the log of the action server of a bot that was opened."""
        number = list(self._action_servers).index(_key(bot))
        return self._scratch / f"{_ACTIONS}{number}.log"

    @asynccontextmanager
    async def without_actions(self, bot: Bot) -> AsyncIterator[None]:
        """Kill the action server of a bot that was opened, and start it again afterwards."""
        name, url = self.actions_log(bot).stem, await self._actions(bot)
        killed = next(process for process in self._processes if process.name == name)
        await killed.kill()
        assert killed.complaints == []  # its log begins anew
        try:
            yield
        finally:
            self._processes.remove(killed)
            await self._start_actions(name, bot, urlsplit(url).port or 0)

    async def open_desk(self) -> None:
        """Start the agents' desk; its log begins anew."""
        port, token = str(self._desk), {"HANDOVER_TOKEN": _DESK_TOKEN}
        command = (sys.executable, "-m", "examples.desk", "--port", port)
        desk = await self._run(self.desk_log.stem, *command, cwd=ROOT, variables=token)
        await desk.answers(f"http://127.0.0.1:{port}/")

    @asynccontextmanager
    async def without_desk(self) -> AsyncIterator[None]:
        """Close the agents' desk, and open it again afterwards."""
        (desk,) = (each for each in self._processes if each.name == self.desk_log.stem)
        await desk.kill()
        self._processes.remove(desk)
        try:
            yield
        finally:
            await self.open_desk()

    def handed_over(self) -> list[dict[str, Any]]:
        """Return what the desk got, oldest first."""
        return [json.loads(line) for line in self.desk_log.read_text("utf-8").splitlines()]

    async def open(self, name: str, bot: Bot) -> RunningBot:
        """Train a bot unless that was done before, and start it with its action server."""
        async with self._room:
            model = await self._train(name, bot)
            port = free_port()
            database = self._scratch / f"{name}.db" if bot.sql else None
            server = await self._rasa(
                f"{name}-rasa",
                *("run", "--enable-api", "-i", "127.0.0.1", "-p", str(port)),
                *("--model", str(model)),
                *("--credentials", str(bot.credentials)),
                *("--endpoints", str(self._endpoints(name, bot, database))),
                variables={
                    "ACTION_ENDPOINT_URL": await self._actions(bot),
                    **bot.rasa_variables,
                },
            )
            url = f"http://127.0.0.1:{port}"
            await server.answers(f"{url}/status")
        return RunningBot(self._http, url, model, database)

    async def validate(self, bot: Bot) -> tuple[int, str]:
        """Run Rasa's own check of a bot as a person would: its exit code, and what it said."""
        check = await self._rasa(
            f"{bot.folder.name}-validate",
            *("data", "validate", "--fail-on-warnings", "--domain", "domain"),
            cwd=bot.folder,
        )
        return await check.exit_code(), check.output

    async def test(self, model: Path, stories: str) -> tuple[int, str]:
        """Run Rasa's own test of a model against stories: its exit code, and what it said."""
        file = self._scratch / "test_stories.yml"
        file.write_text(stories, encoding="utf-8")
        check = await self._rasa(
            "test-core",
            *("test", "core", "--fail-on-prediction-errors", "--no-plot", "--model", str(model)),
            *("--stories", str(file), "--out", str(self._scratch / "results")),
        )
        return await check.exit_code(), check.output

    async def close(self) -> None:
        """End the processes that were started here, and no other."""
        await self._http.close()
        await asyncio.gather(*(process.end() for process in self._processes))

    def _endpoints(self, name: str, bot: Bot, database: Path | None) -> Path:
        """Return the file that says where the action server and the conversations are."""
        if database is None:
            return bot.endpoints
        store = f"tracker_store: {{type: SQL, dialect: sqlite, db: {database}}}\n"
        file = self._scratch / f"{name}-endpoints.yml"
        file.write_text(bot.endpoints.read_text() + store)
        return file

    async def _train(self, name: str, bot: Bot) -> Path:
        """Return the model of a bot; one that was trained from the same files is used again."""
        source = self._scratch / name
        for part in ("domain", "data"):
            shutil.copytree(bot.folder / part, source / part)
        shutil.copy(bot.folder / "config.yml", source)
        for file in bot.domain_files:
            shutil.copy(file, source / "domain")
        digest = _digest(source, str(self.rasa_python))
        model = self._models / f"{bot.folder.name}-{digest}.tar.gz"
        if not model.exists():
            if model not in self._training:
                self._training[model] = asyncio.create_task(self._make(model, source))
            await self._training[model]
        return model

    async def _make(self, model: Path, source: Path) -> None:
        training = await self._rasa(
            f"{source.name}-train",
            *("train", "--domain", "domain", "--skip-validation"),
            *("--out", str(source), "--fixed-model-name", "model"),
            cwd=source,
        )
        if await training.exit_code():
            raise RuntimeError(f"{source.name} could not be trained:\n{training.tail}")
        # A rename is all or nothing: a test run that is broken off leaves no half model.
        (source / "model.tar.gz").replace(model)

    async def _actions(self, bot: Bot) -> str:
        """Return the webhook of an action server; bots with the same wishes share one."""
        key = _key(bot)
        if key not in self._action_servers:
            name = f"{_ACTIONS}{len(self._action_servers)}"
            starting = self._start_actions(name, bot, free_port())
            self._action_servers[key] = asyncio.create_task(starting)
        return await self._action_servers[key]

    async def _start_actions(self, name: str, bot: Bot, port: int) -> str:
        here = (sys.executable, "-m", "rasa_sdk")
        run_actions = (str(self.rasa_python), "-m", "rasa", "run", "actions")
        server = await self._run(
            name,
            *(*(run_actions if bot.in_rasa else here), "--actions", bot.actions),
            *("--port", str(port)),
            cwd=bot.actions_in,
            variables={
                "SANIC_HOST": "127.0.0.1",
                "PYTHONPATH": str(ROOT),
                **self._settings,
                **bot.settings,
            },
        )
        await server.answers(f"http://127.0.0.1:{port}/health")
        return f"http://127.0.0.1:{port}/webhook"

    async def _rasa(
        self,
        name: str,
        *arguments: str,
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Process:
        quiet = {
            "RASA_TELEMETRY_ENABLED": "false",
            "RASA_CACHE_DIRECTORY": str(self._scratch / "rasa-cache"),
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        return await self._run(
            name,
            *(str(self.rasa_python), "-m", "rasa", *arguments),
            cwd=cwd or self._scratch,
            variables={**quiet, **(variables or {})},
        )

    async def _run(
        self, name: str, *command: str, cwd: Path, variables: Mapping[str, str]
    ) -> Process:
        log = self._scratch / f"{name}.log"
        process = await Process.start(log, *command, cwd=cwd, variables=variables)
        self._processes.append(process)
        return process


def _key(bot: Bot) -> tuple[object, ...]:
    """Return what tells one action server from another."""
    return (bot.actions_in, bot.actions, bot.in_rasa, *sorted(bot.settings.items()))


def _digest(folder: Path, *more: str) -> str:
    """Return what tells one set of files from another."""
    digest = hashlib.sha256("\n".join(more).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
