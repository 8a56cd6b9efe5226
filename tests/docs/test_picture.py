"""The picture of one turn: drawn from its script, and readable by everybody."""

from __future__ import annotations

import runpy
from xml.etree import ElementTree as ET

import pytest

from tests.support.processes import ROOT

SCRIPT = runpy.run_path(str(ROOT / "docs" / "pictures" / "one_turn.py"))
FILE = ROOT / "docs" / "images" / "one-turn.svg"
SVG = "{http://www.w3.org/2000/svg}"
READABLE = 4.5
"""The contrast that WCAG 2.1 asks of text (AA)."""


def test_the_file_is_what_the_script_draws() -> None:
    """Whoever changes one, changes both: `python docs/pictures/one_turn.py`."""
    assert FILE.read_text(encoding="utf-8") == SCRIPT["picture"]()


def test_a_screen_reader_is_told_what_it_shows() -> None:
    """A title and a description, and the picture names both."""
    picture = ET.fromstring(FILE.read_text(encoding="utf-8"))  # noqa: S314 - it is ours
    told = [picture.find(f"{SVG}{part}") for part in ("title", "desc")]
    assert [part.text for part in told if part is not None] == [
        SCRIPT["TITLE"],
        SCRIPT["DESCRIPTION"],
    ]
    assert picture.get("role") == "img"
    named = (picture.get("aria-labelledby") or "").split()
    assert named == [part.get("id") for part in told if part is not None]


def luminance(colour: str) -> float:
    """Give the relative luminance of `#rrggbb`, as WCAG defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


LIGHT, DARK = SCRIPT["LIGHT"], SCRIPT["DARK"]


def test_a_plain_viewer_shows_its_colours() -> None:
    """They stand beside what they paint: without a style sheet nothing would be left but black."""
    for part in ET.fromstring(FILE.read_text(encoding="utf-8")).iter():  # noqa: S314 - it is ours
        if part.get("class"):
            painted = {part.get("fill"), part.get("stroke")} - {None, "none"}
            assert painted != set(), part.attrib
            assert painted <= set(LIGHT.values()), part.attrib


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "on"),
    [
        ("ink", "paper"),
        ("ink", "box"),
        ("soft", "paper"),
        ("soft", "box"),
        ("soft", "ours-box"),
        ("soft", "only-if-box"),
        ("ours", "paper"),
        ("ours", "ours-box"),
        ("only-if", "paper"),
        ("only-if", "only-if-box"),
    ],
)
def test_every_text_can_be_read(colours: dict[str, str], ink: str, on: str) -> None:
    """In light and in dark."""
    assert contrast(colours[ink], colours[on]) >= READABLE
