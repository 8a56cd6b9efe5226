"""What the tests of the host contract share: interpreters and action servers.

Action servers are processes of their own; one that no test changes is started once and serves all
of them, so every test is a conversation of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from actions.ps7 import runtime
from actions.ps7.testing import Simulator
from tests.support.action_server import ActionServer
from tests.support.clock import Clock
from tests.support.interpreters import PYTHONS, usable
from tests.support.processes import Process


@pytest.fixture(scope="session", params=PYTHONS)
def python(request: pytest.FixtureRequest) -> Path:
    """Return an interpreter to run an action server with: the newest versions, or the oldest."""
    chosen: Path = request.param
    return usable(chosen)


def seal_keys() -> str:
    """Make what `PS7_SEAL_KEYS` takes."""
    return f'["{Fernet.generate_key().decode()}"]'


@dataclass
class Stage:
    """Starts processes, and ends them after the last test at the latest."""

    scratch: Path
    settings: dict[str, str]
    """PS7_* variables that reach the simulator, and no more."""
    processes: list[Process] = field(default_factory=list)

    @property
    def _log(self) -> Path:
        """A log file that is not in use."""
        return self.scratch / f"{len(self.processes)}.log"

    async def run(self, *command: str | Path, cwd: Path, **variables: str) -> Process:
        """Run a command that ends by itself; wait until it has."""
        process = await Process.start(self._log, *command, cwd=cwd, variables=variables)
        self.processes.append(process)
        await process.exit_code()
        return process

    async def start(self, python: Path, **options: Any) -> ActionServer:  # noqa: ANN401 - handed on
        """Start an action server for one test, and wait until it answers."""
        server = await ActionServer.start(python, self._log, **{**self.settings, **options})
        self.processes.append(server.process)
        return server

    async def close(self) -> None:
        """End every process that still runs."""
        await asyncio.gather(*(process.kill() for process in self.processes))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(
    simulator: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """Yield what starts processes, and end them after the last test."""
    stage = Stage(tmp_path_factory.mktemp("host"), simulator.environment)
    yield stage
    await stage.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the plugin's clock."""
    return Clock(monkeypatch)


@pytest_asyncio.fixture(loop_scope="session")
async def settings(
    simulator: Simulator, isolated: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, str]]:
    """Set the variables that reach the simulator, and a seal key, and no others."""
    variables = {**simulator.environment, "PS7_SEAL_KEYS": seal_keys()}
    for name, value in variables.items():
        isolated.setenv(name, value)
    yield variables
    for shared in runtime._runtimes:
        await shared.client.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(stage: Stage, python: Path) -> ActionServer:
    """Return an action server of this interpreter that tests share, with seal keys of its own."""
    return await stage.start(python, PS7_SEAL_KEYS=seal_keys())
