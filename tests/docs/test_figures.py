"""What the documents say the plugin costs is what was measured, and the pictures what was drawn."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from benchmarks.documents import tables
from tests.support.processes import ROOT

SCRIPTS = sorted((ROOT / "docs" / "pictures").glob("*.py"))


def _header(table: str) -> str:
    return table.partition("\n")[0]


@pytest.mark.parametrize(
    ("path", "table"), [pytest.param(*each, id=_header(each[1])) for each in tables()]
)
def test_the_figures_are_those_that_were_measured(path: Path, table: str) -> None:
    """To the digit: after a new measurement `python -m benchmarks.documents` writes them anew."""
    assert f"\n\n{table}\n" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_picture_is_what_its_script_draws(path: Path) -> None:
    """Running the script draws it anew; a screen reader is told what it shows."""
    script = runpy.run_path(str(path))
    drawn = script["FILE"].read_text(encoding="utf-8")
    assert drawn == script["picture"]()
    assert f'<title id="title">{script["TITLE"]}</title>' in drawn
    assert '<desc id="description">' in drawn


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_picture_is_drawn_by_whatever_shows_it(path: Path) -> None:
    """Its colours are literal, and on paper of its own: it can be read on white and on black."""
    drawn: str = runpy.run_path(str(path))["picture"]()
    assert re.search(r'<rect [^>]*fill="#ffffff" width="\d+" height="\d+"', drawn)
    assert not re.search(r"var\(|currentColor|<script|href=", drawn)
