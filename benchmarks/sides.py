"""The plugin of this tree, and of another one beside it: each looks up in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import processor
from benchmarks.bot import environment
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

NOW, BEFORE = "now", "before"
_PROGRAM = ROOT / "benchmarks" / "peers" / "lookups.py"
_LONGEST_LINE = 2**26


class Lookup(NamedTuple):
    """How a lookup ended."""

    outcome: str
    reason: str
    seconds: float
    is_right: bool
    """Not another one's customer."""


@dataclass(frozen=True)
class Looked:
    """What came of a job."""

    lookups: list[Lookup]
    opened: int
    """How often the circuit opened."""
    seconds: float
    processor: float
    """Seconds of processor time."""
    memory: int
    """Bytes by which it grew, at most."""

    def count(self, outcome: str) -> int:
        """Return how many ended so."""
        return sum(lookup.outcome == outcome for lookup in self.lookups)


class Side:
    """A process that looks up with one tree's plugin."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def of(cls, tree: Path) -> AsyncIterator[Side]:
        """Run one on the first core."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, _PROGRAM),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tree)},
            limit=_LONGEST_LINE,
        )
        try:
            processor.keep_on(processor.FIRST, process.pid)
            yield cls(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()  # it ends when there are no more jobs
            await process.wait()

    async def look_up(
        self,
        url: str,
        context_ids: Iterable[str],
        settings: dict[str, str] | None = None,
        **how: float,
    ) -> Looked:
        """Look up at a place; `how` is `rate`, or `at_a_time` and `pause`.

        Raises:
            RuntimeError: the process ended.

        """
        ended, asked = self._process.stdout, self._process.stdin
        if asked is None or ended is None:
            raise RuntimeError
        job = {
            "settings": environment(url) | (settings or {}),
            "context_ids": [*context_ids],
            **how,
        }
        asked.write(json.dumps(job).encode() + b"\n")
        line = await ended.readline()
        if not line:
            raise RuntimeError("the process that looks up has ended")
        found: dict[str, Any] = json.loads(line)
        return Looked(**{**found, "lookups": [Lookup(*each) for each in found["lookups"]]})


def trees(before: Path | None) -> dict[str, Path]:
    """Return the trees to compare, by what a table calls them."""
    return {**({BEFORE: before.resolve()} if before else {}), NOW: ROOT}
