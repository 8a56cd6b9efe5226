"""The tables in the documents: no cell is claimed that no test runs, and none is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.matrix import page, test_matrix
from tests.matrix.cells import CELLS, NEWEST, RUN, Cell

if TYPE_CHECKING:
    from pathlib import Path


def claimed() -> dict[tuple[str, ...], str]:
    """Read what docs/compatibility.md says of each cell."""
    table = page.DETAILS.read_text(encoding="utf-8").partition("| rasa-sdk |")[2]
    header, _, *rows = (
        [part.strip() for part in line.strip("|").split("|")]
        for line in table.partition("\n\n")[0].splitlines()
    )
    pythons = [name.removeprefix("Python ") for name in header if name.startswith("Python ")]
    return {
        (*row, python): verdict
        for *row, a, b, c, d in rows
        for python, verdict in zip(pythons, (a, b, c, d), strict=True)
    }


def place(cell: Cell) -> tuple[str, ...]:
    """Give where the table has a cell."""
    return cell.sdk.version, cell.sdk.beside, cell.transport.value, cell.python


def test_a_cell_is_said_to_run_where_a_test_runs_it() -> None:
    """Neither more nor less."""
    test = test_matrix.test_a_customer_is_looked_up_held_verified_and_forgotten
    (cells,) = (mark.args[1] for mark in getattr(test, "pytestmark") if mark.args)  # noqa: B009
    ran = {place(cell) for cell in cells}
    assert {where for where, verdict in claimed().items() if verdict == page.RUNS} == ran


def test_every_other_cell_has_its_reason() -> None:
    """So that nobody has to guess whether it was forgotten."""
    others = {where: verdict for where, verdict in claimed().items() if verdict != page.RUNS}
    left = [cell for cell in CELLS if cell not in RUN]
    assert others == {place(cell): f"not run: {cell.why_not}" for cell in left}
    assert set(others.values()) == {"not run: does not install", "not run: has no gRPC"}


@pytest.mark.parametrize(("path", "table"), page.tables(), ids=["en", "pt", "cells", "rasa"])
def test_each_table_is_as_the_cells_and_pins_make_it(path: Path, table: str) -> None:
    """Otherwise `python -m tests.matrix.page` writes it anew."""
    text = path.read_text(encoding="utf-8")
    assert page.in_place(text, table) == text


def test_a_table_takes_the_place_of_the_old_one_alone() -> None:
    """What stands around it stays; and where there is none, that is said."""
    old = "before\n| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n\nafter | a | b |\n"
    new = "| a | b |\n| --- | --- |\n| 5 | 6 |\n"
    assert page.in_place(old, new) == f"before\n{new}\nafter | a | b |\n"
    with pytest.raises(ValueError, match=r"no table begins with: \| c \|"):
        page.in_place(old, "| c |\n")


@pytest.mark.parametrize(
    ("ci", "ends"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)]
)
def test_a_cell_without_its_environment_fails_in_ci(
    ci: str, ends: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere it is skipped, and the reason names the command that makes the environment."""
    monkeypatch.setenv("CI", ci)
    with pytest.raises(ends, match="`make matrix`"):
        test_matrix.usable(NEWEST, "2.7")
