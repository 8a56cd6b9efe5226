"""What becomes of lookups if PS7 fails, refuses or repeats itself, and what a lookup costs.

    python -m benchmarks.lookups [--only cost] [--before PATH] [--write]

PS7 here knows every contextId. `--before` names the tree of another release, to compare with.

Exit code 1: of this tree's lookups fewer than nine tenths of what is possible were known, more
logins than allowed were refused, or somebody was another customer.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import trustme

from benchmarks import processor
from benchmarks.figures import circumstances, options, over, publish, shown, table
from benchmarks.ps7 import MOMENTS, PS7, at_once, failing, refusing, repeating
from benchmarks.sides import BEFORE, NOW, Side, trees

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from benchmarks.sides import Looked

    Made = tuple[str, list[str]]
    """A table, and what is wrong."""

WAYS = {"one at a time": 1, "eight at a time": 8}
SHARES, RUNS, FAILING, LEAST = (0.3, 0.5, 0.7), 5, 200, 0.9
"""Of the requests that fail; runs of each, customers of a run, and the part of what is possible."""
REFUSALS = {"401": (401, False), "403": (403, False), "a refused token": (401, True)}
"""The status, and whether the token endpoint refuses."""
TOKENS = {"PS7_APP_KEY": "k", "PS7_APP_SECRET": "s"}
RESET, BEGINS, LASTS, PAUSE = 2.0, 1.0, 32.0, 0.05
"""Seconds: before the first probe; what is the beginning; a run; between a worker's customers."""
PROBES = 4
"""Of this tree, in such a run: 2, 6, 14 and 30 seconds after the circuit opened."""
REPEATED = 300
"""Customers of a run."""
COST = 400
"""Lookups of a round."""


async def look_up(
    tree: Path, ps7: PS7, how_many: int, settings: dict[str, str], **how: float
) -> Looked:
    """Look up in a process of its own."""
    names = [f"customer-{number}" for number in range(how_many)]
    async with Side.of(tree) as side:
        return await side.look_up(ps7.url, names, settings, **how)


async def measure_failing(compared: Mapping[str, Path]) -> Made:
    """Count the customers who are known if requests fail by chance."""

    async def known(tree: Path, share: float, at_a_time: int, seed: int) -> float:
        async with PS7(failing(share, seed)) as ps7:
            looked = await look_up(tree, ps7, FAILING, {}, at_a_time=at_a_time)
        return looked.count("ok") / FAILING

    rows, wrong = [], []
    for share in SHARES:
        possible = 1 - share**3
        for way, at_a_time in WAYS.items():
            cells = []
            for name, tree in compared.items():
                runs = [known(tree, share, at_a_time, seed) for seed in range(RUNS)]
                found = await asyncio.gather(*runs)
                middle = median(found)
                cells.append(f"{middle:.0%} ({min(found):.0%} to {max(found):.0%})")
                if name == NOW and middle < LEAST * possible:
                    wrong.append(f"{share:.0%} fail, {way}: too few are known")
            rows.append((f"{share:.0%}", way, f"{possible:.0%}", *cells))
    header = ("requests that fail", "lookups", "known, with three attempts for each")
    return table((*header, *compared), rows), wrong


async def measure_refused(compared: Mapping[str, Path]) -> Made:
    """Count the refused logins: when traffic begins, and then."""

    async def logins(tree: Path, refusal: str, at_a_time: int) -> tuple[int, int]:
        status, is_of_token = REFUSALS[refusal]
        settings = {"PS7_BREAKER_RESET": str(RESET), **(TOKENS if is_of_token else {})}
        customers = int(at_a_time * LASTS / PAUSE)
        async with PS7(refusing(status)) as ps7:
            await look_up(tree, ps7, customers, settings, at_a_time=at_a_time, pause=PAUSE)
            first = [when for when in ps7.requests if when < ps7.requests[0] + BEGINS]
            return len(first), len(ps7.requests) - len(first)

    jobs = [(refusal, way, name) for refusal in REFUSALS for way in WAYS for name in compared]
    runs = [logins(compared[name], refusal, WAYS[way]) for refusal, way, name in jobs]
    found = dict(zip(jobs, await asyncio.gather(*runs), strict=True))
    rows, wrong = [], []
    for refusal in REFUSALS:
        for way, at_a_time in WAYS.items():
            of_each = [found[refusal, way, name] for name in compared]
            rows.append((refusal, way, *(count for counts in of_each for count in counts)))
            first, then = of_each[-1]
            if first > at_a_time + 1 or then > PROBES:
                wrong.append(f"{refusal}, {way}: {first} and {then} refused logins")
    header = [f"{name}: {when}" for name in compared for when in ("in the first second", "then")]
    return table(("PS7's answer", "lookups", *header), rows), wrong


