"""The tables of costs in the documents, and their picture, as they follow from the results.

    python -m benchmarks.documents

writes them anew, which `make bench` does at its end. Of the documents it knows the tables alone, by
their header rows.
"""

from __future__ import annotations

import json
import runpy
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.rasa_bots import (
    AT_START,
    BANK,
    BASE,
    EVERY_TURN,
    FAR,
    NEWER_JSONSCHEMA,
    NOTHING,
    ONCE,
    POSTGRES,
    SEGMENT_ALONE,
    WITHOUT,
)
from benchmarks.rasa_turn import CROWD, FIRST, LATER
from benchmarks.report import RESULTS, Figure, Goal
from tests.matrix.page import in_place
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
PICTURE = DOCS / "images" / "turn-cost.svg"
_SCRIPT = DOCS / "pictures" / "turn_cost.py"
_NOT_MEASURED = "-"

# What stands over the columns of a table that compares bots, or action servers, and whose figures.
_BOTS = ("without the plugin", "plugin, every turn", "plugin, at session start")
_DOES = (WITHOUT, EVERY_TURN, AT_START)
_SERVERS = ("plugin", "an action that does nothing", "bare aiohttp", "`requests`")
_SIDES = ("ours", "empty action", "bare aiohttp", "requests")


class Row(NamedTuple):
    """A row's name, and where its figures stand: a benchmark, a table of it, a column of that."""

    name: str
    benchmark: str
    table: str
    column: str

    def figures(self, rows: tuple[str, ...]) -> list[str]:
        """Return those of these rows of the benchmark's table, with their quartiles."""
        table = read(self.benchmark)["tables"].get(self.table, {})
        cells = [table.get(row, {}).get(self.column) for row in rows]
        return [str(Figure.of(cell["rounds"])) if cell else _NOT_MEASURED for cell in cells]


_HELD = ("held", "A turn whose context is held, 32 at a time", "CPU µs")
_LOOKUP = ("webhook", "PS7 answers at once, 32 at a time", "CPU µs")
_SLOW = ("webhook", "PS7 takes 100 ms, 32 at a time", "answers/s")


def read(benchmark: str) -> dict[str, Any]:
    """Return what a benchmark wrote."""
    found: dict[str, Any] = json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))
    return found


def tables() -> list[tuple[Path, str]]:
    """Return every table, and the document that holds it."""
    performance = DOCS / "performance.md"
    return [
        (
            performance,
            _compare(
                ("a later turn, ms", *_BOTS),
                _DOES,
                *(
                    Row(setting, "rasa_turn", setting, LATER)
                    for setting in (BASE, BANK, FAR, POSTGRES, NEWER_JSONSCHEMA)
                ),
                Row("base case, the first turn", "rasa_turn", BASE, FIRST),
            ),
        ),
        (performance, _crowd()),
        (performance, _goals("ratio, round by round", "rasa_turn")),
        (
            performance,
            _compare(
                ("one worker of the action server", *_SERVERS),
                _SIDES,
                Row("processor time of a turn whose customer is known, µs", *_HELD),
                Row("processor time of a lookup, µs", *_LOOKUP),
                Row("lookups a second while PS7 takes 100 ms, 32 at a time", *_SLOW),
            ),
        ),
        (performance, _goals("ratio in the action server", "webhook", "held", "circuit")),
        (
            DOCS / "integration.md",
            _compare(
                ("a later turn, ms", *_BOTS),
                _DOES,
                Row("jsonschema 3.2.0", "rasa_turn", BASE, LATER),
                Row("jsonschema 4.17.3", "rasa_turn", NEWER_JSONSCHEMA, LATER),
            ),
        ),
    ]


def _compare(header: tuple[str, ...], sides: tuple[str, ...], *rows: Row) -> str:
    return _table(header, *([row.name, *row.figures(sides)] for row in rows))


def _crowd() -> str:
    columns = ("turns/s", "median wait, ms", "CPU of Rasa, ms", "CPU of the action server, ms")
    bots = (WITHOUT, NOTHING, ONCE, EVERY_TURN, AT_START, SEGMENT_ALONE)
    found = [Row(column, "rasa_turn", CROWD, column).figures(bots) for column in columns]
    return _table((CROWD, *columns), *(list(row) for row in zip(bots, *found, strict=True)))


def _goals(header: str, *benchmarks: str) -> str:
    rows = []
    for goal in (Goal.read(each) for name in benchmarks for each in read(name)["goals"]):
        met = "met" if goal.met else "**missed**"
        rows.append([goal.what, f"{goal.bound} {goal.limit:g}", str(goal.figure), met])
    return _table((header, "aimed at", "measured", "goal"), *rows)


def _table(header: tuple[str, ...], *rows: list[str]) -> str:
    lines = (header, ["---"] * len(header), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Write all of them anew."""
    for path, table in tables():
        text = path.read_text(encoding="utf-8")
        path.write_text(in_place(text, table), encoding="utf-8")
    PICTURE.write_text(runpy.run_path(str(_SCRIPT))["picture"](), encoding="utf-8")


if __name__ == "__main__":
    main()
