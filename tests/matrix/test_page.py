"""The tables in the documents are those of the cells that the tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.matrix import page

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("path", "table"), page.tables(), ids=["en", "pt", "cells", "rasa"])
def test_each_table_is_as_the_cells_and_pins_make_it(path: Path, table: str) -> None:
    """Otherwise `python -m tests.matrix.page` writes it anew."""
    text = path.read_text(encoding="utf-8")
    assert page.in_place(text, table) == text
