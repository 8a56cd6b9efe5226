"""Draws docs/images/turn-cost.svg: `python docs/pictures/turn_cost.py`.

What it shows stands in benchmarks/results/rasa_turn.json: how many times as long as without the
plugin, since the settings differ too much for one scale of milliseconds. Bars are medians of the
rounds, the thin lines on them go from quartile to quartile. A test holds that the file is what this
makes.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

DOCS = Path(__file__).parents[1]
FILE = DOCS / "images" / "turn-cost.svg"
RESULTS = DOCS.parent / "benchmarks" / "results" / "rasa_turn.json"

TITLE = "A later turn in Rasa, over one without the plugin"
WITHOUT = "without the plugin"
COLUMN, RATIO, CROWD = "later turns, ms", f"later turns, over {WITHOUT}", "16 users at a time"

PAPER, INK, SOFT, LINE = "#ffffff", "#1f2328", "#59636e", "#d1d9e0"
COLOURS = {
    WITHOUT: "#818b98",
    "an action that does nothing, every turn": "#c6cdd5",
    "an action that sets the same slots once, every turn": "#c6cdd5",
    "the plugin, every turn": "#0b5cad",
    "the plugin, at session start": "#1a7f37",
    "the plugin, at session start, segment alone": "#1a7f37",
}
FONT = "system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif"
WIDTH, TOP, BOTTOM = 1010, 72, 44
LEFT, RIGHT = 400, 820
BAR, GAP, HEAD = 20, 6, 34
TICKS = 6


class Bar(NamedTuple):
    """One bar: what the bot does, how long that takes, and the ratio in each round."""

    does: str
    milliseconds: float
    rounds: list[float]

    @property
    def middle(self) -> float:
        """Its length."""
        return median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles."""
        if len(self.rounds) == 1:
            return self.middle, self.middle
        low, _, high = quantiles(self.rounds, method="inclusive")
        return low, high


def settings() -> dict[str, list[Bar]]:
    """Read the bars, by the setting in which they were measured."""
    tables = json.loads(RESULTS.read_text(encoding="utf-8"))["tables"]
    return {
        setting: [
            Bar(does, columns[COLUMN]["median"], columns[RATIO]["rounds"])
            for does, columns in rows.items()
        ]
        for setting, rows in tables.items()
        if setting != CROWD
    }


def description(bars: dict[str, list[Bar]]) -> str:
    """Say in words what the bars show."""
    said = (
        f"{setting}: " + ", ".join(f"{bar.does} {bar.milliseconds:.1f} ms" for bar in group)
        for setting, group in bars.items()
    )
    return f"How long a later turn takes. {'; '.join(said)}."


def text(x: float, y: float, said: str, look: str) -> str:
    """Write one line."""
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(said, quote=False)}</text>'


def step(longest: float) -> int:
    """Return how far two lines of the scale lie apart."""
    return next(each for each in (1, 2, 5, 10) if longest / each <= TICKS)


def picture() -> str:
    """Draw all of it."""
    bars = settings()
    longest = max(bar.spread[1] for group in bars.values() for bar in group)
    height = TOP + BOTTOM + sum(HEAD + len(group) * (BAR + GAP) for group in bars.values())

    def at(ratio: float) -> float:
        return LEFT + ratio / longest * (RIGHT - LEFT)

    parts = [
        f'<rect fill="{PAPER}" width="{WIDTH}" height="{height}" rx="12"/>',
        text(24, 36, TITLE, f'fill="{INK}" font-size="18" font-weight="600"'),
        text(
            24, 58, "how many times as long, and milliseconds; one user at a time", f'fill="{SOFT}"'
        ),
    ]
    for tick in range(0, int(longest) + 1, step(longest)):
        line = f'x1="{at(tick):.1f}" x2="{at(tick):.1f}" y1="{TOP}" y2="{height - BOTTOM + 6}"'
        parts.append(f'<line stroke="{LINE}" {line}/>')
        centred = f'fill="{SOFT}" text-anchor="middle"'
        parts.append(text(at(tick), height - BOTTOM + 24, str(tick), centred))
    y = float(TOP)
    for setting, group in bars.items():
        parts.append(text(24, y + 24, setting, f'fill="{INK}" font-weight="600"'))
        y += HEAD
        for bar in group:
            parts += drawn(bar, y, at(bar.middle), [at(each) for each in bar.spread])
            y += BAR + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
    lines = [
        f'{head} font-family="{FONT}" font-size="14" aria-labelledby="title description">',
        f'<title id="title">{TITLE}</title>',
        f'<desc id="description">{escape(description(bars), quote=False)}</desc>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def drawn(bar: Bar, y: float, end: float, spread: list[float]) -> list[str]:
    """Draw one bar, with its name before it and its figure behind it."""
    middle = y + BAR / 2
    low, high = spread
    place = f'x="{LEFT}" y="{y:.1f}" width="{end - LEFT:.1f}"'
    across = f'x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"'
    figure = f"{bar.milliseconds:.1f} ms"
    if bar.does != WITHOUT:
        figure = f"{bar.middle:.2f} times, {figure}"
    return [
        text(LEFT - 12, middle + 5, bar.does, f'fill="{INK}" text-anchor="end"'),
        f'<rect fill="{COLOURS[bar.does]}" {place} height="{BAR}" rx="2"/>',
        f'<line stroke="{INK}" stroke-width="1.5" {across}/>',
        text(max(end, high) + 8, middle + 5, figure, f'fill="{INK}"'),
    ]


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
