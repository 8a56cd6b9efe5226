"""A picture is what its script draws, and a figure what was measured."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from tests.support.processes import ROOT

FIGURE = r"(?<![\w.])\d[\d,.]*\d|(?<![\w.])\d"
SECTIONS = {
    section.partition("\n")[0]: section
    for section in (ROOT / "docs" / "figures.md").read_text(encoding="utf-8").split("\n## ")
    if "benchmarks/results/" in section
}
SCRIPTS = sorted((ROOT / "docs" / "pictures").glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_picture_is_what_its_script_draws(path: Path) -> None:
    """Running the script draws it anew."""
    script = runpy.run_path(str(path))
    assert script["FILE"].read_text(encoding="utf-8") == script["picture"]()


def test_every_result_is_linked_once() -> None:
    """By a section that says what it means."""
    linked = re.findall(r"benchmarks/results/([\w-]+\.md)", "".join(SECTIONS.values()))
    assert sorted(linked) == sorted(
        path.name for path in (ROOT / "benchmarks" / "results").glob("*.md")
    )


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_every_figure_of_a_table_was_measured(section: str) -> None:
    """The page repeats what stands in the whole tables, to the digit."""
    linked = re.findall(r"benchmarks/results/[\w-]+\.md", section)
    measured = "".join((ROOT / path).read_text(encoding="utf-8") for path in linked)
    rows = "".join(line for line in section.splitlines() if line.startswith("|"))
    figures = set(re.findall(FIGURE, re.sub(r"\(.*?\)", "", rows)))
    assert figures - set(re.findall(FIGURE, measured)) == set()
