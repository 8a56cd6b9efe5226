"""The benchmarks: `make bench`, or one of them.

    python -m benchmarks [--only turn] [--rounds 5] [--seconds 2] [--write]

`turn` is a turn in a real Rasa, `actions` the action server alone. `--write` keeps the tables in
benchmarks/results. Measure on cores that have nothing else to do.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import actions, processor, turn
from benchmarks.figures import options, publish
from tests.support.processes import ROOT, Process, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURES = {"turn": turn.measure, "actions": actions.measure}


async def run(names: Sequence[str], rounds: int, seconds: int, *, write: bool) -> None:
    """Start PS7's stub, and measure one after the other beside the core of what is measured."""
    os.sched_setaffinity(0, processor.OTHERS)
    with TemporaryDirectory(prefix="ps7-bench-") as scratch:
        folder, port = Path(scratch), str(free_port())
        command = (sys.executable, "-m", "benchmarks.stub", port)
        stub = await Process.start(folder / "stub.log", *command, cwd=ROOT, variables={})
        try:
            await stub.answers(url := f"http://127.0.0.1:{port}")
            for name in names:
                publish(name, await MEASURES[name](folder, url, rounds, seconds), write=write)
        finally:
            await stub.end()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = options("", __doc__)
    parser.add_argument("--only", choices=MEASURES, help="one of them")
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison")
    parser.add_argument("--seconds", type=int, default=2, help="of load on each side in each round")
    chosen = parser.parse_args(arguments)
    names = [chosen.only] if chosen.only else [*MEASURES]
    asyncio.run(run(names, chosen.rounds, chosen.seconds, write=chosen.write))
    return 0


if __name__ == "__main__":
    sys.exit(main())
