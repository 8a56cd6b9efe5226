"""A rush: how many customers are known if more come than a slow but healthy PS7 has room for.

    python -m benchmarks.rush [--seconds 30] [--before PATH] [--write]

PS7 answers everything in half a second, and 100 requests a second are possible. The limit is either
`PS7_MAX_CONNECTIONS`, or PS7's own: then requests wait there, first in, first out, those whose
client has gone as well. Customers arrive at a steady rate above that, one lookup each. `--before`
names the tree of another release, to compare with.

Exit code 1: of this tree's lookups fewer than nine tenths of what is possible were known, the
circuit opened, or memory grew by more than 64 MiB. A `PS7_MAX_CONNECTIONS` that is larger than
PS7's own room is shown, and not judged: no client can know that room.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import processor
from benchmarks.figures import circumstances, options, publish, table
from benchmarks.ps7 import PS7, customer
from benchmarks.sides import NOW, Looked, Side, trees

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from benchmarks.ps7 import Connection, Request

ROOM, TAKES = 50, 0.5
"""Requests at a time, and seconds for each of them."""
CAPACITY = ROOM / TAKES
OURS, PS7S = "`PS7_MAX_CONNECTIONS`", "PS7, and `PS7_MAX_CONNECTIONS` is as large"
TOO_MANY = "PS7, and `PS7_MAX_CONNECTIONS` is 256"
FACTORS = (1.2, 1.5)
LEAST, MOST_MEMORY = 0.9, 64 * 2**20


def slow(room: int | None) -> Callable[[Request, Connection], Awaitable[bytes]]:
    """Make a PS7 that takes its time, and has room for so many requests at a time."""
    places = asyncio.Semaphore(room or 1_000_000)

    async def behave(request: Request, _connection: Connection) -> bytes:
        async with places:
            await asyncio.sleep(TAKES)
        return customer(request)

    return behave


KINDS = {OURS: (None, ROOM), PS7S: (ROOM, ROOM), TOO_MANY: (ROOM, 256)}
"""What the limit is: PS7's own room, and PS7_MAX_CONNECTIONS."""


async def rush(tree: Path, kind: str, factor: float, seconds: float) -> tuple[Looked, PS7]:
    """Let customers come for so long, at so many times what there is room for."""
    room, connections = KINDS[kind]
    settings = {"PS7_MAX_CONNECTIONS": str(connections)}
    rate = CAPACITY * factor
    customers = [f"customer-{number}" for number in range(int(rate * seconds))]
    async with PS7(slow(room)) as ps7, Side.of(tree) as side:
        return await side.look_up(ps7.url, customers, settings, rate=rate), ps7


def row(looked: Looked, ps7: PS7, factor: float) -> list[object]:
    """Lay out what came of a run."""
    known = [lookup.seconds for lookup in looked.lookups if lookup.outcome == "ok"]
    failed = Counter(lookup.reason for lookup in looked.lookups if lookup.outcome != "ok")
    return [
        f"{share(looked):.0%} of {1 / factor:.0%}",
        f"{median(known):.1f} s" if known else "",
        ", ".join(f"{reason} {times}" for reason, times in failed.most_common()),
        looked.opened,
        len(ps7.requests),
        ps7.most,
        f"{looked.memory / 2**20:.0f} MiB",
    ]


def share(looked: Looked) -> float:
    """Return how many of all are known."""
    return looked.count("ok") / len(looked.lookups)


COLUMNS = (
    *("what is full", "rate", "", "known, of what is possible", "a known one's time"),
    *("the others", "circuit opened", "requests", "most under way at PS7", "memory grew by"),
)


async def measure(before: Path | None, seconds: float) -> tuple[str, list[str]]:
    """Run all; return the table, and what is wrong."""
    os.sched_setaffinity(0, processor.OTHERS)
    rows, wrong = [], []
    for kind in KINDS:
        for factor in FACTORS:
            for name, tree in trees(before).items():
                looked, ps7 = await rush(tree, kind, factor, seconds)
                rows.append([kind, f"{factor} times", name, *row(looked, ps7, factor)])
                sys.stderr.write(f"{rows[-1]}\n")
                if name == NOW and kind != TOO_MANY:
                    wrong += [f"{kind}, {factor} times: {what}" for what in bad(looked, factor)]
    return table(COLUMNS, rows), wrong


def bad(looked: Looked, factor: float) -> list[str]:
    """Name what must not be."""
    found = {
        "too few are known": share(looked) < LEAST / factor,
        "the circuit opened": looked.opened,
        "memory grew": looked.memory > MOST_MEMORY,
        "somebody is another customer": not all(lookup.is_right for lookup in looked.lookups),
    }
    return [what for what, is_so in found.items() if is_so]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = options(".rush", __doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each run")
    parser.add_argument("--before", type=Path, help="the tree of another release")
    chosen = parser.parse_args(arguments)
    shown, wrong = asyncio.run(measure(chosen.before, chosen.seconds))
    publish("rush", f"{circumstances()}\n\n{shown}", write=chosen.write)
    for problem in wrong:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
