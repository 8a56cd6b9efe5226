"""The processes of one run: started here, logged in one folder, and ended together."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.support.processes import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_START_TIMEOUT = 60.0


class Crew:
    """Starts processes, gives them ports, and ends those that are still there at the end."""

    def __init__(self, folder: Path) -> None:
        """Take a folder for logs, in which the processes work unless they are told otherwise."""
        self.folder = folder
        self._processes: list[tuple[Process, signal.Signals]] = []
        self._held: list[socket.socket] = []
        self._begun: Counter[str] = Counter()

    def port(self) -> int:
        """Ask the system for a port of 127.0.0.1, and hold it until the end.

        A server may listen on it, and again after it was killed: with SO_REUSEADDR, which every
        server sets, that is allowed beside a socket that does not listen. The system gives the port
        to no outgoing connection meanwhile; there are thousands of those in a run.
        """
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        self._held.append(held)
        port: int = held.getsockname()[1]
        return port

    async def start(
        self,
        name: str,
        *command: str | Path,
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
        stop: signal.Signals = signal.SIGTERM,
    ) -> Process:
        """Start a process that stays, and that ends at the signal `stop`.

        Each has a log of its own, also where it has the name of an earlier one.
        """
        self._begun[name] += 1
        log = self.folder / f"{name}.{self._begun[name]}.log"
        folder = cwd or self.folder
        process = await Process.start(log, *command, cwd=folder, variables=variables or {})
        self._processes.append((process, stop))
        return process

    async def run(
        self,
        name: str,
        *command: str | Path,
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Run a process that ends by itself, and return what it said.

        Raises:
            RuntimeError: its exit code is not 0; the text holds the end of its log.

        """
        process = await self.start(name, *command, cwd=cwd, variables=variables)
        if await process.exit_code():
            raise RuntimeError(f"{name} failed:\n{process.tail}")
        return process.output

    def secrets(self, name: str, values: Mapping[str, str]) -> Path:
        """Write secrets, one file each, and return their folder."""
        folder = self.folder / f"{name}.secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        for variable, value in values.items():
            (folder / variable).write_text(value)
        return folder

    async def end(self) -> None:
        """End all of them, and let go of the ports."""
        await asyncio.gather(*(process.end(stop) for process, stop in self._processes))
        for held in self._held:
            held.close()


async def until_it_says(process: Process, words: str) -> None:
    """Wait until these words stand in a log.

    Raises:
        RuntimeError: they took too long; the text holds the end of the log.

    """
    deadline = time.monotonic() + _START_TIMEOUT
    while words not in process.output:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{process.name} does not start:\n{process.tail}")
        await asyncio.sleep(0.02)
