"""The processes of a measurement: each with its log, the cores it may use, and what it used.

The server that is measured has the first core for itself, and whatever stands around it the other
ones; where there is but one core, they share it. Nothing here knows what runs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.request import urlopen

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from types import TracebackType

    from typing_extensions import Self

ROOT = Path(__file__).parents[1]
CORES = sorted(os.sched_getaffinity(0))
FIRST_CORE, OTHER_CORES = CORES[:1], CORES[1:] or CORES
_START_TIMEOUT, _STOP_TIMEOUT = 60.0, 10.0


@dataclass
class Running:
    """A process, and those that it starts."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]
    rest: float = 0.0
    """Resident memory when it first answered, in MiB."""
    _family: list[psutil.Process] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """Return the time that all of them have spent on a processor so far."""
        times = [process.cpu_times() for process in self._family]
        return float(sum(time.user + time.system for time in times))

    def resident(self) -> float:
        """Return their resident memory, in MiB; what they share counts for each of them."""
        return float(sum(process.memory_info().rss for process in self._family)) / 2**20

    def proportional(self) -> float:
        """Return their memory, in MiB; what they share counts once."""
        return float(sum(process.memory_full_info().pss for process in self._family)) / 2**20

    def _tree(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def said(self) -> str:
        """Return what they said so far, on both outputs."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def first_line(self) -> str:
        """Wait until it has said a line."""
        self._wait_until(lambda: "\n" in self.said())
        return self.said().partition("\n")[0]

    def answers(self, url: str, pause: float) -> None:
        """Wait until something answers at this address."""
        self._wait_until(lambda: _is_there(url), pause)
        if not self._family:
            self.take_census()
            self.rest = self.resident()

    def take_census(self) -> None:
        """Find out which processes it is made of by now."""
        self._family = self._tree()

    def _wait_until(self, true: Callable[[], bool], pause: float = 0.05) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while not true():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not answer:\n{self.said()[-2000:]}")
            time.sleep(pause)

    def end(self) -> None:
        """Stop it, and what is left of those that it started."""
        with suppress(psutil.NoSuchProcess):
            tree = self._tree()
            self.process.terminate()
            _, left = psutil.wait_procs(tree, _STOP_TIMEOUT)
            for process in left:
                process.kill()
        self.process.wait()


class Lab:
    """Starts processes, and ends them all."""

    def __init__(self) -> None:
        self._running: list[Running] = []

    def start(
        self,
        name: str,
        *arguments: str,
        cores: Collection[int] = OTHER_CORES,
        variables: Mapping[str, str] | None = None,
    ) -> Running:
        """Start Python with these arguments; its environment is `variables` and little else."""
        log = self.folder / f"{len(self._running)}-{name.replace(' ', '-')}.log"
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            **(variables or {}),
        }
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, *arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509 - no thread here
            )
        running = Running(name, log, process)
        self._running.append(running)
        return running

    def url_of(self, module: str, *arguments: str) -> str:
        """Start a module of ours that says where it listens."""
        return self.start(module, "-m", f"benchmarks.{module}", *arguments).first_line()

    def __enter__(self) -> Self:
        """Let this process, and all that it starts, open as many connections as the system lets."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._scratch = TemporaryDirectory()
        self.folder = Path(self._scratch.name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every process that was started here, and no other."""
        for running in reversed(self._running):
            running.end()
        self._scratch.cleanup()


@contextmanager
def only_on(cores: Collection[int]) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _is_there(url: str) -> bool:
    try:
        with urlopen(url, timeout=1) as answer:  # noqa: S310 - a server of ours
            return bool(answer.status == 200)  # noqa: PLR2004 - the status
    except OSError:
        return False
