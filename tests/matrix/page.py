"""The tables of docs/compatibility.md, as they follow from the cells.

    python -m tests.matrix.page

writes them anew. Of the documents it knows the tables alone, by their header rows.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

from tests.matrix.cells import (
    ADDED_TO_RASA,
    CELLS,
    NEWEST,
    PYTHONS,
    RASA_PINS,
    SDKS,
    Transport,
    pinned,
)
from tests.support.processes import ROOT

DETAILS = ROOT / "docs" / "compatibility.md"
RUNS = "runs"
COLUMNS = [f"Python {python}" for python in PYTHONS]


def tables() -> list[tuple[Path, str]]:
    """Return every table, and the document that holds it."""
    return [(DETAILS, details()), (DETAILS, with_rasa())]


def details() -> str:
    """Return the whole table: one column for each Python, one row for each transport."""
    rows = []
    for sdk, transport in product(SDKS, Transport):
        cells = [cell for cell in CELLS if (cell.sdk, cell.transport) == (sdk, transport)]
        found = (f"not run: {cell.why_not}" if cell.why_not else RUNS for cell in cells)
        rows.append([sdk.version, sdk.beside, transport.value, *found])
    return _table(["rasa-sdk", "other dependencies", "transport", *COLUMNS], *rows)


def with_rasa() -> str:
    """Return the table of the whole conversations, with a real Rasa as the client."""
    rasa, own, added = pinned(RASA_PINS), pinned(NEWEST.pins), pinned(ADDED_TO_RASA)
    name = f"Rasa Open Source {rasa['rasa']}"
    apart = "`python -m rasa_sdk` in an environment of its own (recommended)"
    inside = "`rasa run actions` in Rasa's environment, over its pin of pydantic"
    return _table(
        ["Rasa", "action server", "rasa-sdk", "pydantic", ""],
        [name, apart, own["rasa-sdk"], own["pydantic"], RUNS],
        [name, inside, rasa["rasa-sdk"], added["pydantic"], RUNS],
        ["Rasa Pro", "any", "", "", "not run: it needs a licence"],
    )


def _table(header: list[str], *rows: list[str]) -> str:
    lines = (header, ["---"] * len(header), *rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in lines)


def in_place(text: str, table: str) -> str:
    """Put a table where one with the same header row stands.

    Raises:
        ValueError: none does.

    """
    header, _, _ = table.partition("\n")
    found = re.search(rf"^{re.escape(header)}\n(\|.*\n)*", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"no table begins with: {header}")
    return text[: found.start()] + table + text[found.end() :]


def main() -> None:
    """Write every table anew."""
    for path, table in tables():
        text = path.read_text(encoding="utf-8")
        path.write_text(in_place(text, table), encoding="utf-8")


if __name__ == "__main__":
    main()
