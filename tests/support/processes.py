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
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).parents[2]
RASA = Path(__file__).with_name("rasa_command.py")
"""What Rasa's Python runs instead of `-m rasa`."""

_PATIENCE, _STOP_PATIENCE = 60.0, 20.0
"""Seconds without progress after which a process is given up; a busy machine may be slow."""
_ONE_ANSWER = aiohttp.ClientTimeout(total=_PATIENCE)
_PORTS = range(20_000, 32_000)
"""Linux gives away those from 32768 on, macOS and Windows those from 49152 on."""
# An action server misses an endpoints.yml that no test needs.
_COMPLAINT = re.compile(r"Unclosed|Traceback|Exception ignored|ERROR\s+(?!rasa_sdk\.tracing|\s)")
_MANAGER_FELL = "Experienced exception while trying to serve"
"""Said by Sanic's manager, which may fall when it is told to end; its tracebacks follow."""


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    variables: Mapping[str, str] | None = None,
    said: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whose environment is `variables` and what any program needs.

    `said` is what is typed into it.
    """
    needed = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**needed, **(variables or {})},
        input=said,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )


def printed(*command: str | Path, **options: Any) -> str:  # noqa: ANN401 - handed on
    """Return what a command prints, which must succeed."""
    done = run(*command, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
        said = self.output
        if _MANAGER_FELL in said:
            said = said.replace("Traceback", "")
        return [line for line in said.splitlines() if _COMPLAINT.search(line)]

    async def answers(self, url: str, trust: ssl.SSLContext | None = None) -> None:
        """Wait until it answers at this address; `trust` is for https.

        Raises:
            RuntimeError: it ended, or makes no progress; the text holds the end of its log.

        """
        progress = Progress(self)
        connector = aiohttp.TCPConnector(ssl=trust) if trust else None
        async with aiohttp.ClientSession(connector=connector, timeout=_ONE_ANSWER) as http:
            while True:
                with suppress(aiohttp.ClientError, asyncio.TimeoutError):
                    async with http.get(url) as answer:
                        if answer.ok:
                            return
                if self.has_ended or not progress.is_made:
                    raise RuntimeError(f"{self.name} does not answer {url}:\n{self.tail}")
                await asyncio.sleep(0.05)

    async def exit_code(self, patience: float = _PATIENCE) -> int:
        """Wait until it ends by itself.

        Raises:
            asyncio.TimeoutError: it made no progress for so many seconds; the text holds the end of
                its log.

        """
        progress = Progress(self, patience)
        while progress.is_made:
            with suppress(asyncio.TimeoutError):
                return await asyncio.wait_for(self._process.wait(), 0.5)
        raise asyncio.TimeoutError(f"{self.name} does not end:\n{self.tail}")

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    def signal(self, number: Signals) -> None:
        """Send it a signal, if it still runs."""
        if not self.has_ended:
            self._process.send_signal(number)

    async def end(self, number: Signals = SIGTERM) -> int:
        """Ask it to stop, and return its exit code; one that does not stop is killed (-9)."""
        self.signal(number)
        with suppress(asyncio.TimeoutError):
            # What sends metrics all the time makes progress for ever.
            await asyncio.wait_for(self.exit_code(_STOP_PATIENCE), _PATIENCE)
        await self.kill()
        return await self._process.wait()

    async def kill(self) -> None:
        """Kill what remains of its group, and wait for it. Does nothing where all have ended."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, SIGKILL)
        await self._process.wait()


class Progress:
    """Whether a process gets on: its log grows, or its group uses the processor."""

    def __init__(self, process: Process, patience: float = _PATIENCE) -> None:
        """Begin now, and be patient for so many seconds."""
        self._process, self._patience = process, patience
        self._size, self._used = 0, 0.0
        self._since = self._looked = time.monotonic()

    @property
    def is_made(self) -> bool:
        """Whether there was some in the last seconds."""
        now = time.monotonic()
        if now - self._looked >= 1:
            self._looked = now
            size, used = self._process.log.stat().st_size, _processor_seconds(self._process.pid)
            # A second of it: a server that only waits uses some, too.
            if size > self._size or abs(used - self._used) >= 1:
                self._size, self._used, self._since = size, used, now
        return now - self._since < self._patience


def _processor_seconds(pid: int) -> float:
    used = 0.0
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        for each in (leader, *leader.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                used += sum(each.cpu_times()[:2])
    return used


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
