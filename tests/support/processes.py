"""Processes of a test run: each with an environment of its own, a log, and an end that comes.

A process leads a group, so that the workers it starts end with it. Nothing here knows what runs,
but for what action servers say that is no fault of ours.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

import aiohttp

ROOT = Path(__file__).parents[2]

_START_TIMEOUT = 120.0  # seconds; two busy cores are slow
_STOP_TIMEOUT = 15.0
_PORTS = range(20_000, 32_000)
"""Linux gives away those from 32768 on, macOS and Windows those from 49152 on."""
# An action server misses an endpoints.yml that no test needs.
_COMPLAINT = re.compile(r"Unclosed|Traceback|Exception ignored|ERROR\s+(?!rasa_sdk\.tracing|\s)")


@dataclass(frozen=True)
class Process:
    """A process that was started here, and the log of what it says on both outputs."""

    name: str
    log: Path
    _process: asyncio.subprocess.Process = field(repr=False)

    @classmethod
    async def start(
        cls, log: Path, *command: str | Path, cwd: Path, variables: Mapping[str, str]
    ) -> Process:
        """Start a command whose environment is `variables` and what any program needs."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(log.parent),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(log.stem, log, process)

    @property
    def pid(self) -> int:
        """The number that the system gave it, which is that of its group as well."""
        return self._process.pid

    @property
    def output(self) -> str:
        """All that it said so far."""
        return self.log.read_text(errors="replace")

    @property
    def tail(self) -> str:
        """The last lines of it."""
        return "\n".join(self.output.splitlines()[-40:])

    @property
    def complaints(self) -> list[str]:
        """The lines of it that no process should say."""
        return [line for line in self.output.splitlines() if _COMPLAINT.search(line)]

    async def answers(self, url: str, trust: ssl.SSLContext | None = None) -> None:
        """Wait until it answers at this address; `trust` is for https.

        Raises:
            RuntimeError: it ended, or it took too long; the text holds the end of its log.

        """
        deadline = time.monotonic() + _START_TIMEOUT
        connector = aiohttp.TCPConnector(ssl=trust) if trust else None
        async with aiohttp.ClientSession(connector=connector) as http:
            while not await _answers(http, url):
                if self._process.returncode is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name} does not answer:\n{self.tail}")
                await asyncio.sleep(0.05)

    async def exit_code(self, within: float = _START_TIMEOUT) -> int:
        """Wait until it ends by itself.

        Raises:
            asyncio.TimeoutError: it did not, within these seconds.

        """
        return await asyncio.wait_for(self._process.wait(), within)

    def signal(self, number: Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def end(self, number: Signals = SIGTERM) -> int:
        """Ask it to stop, and return its exit code; one that does not stop is killed (-9)."""
        self.signal(number)
        with suppress(asyncio.TimeoutError):
            await self.exit_code(_STOP_TIMEOUT)
        await self.kill()
        return await self.exit_code()

    async def kill(self) -> None:
        """Kill what remains of its group, and wait for it. Does nothing where all have ended."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, SIGKILL)
        await self._process.wait()


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False


def free_port() -> int:
    """Return a port on which no server listens, below those that the system gives away itself.

    A program takes its port seconds later. A simulator in another process, which asks the system
    for any, must not get it meanwhile and hear who waits for that program.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
