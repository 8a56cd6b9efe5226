"""Draws docs/images/outage-alerts.svg: `python docs/pictures/outage_alerts.py`.

What it shows stands in outage_alerts.json beside this file, which
`python -m examples.monitoring --record docs/pictures/outage_alerts.json` writes anew. A test holds
that the picture is what this makes.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from drawing import FONT, save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RECORD = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

TITLE = "PS7 goes away and comes back: turns a second by ps7_status, and the alerts that fire"
UNDER = "the rules take each second for a minute; every other turn is of a customer known before"
COLOURS = {"ok": "#1a7f37", "unavailable": "#cf222e"}
PAPER, INK, SOFT, LINE, SHADE = "#ffffff", "#1f2328", "#59636e", "#d1d9e0", "#f6e3e4"
ALERT = "#9a6700"
WIDTH, LEFT, RIGHT = 1010, 170, 980
TOP, PLOT = 80, 180
BAR, GAP = 18, 10
TICK = 5
"""Seconds of the run between two lines of the scale."""

STEP, AWAY, BACK = (float(RECORD[name]) for name in ("step", "away", "back"))
STEPS = len(next(iter(RECORD["turns"].values())))
MOST: float = 1.15 * max(max(RECORD["turns"][status]) for status in COLOURS)


def spans(fires: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Find from when to when an alert fires, in seconds."""
    began: int | None = None
    for step, firing in enumerate([*fires, 0]):
        if firing and began is None:
            began = step
        elif not firing and began is not None:
            yield began * STEP, step * STEP
            began = None


ALERTS = {name: list(spans(fires)) for name, fires in RECORD["alerts"].items()}


def description() -> str:
    """Say in words what is drawn."""
    lasts = "; ".join(
        f"{name} from {begins:g} to {ends:g} s"
        for name, found in ALERTS.items()
        for begins, ends in found
    )
    return (
        f"PS7 is away from {AWAY:g} to {BACK:g} s. New customers' turns are unavailable meanwhile, "
        f"known customers' turns stay ok. Alerts: {lasts}."
    )


def text(x: float, y: float, said: str, look: str) -> str:
    """Write one line."""
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(said, quote=False)}</text>'


def across(seconds: float) -> float:
    """Return where a moment stands."""
    return LEFT + seconds / (STEPS * STEP) * (RIGHT - LEFT)


def wide(begins: float, ends: float) -> str:
    """Return where a rectangle stands that lasts so long."""
    return f'x="{across(begins):.1f}" width="{across(ends) - across(begins):.1f}"'


def up(turns: float) -> float:
    """Return how high a rate stands."""
    return TOP + PLOT - turns / MOST * PLOT


def picture() -> str:
    """Draw all of it."""
    bottom = TOP + PLOT + 16 + len(ALERTS) * (BAR + GAP)
    height = bottom + 44
    parts = [
        f'<rect fill="{PAPER}" width="{WIDTH}" height="{height}" rx="12"/>',
        text(24, 36, TITLE, f'fill="{INK}" font-size="18" font-weight="600"'),
        text(24, 58, UNDER, f'fill="{SOFT}"'),
        f'<rect fill="{SHADE}" {wide(AWAY, BACK)} y="{TOP}" height="{bottom - TOP}"/>',
        text(across(AWAY) + 8, TOP + 18, "PS7 is away", f'fill="{SOFT}"'),
    ]
    for seconds in range(0, round(STEPS * STEP) + 1, TICK):
        line = f'x1="{across(seconds):.1f}" x2="{across(seconds):.1f}" y1="{TOP}" y2="{bottom}"'
        parts.append(f'<line stroke="{LINE}" {line}/>')
        centred = f'fill="{SOFT}" text-anchor="middle"'
        parts.append(text(across(seconds), bottom + 24, f"{seconds} s", centred))
    look = f'fill="{SOFT}" text-anchor="end"'
    parts += [text(LEFT - 12, up(n) + 5, f"{n}", look) for n in range(0, int(MOST) + 1, 10)]
    for status, colour in COLOURS.items():
        rates = RECORD["turns"][status]
        points = " ".join(f"{across(n * STEP):.1f},{up(rate):.1f}" for n, rate in enumerate(rates))
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2.5" points="{points}"/>'
        )
        first = next(n for n, rate in enumerate(rates) if rate > max(rates) * 0.9)
        x, y = across((first + 1) * STEP), up(rates[first]) - 10
        parts.append(text(x, y, status, f'fill="{colour}" font-weight="600"'))
    y = TOP + PLOT + 16.0
    for name, found in ALERTS.items():
        parts.append(text(LEFT - 12, y + 14, name, f'fill="{INK}" text-anchor="end"'))
        for begins, ends in found:
            place = f'{wide(begins, ends)} y="{y:.1f}"'
            parts.append(f'<rect fill="{ALERT}" {place} height="{BAR}" rx="2"/>')
        y += BAR + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
    lines = [
        f'{head} font-family="{FONT}" font-size="14" aria-labelledby="title description">',
        f'<title id="title">{TITLE}</title>',
        f'<desc id="description">{escape(description(), quote=False)}</desc>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def pictures() -> dict[str, str]:
    """Give the file that this script draws."""
    return {"outage-alerts.svg": picture()}


if __name__ == "__main__":
    save(pictures())
