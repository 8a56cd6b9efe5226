"""Everything that runs: engines, two Rasa servers, two action servers, and nginx before each pair.

It knows how they are started and reached, and nothing of what is said. Rasa's `endpoints.yml`, and
how secrets come to a server as files, are those of `examples/deploy/`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from benchmarks.scale import engines
from benchmarks.scale.programs import ROOT
from benchmarks.scale.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from actions.ps7.testing import Simulator
    from benchmarks.scale.crew import Crew, Member
    from benchmarks.scale.programs import Programs

SERVERS = 2
"""How many of each kind."""
_BOT = ROOT / "examples" / "oss-bot"
_DEPLOYED = ROOT / "examples" / "deploy" / "rasa"
_DATABASE = "rasa"
_ESTABLISHED = "01"
_PATIENT = {"PS7_DEADLINE": "60", "PS7_CONNECT_TIMEOUT": "20", "PS7_READ_TIMEOUT": "20"}
"""On a machine that has too much to do, PS7's simulator may be late: that is no subject here."""


@dataclass
class Server:
    """A server of a pair: it may be started, killed, and started again in the same place."""

    name: str
    port: int
    process: Member | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}"

    def freeze(self) -> None:
        """Stop it where it is: calls still reach it, and stay under way."""
        if self.process is not None:
            self.process.freeze()

    async def kill(self) -> None:
        """Kill it, with everything that it has started (-9)."""
        if self.process is not None:
            await self.process.kill()

    def calls_under_way(self) -> int:
        """Count the open connections that others have made to it. Needs Linux (/proc)."""
        _, *rows = Path("/proc/net/tcp").read_text().splitlines()
        states = [(local, state) for _, local, _, state, *_ in map(str.split, rows)]
        return states.count((f"0100007F:{self.port:04X}", _ESTABLISHED))


class Topology:
    """The servers of one run, in one folder."""

    def __init__(self, programs: Programs, crew: Crew, ps7: Simulator) -> None:
        """Take what is installed, who starts processes, and PS7, which listens already."""
        self._programs = programs
        self._crew = crew
        self.rasa = [Server(f"rasa-{place}", crew.port()) for place in range(SERVERS)]
        self.actions = [Server(f"actions-{place}", crew.port()) for place in range(SERVERS)]
        self.proxy = Proxy(
            programs,
            crew,
            [server.address for server in self.rasa],
            [server.address for server in self.actions],
        )
        self._ps7 = ps7

    async def start(self, model: Path | None) -> None:
        """Train the bot unless there is a model, start everything, and wait until it answers."""
        database = await engines.postgres(self._programs, self._crew, _DATABASE)
        locks = await engines.redis(self._programs, self._crew)
        await self.proxy.start()
        model = model or await self._train()
        keys = json.dumps([Fernet.generate_key().decode()])
        known = {name: self._ps7.environment[name] for name in ("PS7_USERNAME", "PS7_PASSWORD")}
        self._write_secrets("ps7", {**known, "PS7_SEAL_KEYS": keys})
        passwords = {"DB_PASSWORD": database.password, "REDIS_PASSWORD": locks.password}
        self._write_secrets("stores", passwords)
        settings = {
            "RASA_SECRETS_DIR": str(self._crew.folder / "stores"),
            "ACTION_ENDPOINT_URL": self.proxy.actions_url,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(database.port),
            "DB_NAME": _DATABASE,
            "DB_USER": _DATABASE,
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(locks.port),
        }
        await asyncio.gather(
            *(self.start_actions(server) for server in self.actions),
            *(self._start_rasa(server, model, settings) for server in self.rasa),
        )

    async def start_actions(self, server: Server) -> None:
        """Start an action server, or start it again, and wait until it answers."""
        server.process = await self._crew.start(
            server.name,
            *(sys.executable, "-m", "rasa_sdk", "--actions", "actions"),
            *("--port", str(server.port)),
            cwd=_BOT,
            variables={
                "SANIC_HOST": "127.0.0.1",
                "PS7_BASE_URL": self._ps7.url,
                "PS7_SECRETS_DIR": str(self._crew.folder / "ps7"),
                **_PATIENT,
            },
        )
        await server.process.answers(f"{server.url}/health")

    async def slots(
        self, http: aiohttp.ClientSession, server: Server, sender: str
    ) -> dict[str, Any]:
        """Read the slots of a conversation through the API of one Rasa server."""
        url = f"{server.url}/conversations/{sender}/tracker"
        async with http.get(url, params={"include_events": "NONE"}) as answer:
            answer.raise_for_status()
            tracker: dict[str, Any] = await answer.json()
        slots: dict[str, Any] = tracker["slots"]
        return slots

    async def _train(self) -> Path:
        await self._crew.run(
            "train",
            *(self._programs.rasa_python, "-m", "rasa", "train", "--skip-validation"),
            *("--domain", "domain", "--out", self._crew.folder, "--fixed-model-name", "model"),
            cwd=_BOT,
            variables=self._quiet("train"),
        )
        return self._crew.folder / "model.tar.gz"

    async def _start_rasa(self, server: Server, model: Path, settings: Mapping[str, str]) -> None:
        server.process = await self._crew.start(
            server.name,
            *("sh", _DEPLOYED / "with-secrets"),
            *(self._programs.rasa_python, "-m", "rasa", "run", "--enable-api"),
            *("--interface", "127.0.0.1", "--port", str(server.port), "--model", model),
            *("--endpoints", _DEPLOYED / "endpoints.yml"),
            *("--credentials", _BOT / "credentials.yml"),
            variables={**self._quiet(server.name), **settings},
        )
        await server.process.answers(f"{server.url}/status")

    def _write_secrets(self, name: str, values: Mapping[str, str]) -> None:
        """Write one file each, into a folder of this name."""
        folder = self._crew.folder / name
        folder.mkdir(mode=0o700)
        for variable, value in values.items():
            (folder / variable).write_text(value)

    def _quiet(self, name: str) -> dict[str, str]:
        return {
            "RASA_TELEMETRY_ENABLED": "false",
            "RASA_CACHE_DIRECTORY": str(self._crew.folder / f"{name}-cache"),
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