async def measure_repeated(compared: Mapping[str, Path]) -> Made:
    """Count the customers who are another one if a gateway repeats each answer."""
    rows, wrong = [], []
    for moment in MOMENTS:
        for way, at_a_time in WAYS.items():
            counts = []
            for name, tree in compared.items():
                async with PS7(repeating(moment)) as ps7:
                    looked = await look_up(tree, ps7, REPEATED, {}, at_a_time=at_a_time)
                others = sum(not lookup.is_right for lookup in looked.lookups)
                counts += [others, looked.count("ok") - others]
                if name == NOW and others:
                    wrong.append(f"repeated {moment}, {way}: {others} are another customer")
            rows.append((moment, way, *counts))
    header = [f"{name}: {what}" for name in compared for what in ("another customer", "the right")]
    return table((f"what comes again, {REPEATED} customers", "lookups", *header), rows), wrong


async def measure_cost(compared: Mapping[str, Path], rounds: int = 7) -> Made:
    """Measure what a lookup takes, over http and https."""
    rows = []
    authority = trustme.CA()
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(trust)
    with TemporaryDirectory(prefix="ps7-bench-") as folder:
        authority.cert_pem.write_to_path(file := str(Path(folder) / "ca.pem"))
        for scheme, settings in {"http": {}, "https": {"PS7_CA_FILE": file}}.items():
            times: dict[str, list[float]] = {name: [] for name in compared}
            used: dict[str, list[float]] = {name: [] for name in compared}
            async with PS7(at_once, trust if settings else None) as ps7:
                for number in range(rounds):
                    for name in list(compared)[:: 1 if number % 2 else -1]:
                        looked = await look_up(compared[name], ps7, COST, settings, at_a_time=1)
                        times[name].append(looked.seconds / COST * 1000)
                        used[name].append(looked.processor / COST * 1000)
            for what, found in {"ms": times, "processor time, ms": used}.items():
                ratio = [f"{over(found[NOW], found[BEFORE]):.2f}"] if BEFORE in found else []
                rows.append(
                    (f"a lookup over {scheme}, {what}", *map(shown, found.values()), *ratio)
                )
    ratio = ["ratio"] if BEFORE in compared else []
    return table(("", *compared, *ratio), rows), []


MEASURES: dict[str, Callable[[Mapping[str, Path]], Awaitable[Made]]] = {
    "failing": measure_failing,
    "refused": measure_refused,
    "repeated": measure_repeated,
    "cost": measure_cost,
}
"""By their files in benchmarks/results."""


async def measure(chosen: Sequence[str], before: Path | None, *, write: bool) -> list[str]:
    """Measure one after the other; return what is wrong."""
    os.sched_setaffinity(0, processor.OTHERS)
    wrong = []
    for name in chosen:
        made, found = await MEASURES[name](trees(before))
        publish(name, f"{circumstances()}\n\n{made}", write=write)
        wrong += found
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = options(".lookups", __doc__)
    parser.add_argument("--only", choices=MEASURES, help="one of the tables")
    parser.add_argument("--before", type=Path, help="the tree of another release")
    chosen = parser.parse_args(arguments)
    names = [chosen.only] if chosen.only else [*MEASURES]
    wrong = asyncio.run(measure(names, chosen.before, write=chosen.write))
    for problem in wrong:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
