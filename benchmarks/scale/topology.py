"""Everything that runs: engines, two Rasa servers, two action servers, and nginx before each pair.

It knows how they are started and reached, and nothing of what is said. They talk to each other over
TLS, and each client takes the run's authority alone; the simulator of PS7 is asked over http.
Rasa's `endpoints.yml`, and how secrets come to a server as files, are those of `examples/deploy/`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from benchmarks.scale import engines
from benchmarks.scale.programs import ROOT
from benchmarks.scale.proxy import Proxy
from benchmarks.scale.servers import BOT, SERVERS, ActionServers, Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import aiohttp

    from actions.ps7.testing import Simulator
    from benchmarks.scale.authority import Authority
    from benchmarks.scale.crew import Crew
    from benchmarks.scale.programs import Programs

_DEPLOYED = ROOT / "examples" / "deploy" / "rasa"
_DATABASE = "rasa"


class Topology:
    """The servers of one run, in one folder."""

    def __init__(
        self, programs: Programs, crew: Crew, authority: Authority, ps7: Simulator
    ) -> None:
        """Take what is installed, who starts processes, whom all trust, and PS7, which listens."""
        self._programs = programs
        self._crew = crew
        self.authority = authority
        self._shows = authority.issue("rasa")
        self.rasa = [Server(f"rasa-{place}", crew.port()) for place in range(SERVERS)]
        self.actions = ActionServers(crew, authority, ps7)
        self.proxy = Proxy(
            programs,
            crew,
            authority,
            rasa=[server.address for server in self.rasa],
            actions=[server.address for server in self.actions.each],
        )

    async def start(self, model: Path | None) -> None:
        """Train the bot unless there is a model, start everything, and wait until it answers."""
        issue = self.authority.issue
        database = await engines.postgres(self._programs, self._crew, _DATABASE, issue("postgres"))
        locks = await engines.redis(self._programs, self._crew, issue("redis"))
        await self.proxy.start()
        model = model or await self._train()
        passwords = {"DB_PASSWORD": database.password, "REDIS_PASSWORD": locks.password}
        settings = {
            "RASA_SECRETS_DIR": str(self._crew.secrets("stores", passwords)),
            "TLS_CA_FILE": str(self.authority.file),
            "ACTION_ENDPOINT_URL": self.proxy.actions_url,
            "DB_HOST": "localhost",
            "DB_PORT": str(database.port),
            "DB_NAME": _DATABASE,
            "DB_USER": _DATABASE,
            "REDIS_HOST": "localhost",
            "REDIS_PORT": str(locks.port),
        }
        await asyncio.gather(
            *map(self.actions.start, self.actions.each),
            *(self._start_rasa(server, model, settings) for server in self.rasa),
        )

    async def tracker(
        self, http: aiohttp.ClientSession, server: Server, sender: str
    ) -> dict[str, Any]:
        """Read a conversation, with all of its events, through the API of one Rasa server."""
        url = f"{server.url}/conversations/{sender}/tracker"
        async with http.get(url, params={"include_events": "ALL"}) as answer:
            answer.raise_for_status()
            tracker: dict[str, Any] = await answer.json()
        return tracker

    async def _train(self) -> Path:
        await self._crew.run(
            "train",
            *(self._programs.rasa_python, "-m", "rasa", "train", "--skip-validation"),
            *("--domain", "domain", "--out", self._crew.folder, "--fixed-model-name", "model"),
            cwd=BOT,
            variables=self._quiet("train"),
        )
        return self._crew.folder / "model.tar.gz"

    async def _start_rasa(self, server: Server, model: Path, settings: Mapping[str, str]) -> None:
        server.process = await self._crew.start(
            server.name,
            *("sh", _DEPLOYED / "with-secrets"),
            *(self._programs.rasa_python, "-m", "rasa", "run", "--enable-api"),
            *("--interface", "127.0.0.1", "--port", str(server.port), "--model", model),
            *("--ssl-certificate", self._shows.certificate, "--ssl-keyfile", self._shows.key),
            *("--endpoints", _DEPLOYED / "endpoints.yml"),
            *("--credentials", BOT / "credentials.yml"),
            variables={**self._quiet(server.name), **settings},
        )
        await server.process.answers(f"{server.url}/status", self.authority.trust)

    def _quiet(self, name: str) -> dict[str, str]:
        return {
            "RASA_TELEMETRY_ENABLED": "false",
            "RASA_CACHE_DIRECTORY": str(self._crew.folder / f"{name}-cache"),
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
