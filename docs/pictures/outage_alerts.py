"""Draws docs/images/outage-alerts.svg: `python docs/pictures/outage_alerts.py`.

What it shows stands in outage_alerts.json beside this file, which
`python -m examples.monitoring --record docs/pictures/outage_alerts.json` writes anew. A test holds
that the picture is what this makes.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from drawing import FONT, save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RECORD = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


class Words(NamedTuple):
    """All that the picture says."""

    title: str
    under: str
    away: str
    description: str
    lasts: str


WORDS = {
    "outage-alerts.svg": Words(
        title=(
            "PS7 goes away and comes back: turns a second by ps7_status, and the alerts that fire"
        ),
        under=(
            "the rules take each second for a minute; "
            "every other turn is of a customer known before"
        ),
        away="PS7 is away",
        description=(
            "PS7 is away from {away:g} to {back:g} s. New customers' turns are unavailable "
            "meanwhile, known customers' turns stay ok. Alerts: {alerts}."
        ),
        lasts="{name} from {begins:g} to {ends:g} s",
    ),
    "outage-alerts.pt-BR.svg": Words(
        title="O PS7 sai do ar e volta: turnos por segundo, por ps7_status, e os alertas",
        under=(
            "para as regras, cada segundo é um minuto; "
            "um turno em cada dois é de um cliente já conhecido"
        ),
        away="PS7 fora do ar",
        description=(
            "O PS7 fica fora do ar de {away:g} a {back:g} s. Nesse tempo, os turnos de clientes "
            "novos são unavailable, e os de clientes conhecidos continuam ok. Alertas: {alerts}."
        ),
        lasts="{name} de {begins:g} a {ends:g} s",
    ),
}
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


def description(words: Words) -> str:
    """Say in words what is drawn."""
    alerts = "; ".join(
        words.lasts.format(name=name, begins=begins, ends=ends)
        for name, found in ALERTS.items()
        for begins, ends in found
    )
    return words.description.format(away=AWAY, back=BACK, alerts=alerts)


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


def picture(words: Words) -> str:
    """Draw all of it."""
    bottom = TOP + PLOT + 16 + len(ALERTS) * (BAR + GAP)
    height = bottom + 44
    parts = [
        f'<rect fill="{PAPER}" width="{WIDTH}" height="{height}" rx="12"/>',
        text(24, 36, words.title, f'fill="{INK}" font-size="18" font-weight="600"'),
        text(24, 58, words.under, f'fill="{SOFT}"'),
        f'<rect fill="{SHADE}" {wide(AWAY, BACK)} y="{TOP}" height="{bottom - TOP}"/>',
        text(across(AWAY) + 8, TOP + 18, words.away, f'fill="{SOFT}"'),
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
        f'<title id="title">{words.title}</title>',
        f'<desc id="description">{escape(description(words), quote=False)}</desc>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def pictures() -> dict[str, str]:
    """Give the files that this script draws."""
    return {name: picture(words) for name, words in WORDS.items()}


if __name__ == "__main__":
    save(pictures())
