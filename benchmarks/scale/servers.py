"""The action servers: started, killed, and replaced, also by another version or with other keys."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from actions.ps7.cli.key import new_seal_key
from benchmarks.scale import versions
from benchmarks.scale.programs import ROOT

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator
    from benchmarks.scale.authority import Authority
    from benchmarks.scale.crew import Crew
    from tests.support.processes import Process

SERVERS = 2
"""How many of each kind."""
BOT = ROOT / "examples" / "oss-bot"
SEAL_KEYS, ARRIVAL_KEYS = "PS7_SEAL_KEYS", "PS7_ARRIVAL_KEYS"

_ESTABLISHED = "01"
_PATIENT = {"PS7_DEADLINE": "50", "PS7_CONNECT_TIMEOUT": "20", "PS7_READ_TIMEOUT": "20"}
"""On a machine that has too much to do, PS7's simulator may be late: that is no subject here."""


@dataclass
class Server:
    """A server of a pair: it may be started, killed, and started again in the same place."""

    name: str
    port: int
    process: Process | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://localhost:{self.port}"

    def freeze(self) -> None:
        """Stop it where it is: calls still reach it, and stay under way."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGSTOP)

    async def kill(self) -> None:
        """Kill it, with everything that it has started (-9)."""
        if self.process is not None:
            await self.process.kill()

    def calls_under_way(self) -> int:
        """Count the open connections that others have made to it. Needs Linux (/proc)."""
        _, *rows = Path("/proc/net/tcp").read_text().splitlines()
        states = [(local, state) for _, local, _, state, *_ in map(str.split, rows)]
        return states.count((f"0100007F:{self.port:04X}", _ESTABLISHED))


class ActionServers:
    """All action servers of a run, and what the next one to start gets."""

    def __init__(self, crew: Crew, authority: Authority, ps7: Simulator) -> None:
        """Take who starts processes, whom they trust, and PS7, which listens already."""
        self._crew, self._authority, self._ps7 = crew, authority, ps7
        self._shows = authority.issue("actions")
        self._bot = BOT
        self._secrets = {name: ps7.environment[name] for name in ("PS7_USERNAME", "PS7_PASSWORD")}
        self.each = [Server(f"actions-{place}", crew.port()) for place in range(SERVERS)]
        self.keys = {SEAL_KEYS: [new_seal_key()], ARRIVAL_KEYS: [new_seal_key()]}
        """The keys of those who start from now on, newest first."""

    def release(self, version: str | Path | None) -> None:
        """Let those who start from now on have a version of the plugin; None: the present one."""
        name = version if isinstance(version, str) else "before"
        folder = self._crew.folder / name.replace(" ", "-")
        self._bot = BOT if version is None else versions.make(version, BOT, folder)

    async def rotated(self, variable: str) -> list[list[str]]:
        """Return the two values that `rasa-ps7 key --rotate` prints, for one roll-out each."""
        options = ["--arrival"] if variable == ARRIVAL_KEYS else []
        said = await self._crew.run(
            "key",
            *(sys.executable, "-m", "actions.ps7", "key", "--rotate", "--json", *options),
            cwd=ROOT,
            variables={variable: json.dumps(self.keys[variable])},
        )
        steps: list[list[str]] = json.loads(said)["steps"]
        return steps

    async def replace(self, server: Server) -> None:
        """Let a server end as a rolling update does (SIGTERM), and start another in its place."""
        if server.process is not None:
            await server.process.end()
        await self.start(server)

    async def start(self, server: Server) -> None:
        """Start a server, or start it again, and wait until it answers."""
        keys = {variable: json.dumps(some) for variable, some in self.keys.items()}
        server.process = await self._crew.start(
            server.name,
            *(sys.executable, "-m", "rasa_sdk", "--actions", "actions"),
            *("--ssl-certificate", self._shows.certificate, "--ssl-keyfile", self._shows.key),
            *("--port", str(server.port)),
            cwd=self._bot,
            variables={
                "SANIC_HOST": "127.0.0.1",
                "OTEL_SERVICE_NAME": server.name,
                "PS7_BASE_URL": self._ps7.url,
                "PS7_SECRETS_DIR": str(self._crew.secrets(server.name, self._secrets | keys)),
                **_PATIENT,
            },
        )
        await server.process.answers(f"{server.url}/health", self._authority.trust)
