"""The pictures of the documents are what their scripts draw."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from tests.support.processes import ROOT

SCRIPTS = sorted((ROOT / "docs" / "pictures").glob("*.py"))


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
