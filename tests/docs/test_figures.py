"""A picture is what its script draws, and a figure what was measured."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from actions.ps7 import Outcome, PS7Settings
from actions.ps7.conversation.state import REFUSED_FOR
from actions.ps7.lookup.breaker import LONGEST_PAUSE
from benchmarks.figures import number, over, shown
from tests.docs.documents import document, names
from tests.support.processes import ROOT

FIGURE = r"(?<![\w.])\d[\d,.]*\d|(?<![\w.])\d"
SECTIONS = {
    section.partition("\n")[0]: section
    for section in document("docs/figures.md").text.split("\n## ")
    if "benchmarks/results/" in section
}
PICTURES = ROOT / "docs" / "pictures"
SCRIPTS = sorted({*PICTURES.glob("*.py")} - {PICTURES / "drawing.py"})
IMAGES = ROOT / "docs" / "images"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_picture_is_what_its_script_draws(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each of its languages. Running the script draws it anew."""
    monkeypatch.syspath_prepend(PICTURES)  # as if it were run
    drawn: dict[str, str] = runpy.run_path(str(path))["pictures"]()
    assert {name: (IMAGES / name).read_text(encoding="utf-8") for name in drawn} == drawn


def test_every_picture_is_on_a_page() -> None:
    """Of its language; a picture without words is on pages of both."""
    linked = {
        (link.rpartition("/")[2], "pt" if ".pt-BR." in name else "en")
        for name in names()
        for link in document(name).links
    }
    shown = {path.name for path in IMAGES.iterdir()}
    languages = {name: "pt" if ".pt-BR." in name else "en" for name in shown}
    assert {*languages.items()} - linked == set()


@pytest.mark.parametrize("name", ["status.svg", "status.pt-BR.svg"])
def test_the_picture_of_the_status_has_every_value(name: str) -> None:
    """And after how long a refused contextId is asked about again."""
    drawn = (IMAGES / name).read_text(encoding="utf-8")
    states = re.findall(r'class="lane"[^>]*>([a-z, ]+)<', drawn)
    assert {*Outcome} <= {word for state in states for word in state.split(", ")}
    assert f" {REFUSED_FOR.total_seconds():g} s<" in drawn


@pytest.mark.parametrize("name", ["breaker.svg", "breaker.pt-BR.svg"])
def test_the_picture_of_the_circuit_breaker_has_the_defaults(name: str) -> None:
    """Failures in a row, and the first, second and longest pause."""
    fields, drawn = PS7Settings.model_fields, (IMAGES / name).read_text(encoding="utf-8")
    reset, longest = fields["breaker_reset"].default, LONGEST_PAUSE / 60
    assert f">{fields['breaker_failures'].default} fa" in drawn
    assert f" {reset:g} s, " in drawn
    assert f": {2 * reset:g} s, {4 * reset:g} s … {longest:g} min<" in drawn


def test_every_result_is_linked_once() -> None:
    """By a section that says what it means."""
    linked = re.findall(r"benchmarks/results/([\w-]+\.md)", "".join(SECTIONS.values()))
    assert sorted(linked) == sorted(
        path.name for path in (ROOT / "benchmarks" / "results").glob("*.md")
    )


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_every_figure_of_a_table_or_list_was_measured(section: str) -> None:
    """The page repeats what stands in the whole tables, to the digit."""
    linked = re.findall(r"benchmarks/results/[\w-]+\.md", section)
    measured = "".join((ROOT / path).read_text(encoding="utf-8") for path in linked)
    lines = [line for line in section.splitlines() if line.startswith(("|", "- ", "  "))]
    figures = set(re.findall(FIGURE, re.sub(r"\(.*?\)", "", "\n".join(lines))))
    assert figures - set(re.findall(FIGURE, measured)) == set()


def test_rounds_become_a_figure() -> None:
    """The median of ours over theirs, round by round; rounded; quartiles, not extremes."""
    assert (over([2, 9, 8], [1, 3, 8]), over([1], [4])) == (2, 0.25)
    values = [0.1234, 1, 4.654, 12.34, 99.94, 100.6, 1561.4]
    written = ["0.12", "1.00", "4.65", "12.3", "99.9", "101", "1,561"]
    assert [number(value) for value in values] == written
    assert [shown([4.0]), shown([9, 1, 2, 3, 4])] == ["4.00", "3.00 (2.00 to 4.00)"]
