"""Where the microseconds of a turn go: our functions, and what they call.

    python -m benchmarks.profile [--turns 20000] [--name profile]

Three times: a lookup, a turn whose context is held, and a lookup with bare aiohttp to compare with,
in turn and several times over, each in a process of its own (`benchmarks.profiled`). A row is the
innermost function of ours that was found on the stack, with everything that it calls, so that no
microsecond is in two rows. Other than under a profiler that counts calls, a function that is called
often looks no dearer than it is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from benchmarks.circumstances import circumstances, in_words
from benchmarks.processes import FIRST_CORE, Lab
from benchmarks.report import RESULTS
from benchmarks.rounds import interleave
from benchmarks.sides import BARE, OURS

if TYPE_CHECKING:
    from collections.abc import Sequence

TURNS, ROUNDS = 20_000, 5
_CASES = {
    "A lookup": (OURS, ""),
    "A turn whose context is held": (OURS, "--held"),
    "A lookup with bare aiohttp": (BARE, ""),
}
_LEAST = 1.0
"""Microseconds; rows of less are added up."""
_BETWEEN = "between our functions"


def profile(turns: int, name: str, folder: Path) -> None:
    """Profile all cases, and write the tables down."""
    with Lab() as lab:
        ps7 = lab.url_of("stub")

        def one(title: str) -> dict[str, Any]:
            side, how = _CASES[title]
            child = lab.start(
                "profiled",
                *("-m", "benchmarks.profiled", side.actions, str(turns // ROUNDS), how),
                cores=FIRST_CORE,
                variables=side.environment(ps7),
            )
            if child.process.wait():
                raise RuntimeError(child.said()[-2000:])
            lines = child.said().splitlines()
            read: dict[str, Any] = json.loads(next(line for line in lines if '{"micros"' in line))
            return read

        measured = interleave(_CASES, ROUNDS, one)
    tables = [_table(title, rounds) for title, rounds in measured.items()]
    head = f"# Where the microseconds of a turn go\n\n{in_words(circumstances())}\n"
    text = "\n".join([head, *tables])
    sys.stdout.write(text)
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _table(title: str, rounds: Sequence[dict[str, Any]]) -> str:
    micros = mean(measured["micros"] for measured in rounds)
    rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    total = sum(count for measured in rounds for *_, count in measured["samples"])
    for measured in rounds:
        for function, library, count in measured["samples"]:
            rows[function or _BETWEEN][library or "itself"] += count * micros / total
    ordered = sorted(rows.items(), key=lambda row: -row[1].total())
    large = [(name, parts) for name, parts in ordered if parts.total() >= _LEAST]
    rest = micros - sum(parts.total() for _, parts in large)
    lines = [
        f"## {title}: {micros:.0f} µs of CPU, without HTTP's server side",
        "",
        "| function | µs | of which in |",
        "| --- | ---: | --- |",
        *(f"| {name} | {parts.total():.1f} | {_parts(parts)} |" for name, parts in large),
        f"| others | {rest:.1f} | |",
    ]
    return "\n".join(lines) + "\n"


def _parts(parts: Counter[str]) -> str:
    large = [(name, micros) for name, micros in parts.most_common() if micros >= _LEAST]
    return ", ".join(f"{name} {micros:.1f}" for name, micros in large)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS, help="of each case")
    parser.add_argument("--name", default="profile", help="of the file that is written")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder")
    options = parser.parse_args(arguments)
    profile(options.turns, options.name, options.results)


if __name__ == "__main__":
    main()
