"""Draws docs/images/rush.svg: `python docs/pictures/rush.py`.

What it shows stands in benchmarks/results/rush-before.json and rush.json: how many of the customers
are known by each second, with one process of the action server. A test holds that the file is what
this makes.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

DOCS = Path(__file__).parents[1]
FILE = DOCS / "images" / "rush.svg"
RESULTS = DOCS.parent / "benchmarks" / "results"

TITLE = "1,000 customers in a second, and a PS7 that takes 50 requests a second"
PANELS = {
    "429 with Retry-After, 1 process": "429 with Retry-After",
    "429 alone, 1 process": "429 alone",
}
PAPER, INK, SOFT, LINE = "#ffffff", "#1f2328", "#59636e", "#d1d9e0"
SIDES = {"rush-before": ("before", "#818b98"), "rush": ("with the pace", "#0b5cad")}
FONT = "system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif"
WIDTH, HEIGHT, TOP, BOTTOM, LEFT = 1010, 400, 112, 330, 64
PANEL, GAP = 430, 48
SECONDS, CUSTOMERS, RATE = 60, 1000, 50


def known() -> dict[str, dict[str, list[int]]]:
    """Read how many are known by each second, for each file of results and panel."""
    read = {
        side: json.loads((RESULTS / f"{side}.json").read_text(encoding="utf-8"))["rushes"]
        for side in SIDES
    }
    return {
        side: {panel: [*map(int, read[side][panel]["known by second"].split())] for panel in PANELS}
        for side in SIDES
    }


def text(x: float, y: float, said: str, look: str = f'fill="{SOFT}"') -> str:
    """Write one line."""
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(said, quote=False)}</text>'


def curve(left: float, counts: list[float], look: str) -> str:
    """Draw how many are known, second by second."""
    points = " ".join(f"{_x(left, t):.1f},{_y(count):.1f}" for t, count in enumerate(counts))
    return f'<polyline fill="none" stroke-width="2.5" {look} points="{points}"/>'


def _x(left: float, second: float) -> float:
    return left + second / SECONDS * PANEL


def _y(count: float) -> float:
    return BOTTOM - count / CUSTOMERS * (BOTTOM - TOP)


def panel(left: float, name: str, counts: dict[str, list[int]]) -> list[str]:
    """Draw one of them: the scales, what PS7 could take at most, and both sides."""
    parts = [text(left, TOP - 16, name, f'fill="{INK}" font-weight="600"')]
    for count in range(0, CUSTOMERS + 1, 250):
        across = f'x1="{left}" x2="{left + PANEL}" y1="{_y(count):.1f}" y2="{_y(count):.1f}"'
        parts.append(f'<line stroke="{LINE}" {across}/>')
    for second in range(0, SECONDS + 1, 10):
        centred = f'fill="{SOFT}" text-anchor="middle"'
        parts.append(text(_x(left, second), BOTTOM + 22, str(second), centred))
    most = [float(min(CUSTOMERS, RATE * (second + 1))) for second in range(SECONDS + 1)]
    parts.append(curve(left, most, f'stroke="{LINE}" stroke-dasharray="6 5"'))
    for side, (_, colour) in SIDES.items():
        parts.append(curve(left, [*map(float, counts[side])], f'stroke="{colour}"'))
    return parts


def description(found: dict[str, dict[str, list[int]]]) -> str:
    """Say in words what the curves show."""
    said = (
        f"{name}: "
        + ", ".join(
            f"{word} {found[side][key][30]} after 30 s and {found[side][key][SECONDS]} after 60 s"
            for side, (word, _) in SIDES.items()
        )
        for key, name in PANELS.items()
    )
    return f"How many customers are known. {'; '.join(said)}."


def picture() -> str:
    """Draw all of it."""
    found = known()
    parts = [
        f'<rect fill="{PAPER}" width="{WIDTH}" height="{HEIGHT}" rx="12"/>',
        text(24, 36, TITLE, f'fill="{INK}" font-size="18" font-weight="600"'),
        text(
            24,
            60,
            "customers who are known, by seconds since the first arrived; dashed: "
            "50 a second, from the first on",
        ),
    ]
    end = f'fill="{SOFT}" text-anchor="end"'
    parts += [text(LEFT - 10, _y(n) + 5, f"{n:,}", end) for n in range(0, CUSTOMERS + 1, 250)]
    for number, (key, name) in enumerate(PANELS.items()):
        counts = {side: found[side][key] for side in SIDES}
        parts += panel(LEFT + number * (PANEL + GAP), name, counts)
    for number, (word, colour) in enumerate(SIDES.values()):
        x = 24 + number * 110
        parts.append(
            f'<line stroke="{colour}" stroke-width="4" x1="{x}" x2="{x + 22}" y1="378" y2="378"/>'
        )
        parts.append(text(x + 28, 383, word, f'fill="{INK}"'))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    lines = [
        f'{head} font-family="{FONT}" font-size="14" aria-labelledby="title description">',
        f'<title id="title">{escape(TITLE)}</title>',
        f'<desc id="description">{escape(description(found), quote=False)}</desc>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
