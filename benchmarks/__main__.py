"""The benchmarks: `make bench`, or one of them.

    python -m benchmarks [NAME …] [--quick]

Each prints its tables and writes `results/NAME.json`; `results/figures.md` shows all of them.
The tables and the picture of the documents follow from these. `--quick` runs everything for a
moment only: its figures mean nothing.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import documents, page
from benchmarks.arena import Arena
from benchmarks.processes import Lab
from benchmarks.report import RESULTS, keep
from benchmarks.rounds import FULL, QUICK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.report import Goal

NAMES = ("rasa_turn", "webhook", "held", "circuit", "start")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, run what it names, and sum up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="a moment each")
    parser.add_argument("--rounds", type=int, help="of each comparison")
    parser.add_argument("--results", type=Path, help="folder; with --quick, else nowhere")
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    if options.rounds:
        plan = replace(plan, rounds=options.rounds, long_rounds=options.rounds)
    if shutil.which("wrk") is None:
        parser.error("wrk makes the load, and is not here: apt-get install wrk")
    goals: list[Goal] = []
    with Lab() as lab:
        arena = Arena(lab, plan)
        folder = options.results or (lab.folder if options.quick else RESULTS)
        for name in options.names:
            began = time.monotonic()
            report = importlib.import_module(f"benchmarks.{name}").measure(arena)
            seconds = time.monotonic() - began
            sys.stdout.write(f"\n## {name} ({seconds:.0f} s)\n\n{report}\n")
            sys.stdout.flush()
            keep(name, report.as_json(), folder)
            page.write(folder, NAMES)
            goals += report.goals
    if folder == RESULTS:
        documents.main()
    sys.stdout.write("\n## Goals\n\n" + "\n".join(map(str, goals)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
