"""The size of the plugin, as the README states it."""

from __future__ import annotations

import re

import pytest

from tests.support.processes import ROOT


@pytest.mark.parametrize(
    ("page", "words"),
    [("README.md", r"some ([\d,]+) lines"), ("README.pt-BR.md", r"umas ([\d.]+) linhas")],
)
def test_the_plugin_has_as_many_lines_as_the_readme_says(page: str, words: str) -> None:
    """Those of the folder without its optional rooms, rounded to hundreds."""
    plugin = ROOT / "actions" / "ps7"
    rooms = {plugin / "cli", plugin / "testing"}
    files = (path for path in plugin.rglob("*.py") if not rooms.intersection(path.parents))
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    (said,) = re.findall(words, (ROOT / page).read_text(encoding="utf-8"))
    assert int(re.sub(r"\D", "", said)) == round(lines, -2)
