"""What README.md says the plugin costs is what was measured, and its picture what was drawn."""

from __future__ import annotations

import json
import re
import runpy
from functools import cache
from typing import Any

from benchmarks.report import RESULTS, Figure
from tests.docs.documents import document
from tests.support.processes import ROOT

NOTHING, BARE, REQUESTS = "empty action", "bare aiohttp", "requests"
HELD = ("held", "A turn whose context is held, 32 at a time", "CPU µs")
LOOKUP = ("webhook", "PS7 answers at once, 32 at a time", "CPU µs")
SLOW = ("webhook", "PS7 takes 100 ms, 32 at a time", "answers/s")
RASA = ("rasa_turn", "A whole turn in Rasa 3.6.21 with jsonschema 4.17.3, one user at a time")
IDLE = "an action that does nothing"

# For each row of the table: benchmark, table and column, and whose figures stand in the row.
ROWS = (
    (*RASA, "later turns, ms", ("without the plugin",)),
    (*RASA, "later turns, ms", ("with the plugin", IDLE)),
    (*RASA, "first turn, ms", ("with the plugin", IDLE)),
    (*HELD, ("ours", NOTHING)),
    (*LOOKUP, ("ours", BARE, REQUESTS)),
    (*SLOW, ("ours", BARE, REQUESTS)),
)


@cache
def results(benchmark: str) -> dict[str, Any]:
    """Read what a benchmark wrote."""
    tables = json.loads((RESULTS / f"{benchmark}.json").read_text("utf-8"))["tables"]
    assert isinstance(tables, dict)
    return tables


def test_the_figures_are_those_that_were_measured() -> None:
    """Each of them, to the digit: a new measurement wants them written anew."""
    (table,) = (each for each in document("README.md").tables if "plugin" in each.header)
    said = [re.findall(r"[\d.,]*\d", "|".join(row[1:])) for row in table.rows]
    found = [
        [
            str(Figure.of(results(benchmark)[name][side][column]["rounds"])).split()[0]
            for side in sides
        ]
        for benchmark, name, column, sides in ROWS
    ]
    assert said == found


def test_the_picture_of_a_turn_is_what_its_script_draws() -> None:
    """`python docs/pictures/one_turn.py` draws it anew; a screen reader is told what it shows."""
    script = runpy.run_path(str(ROOT / "docs" / "pictures" / "one_turn.py"))
    drawn = (ROOT / "docs" / "images" / "one-turn.svg").read_text(encoding="utf-8")
    assert drawn == script["picture"]()
    assert script["TITLE"] in drawn
    assert script["DESCRIPTION"] in drawn
