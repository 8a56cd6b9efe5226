"""A real action server, `python -m rasa_sdk`, as a process, and how a test calls it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from typing_extensions import Self

from tests.support.processes import ROOT, Process, Progress, free_port

_STARTED, _ENDED = "Starting worker [", "Worker complete ["
"""What Sanic logs of each of its workers; old versions have none."""
_LIMIT, _GRACE = 60.0, 2.0  # seconds: for an answer, and for an end
PATIENT = {f"PS7_{name}": "50" for name in ("DEADLINE", "CONNECT_TIMEOUT", "READ_TIMEOUT")}
"""Limits of an action server that no busy machine reaches."""


class Connection:
    """One connection to an action server, kept open: one worker answers all that it carries."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1), timeout=aiohttp.ClientTimeout(total=_LIMIT)
        )

        self.close = self._http.close

    async def send(self, call: dict[str, Any]) -> dict[str, Any]:
        """Call the webhook as Rasa does, which gives up at any other status than 200."""
        try:
            async with self._http.post(f"{self._url}/webhook", json=call) as answer:
                said = await answer.json()
        except asyncio.TimeoutError as error:
            text = f"{self._url} has not answered {call.get('next_action')} within {_LIMIT:g} s"
            raise asyncio.TimeoutError(text) from error
        assert answer.status == 200, said
        assert isinstance(said, dict)
        return said

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@dataclass(frozen=True)
class ActionServer:
    """A server that answers."""

    process: Process
    url: str

    @classmethod
    async def start(
        cls,
        python: Path,
        log: Path,
        *,
        actions: str = "actions",
        workers: int = 1,
        cwd: Path = ROOT,
        **variables: str,
    ) -> ActionServer:
        """Start a server with these environment variables, and wait until it answers."""
        port = free_port()
        variables = {"ACTION_SERVER_SANIC_WORKERS": str(workers), **variables}
        process = await launch(
            python, log, actions=actions, port=port, cwd=cwd, variables=variables
        )
        url = f"http://127.0.0.1:{port}"
        try:
            await process.answers(f"{url}/health")
        except RuntimeError:
            await process.kill()
            raise
        return cls(process, url)

    def connect(self) -> Connection:
        """Open a connection for one user."""
        return Connection(self.url)

    async def send(self, call: dict[str, Any]) -> dict[str, Any]:
        """Call the webhook over a connection of its own."""
        async with self.connect() as connection:
            return await connection.send(call)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as a supervisor does, and return 0 or the exit code.

        The handler of Sanic 25's manager may break into its own talk with its state: it then waits
        for ever, or falls with exit code 1. What counts is that the workers came to their end.
        """
        self.process.signal(number)
        progress = Progress(self.process)
        while progress.is_made and not self.process.has_ended:
            if self._workers_have_ended:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.process.exit_code(), _GRACE)
                await self.process.kill()
                break
            await asyncio.sleep(0.1)
        code = await self.process.end(number)
        return 0 if self._workers_have_ended else code

    @property
    def _workers_have_ended(self) -> bool:
        output = self.process.output
        return 0 < output.count(_STARTED) == output.count(_ENDED)


async def launch(
    python: Path,
    log: Path,
    *,
    actions: str = "actions",
    port: int | None = None,
    cwd: Path = ROOT,
    variables: Mapping[str, str],
    program: str = "rasa_sdk",
) -> Process:
    """Start a server that may or may not come up."""
    return await Process.start(
        log,
        *(str(python), "-m", *program.split(), "--actions", actions),
        *("--port", str(port if port is not None else free_port())),
        cwd=cwd,
        variables={"SANIC_HOST": "127.0.0.1", "PYTHONPATH": str(ROOT), **PATIENT, **variables},
    )
