"""All figures on one page, from the files that the benchmarks wrote: `results/figures.md`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.circumstances import in_words
from benchmarks.report import Figure, Goal, Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HEAD = "# What the benchmarks found\n\nHow it was measured: [docs/performance.md]({docs})."
_DOCS = "../../docs/performance.md"


def write(folder: Path, names: Iterable[str]) -> None:
    """Bring together what these benchmarks have found so far, the goals first."""
    files = {name: folder / f"{name}.json" for name in names}
    found = {
        name: json.loads(file.read_text(encoding="utf-8"))
        for name, file in files.items()
        if file.exists()
    }
    goals = [Goal.read(goal) for report in found.values() for goal in report["goals"]]
    sections = (_section(name, report) for name, report in found.items())
    page = "\n\n".join([_HEAD.format(docs=_DOCS), _goals(goals), *sections])
    (folder / "figures.md").write_text(f"{page}\n", encoding="utf-8")


def _goals(goals: Iterable[Goal]) -> str:
    lines = [
        "## Goals\n",
        "| what | goal | median (quartiles of the rounds) | |",
        "| --- | --- | --- | --- |",
        *(
            f"| {goal.what} | {goal.bound} {goal.limit:g} | {goal.figure} | "
            f"{'met' if goal.met else 'missed'} |"
            for goal in goals
        ),
    ]
    return "\n".join(lines)


def _section(name: str, report: dict[str, Any]) -> str:
    tables = (str(_table(*table)) for table in report["tables"].items())
    return "\n\n".join([f"## {name}\n\n{in_words(report)}", *report["notes"], *tables])


def _table(title: str, rows: dict[str, dict[str, Any]]) -> Table:
    table = Table(title)
    for row, cells in rows.items():
        table.add(row, {column: Figure.of(cell["rounds"]) for column, cell in cells.items()})
    return table
