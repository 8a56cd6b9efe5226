"""Figures as a reader sees them, and the files that keep them: docs/figures.md says what they mean.

A figure is the median of several rounds, with the quartiles. A ratio is taken round by round, so
that a moment in which the machine was slow falls on both sides of it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RESULTS = Path(__file__).parent / "results"
_DIGITS = 3


def shown(rounds: Sequence[float]) -> str:
    """Return the median, and the quartiles of several rounds."""
    if len(rounds) == 1:
        return number(rounds[0])
    low, middle, high = map(number, quantiles(rounds, method="inclusive"))
    return f"{middle} ({low} to {high})"


def over(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios, round by round."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def number(value: float) -> str:
    """Write a number with three digits."""
    decimals = max(0, _DIGITS - len(str(int(abs(value)))))
    return f"{value:,.{decimals}f}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a table in Markdown, which a terminal shows as well."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def of_one_run(header: str, figures: Mapping[str, object]) -> str:
    """Lay out the figures of one run, each under its name."""
    return table((header, ""), figures.items())


def circumstances(**versions: str) -> str:
    """Name the day, the machine and the versions."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name\t: ")[2]
    installed = {name: version(name) for name in ("rasa-sdk", "aiohttp")}
    versions = {"Python": platform.python_version(), **installed, **versions}
    today = datetime.now(timezone.utc).date().isoformat()
    named = ", ".join(f"{name} {which}" for name, which in versions.items())
    processor = cpu.partition("\n")[0].strip()
    return f"Measured on {today}: {processor}, {os.cpu_count()} cores; {named}."


def options(name: str, about: str | None) -> argparse.ArgumentParser:
    """Begin the command line of a benchmark."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks{name}", description=about)
    parser.add_argument(
        "--write", action="store_true", help="keep the tables in benchmarks/results as well"
    )
    return parser


def publish(name: str, text: str, *, write: bool) -> None:
    """Show what was measured, and write it into its file if it is to be kept."""
    sys.stdout.write(f"\n{text}\n")
    sys.stdout.flush()
    if write:
        (RESULTS / f"{name}.md").write_text(f"{text}\n", encoding="utf-8")
