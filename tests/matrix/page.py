"""The tables of both READMEs and docs/compatibility.md, as they follow from the cells.

    python -m tests.matrix.page

writes them anew. Of the documents it knows the tables alone, by their header rows.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from tests.matrix.cells import (
    ACTION_SERVERS,
    CELLS,
    PYTHONS,
    RASA_PINS,
    SDKS,
    Cell,
    Sdk,
    Transport,
    pinned,
)
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

READMES = (ROOT / "README.md", ROOT / "README.pt-BR.md")
DETAILS = ROOT / "docs" / "compatibility.md"
RUNS = "runs"
NOT_RUN = "–"


def tables() -> list[tuple[Path, str]]:
    """Return every table, and the document that holds it."""
    short = [(path, summary()) for path in READMES]
    return [*short, (DETAILS, details()), (DETAILS, with_rasa())]


def summary() -> str:
    """Return README's table: the transports that are run, for each rasa-sdk and Python."""
    rows: dict[str, list[str]] = {}
    for sdk in SDKS:
        cells = [[cell for cell in CELLS if (cell.sdk, cell.python) == (sdk, p)] for p in PYTHONS]
        rows.setdefault(sdk.version, [_transports(some) for some in cells])
    return _table(["rasa-sdk", *(f"Python {p}" for p in PYTHONS)], rows)


def details() -> str:
    """Return the whole table: one column for each Python, one row for each transport."""
    rows = {}
    for sdk, transport in product(SDKS, Transport):
        cells = [cell for cell in CELLS if (cell.sdk, cell.transport) == (sdk, transport)]
        rows[_row(sdk, transport)] = [_verdict(cell) for cell in cells]
    header = ["rasa-sdk", "other dependencies", "transport", *(f"Python {p}" for p in PYTHONS)]
    return _table(header, rows)


def with_rasa() -> str:
    """Return the table of the whole conversations, with a real Rasa as the client."""
    rasa = f"Rasa Open Source {pinned(RASA_PINS)['rasa']}"
    rows = (
        [rasa, one.place, pinned(one.sdk_in)["rasa-sdk"], pinned(one.pydantic_in)["pydantic"], RUNS]
        for one in ACTION_SERVERS
    )
    header = ["Rasa", "action server", "rasa-sdk", "pydantic", ""]
    not_run = ["Rasa Pro", "any", "", "", "not run: it needs a licence"]
    return _lines(header, ["---"] * len(header), *rows, not_run)


def _row(sdk: Sdk, transport: Transport) -> str:
    return f"{sdk.version} | {sdk.beside} | {transport.value}"


def _verdict(cell: Cell) -> str:
    return f"not run: {cell.why_not}" if cell.why_not else RUNS


def _transports(cells: list[Cell]) -> str:
    return ", ".join(cell.transport.value for cell in cells if not cell.why_not) or NOT_RUN


def _table(header: list[str], rows: dict[str, list[str]]) -> str:
    rule = ["---"] * len(header)
    return _lines(header, rule, *([name, *cells] for name, cells in rows.items()))


def _lines(*rows: list[str]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


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
