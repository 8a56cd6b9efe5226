"""Load on an action server: as much as it takes, made by wrk.

What the server used meanwhile is measured from outside, over all of its processes.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks.processes import OTHER_CORES, ROOT, only_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.processes import Lab
    from benchmarks.sides import Server

_SCRIPT = Path(__file__).parent / "post.lua"
_SAMPLE_EVERY = 0.1


@dataclass(frozen=True)
class Calls:
    """What is posted, and what tells that an answer is right."""

    file: Path
    """One call a line, as JSON."""
    expected: str
    """Text that every answer holds."""

    @classmethod
    def write(cls, lab: Lab, calls: Iterable[bytes], expected: str) -> Calls:
        """Write calls down, to be posted in turn."""
        file = lab.folder / f"{uuid4()}.calls"
        file.write_bytes(b"".join(call + b"\n" for call in calls))
        return cls(file, expected)


@dataclass(frozen=True)
class Load:
    """What came of a load, and what it took."""

    answers: int
    wrong: int
    """Answers that say something else than expected."""
    lost: int
    """Requests without an answer."""
    seconds: float
    p50: float
    """Milliseconds, as p99 and max."""
    p99: float
    max: float
    cpu: float
    """Microseconds of the server's processes for each answer."""
    memory: float
    """Their resident memory at its highest, above that at rest, in MiB."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def saturate(server: Server, calls: Calls, *, at_a_time: int, seconds: int) -> Load:
    """Send one call after the other over each of so many connections."""
    command = [
        *("wrk", "--threads=1", f"--connections={at_a_time}", f"--duration={seconds}s"),
        *("--timeout=30s", f"--script={_SCRIPT}", server.url),
        *("--", str(calls.file), calls.expected),
    ]
    return _measure(server, command)


def _measure(server: Server, command: list[str]) -> Load:
    server.wait()
    running = server.running
    running.take_census()  # a second worker may answer later than the first
    used, peak = running.cpu_seconds(), running.resident()
    with only_on(OTHER_CORES):
        generator = subprocess.Popen(  # noqa: S603 - wrk
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while generator.poll() is None:
            time.sleep(_SAMPLE_EVERY)
            peak = max(peak, running.resident())
        output, _ = generator.communicate()
    if generator.returncode:
        raise RuntimeError(output)
    result: dict[str, Any] = json.loads(output.strip().rpartition("\n")[2])
    used = running.cpu_seconds() - used
    cpu = used / max(result["answers"], 1) * 1e6
    return Load(**result, cpu=cpu, memory=peak - running.rest)
