"""A picture in the documents is what its script draws."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.support.processes import ROOT

SCRIPTS = sorted((ROOT / "docs" / "pictures").glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_picture_is_what_its_script_draws(path: Path) -> None:
    """Running the script draws it anew."""
    script = runpy.run_path(str(path))
    assert script["FILE"].read_text(encoding="utf-8") == script["picture"]()
