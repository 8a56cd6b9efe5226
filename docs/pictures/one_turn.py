"""Draws docs/images/one-turn.svg: `python docs/pictures/one_turn.py`.

What is said stands in the tables at the top, where things stand in the numbers below them, and how
they look in the tables of colours and looks. A test holds that the file is what this makes.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[1] / "images" / "one-turn.svg"

TITLE = "One turn with rasa-ps7"
DESCRIPTION = (
    "A sequence from left to right. The customer's message reaches Rasa with a contextId in its "
    "metadata. Before its policies decide, Rasa runs action_ps7_context in the action server. "
    "That finds the contextId, opens the seal in the slot ps7_context, and decides by one table. "
    "In most turns there is nothing new, and no call is made. Otherwise it asks PS7 within a "
    "deadline and seals the outcome. It returns only the slots that differ. Rasa's policies then "
    "decide, knowing the customer, and the bot answers by segment."
)

WIDTH, HEIGHT = 1010, 680
CUSTOMER, RASA, PLUGIN, PS7 = 100, 320, 640, 910
LANES = {
    CUSTOMER: ("Customer", "URA, app, web chat"),
    RASA: ("Rasa", "tracker store"),
    PLUGIN: ("Action server", "rasa-ps7"),
    PS7: ("PS7", "chat_itau_contextos"),
}


class Arrow(NamedTuple):
    """Something that goes from one lane to another, at a height."""

    start: int
    end: int
    y: int
    said: str
    below: str
    only_if: bool = False


class Stage(NamedTuple):
    """What happens within the action."""

    y: int
    does: str
    detail: str
    only_if: bool = False


# Half the width of the box in which the action runs, and of what is drawn in it.
BOX, PART = 163, 132
STAGES = (
    Stage(222, "find the contextId", "this session's messages, newest first"),
    Stage(276, "open the seal", "of this conversation, the newest"),
    Stage(330, "decide by one table", "what was found, what is held"),
    Stage(384, "ask PS7", "one deadline, retries, circuit breaker", only_if=True),
    Stage(438, "seal the outcome", "encrypted, until expireIn", only_if=True),
    Stage(492, "compare the slots", "what something overwrote is restored"),
)
STAGE_HEIGHT = 42
ARROWS = (
    Arrow(CUSTOMER, RASA, 132, "“qual meu saldo?”", 'metadata {"contextId": …}'),
    Arrow(RASA, PLUGIN - BOX, 205, "action_ps7_context", "before policies decide"),
    Arrow(PLUGIN + PART, PS7, 396, "contextId", "", only_if=True),
    Arrow(PS7, PLUGIN + PART, 418, "", "u_cpf, u_seg, …", only_if=True),
    Arrow(PLUGIN - BOX, RASA, 520, "slots that differ", "ps7_status, segment, …"),
    Arrow(RASA, CUSTOMER, 632, "“… do Personnalité.”", "a response, by segment"),
)
DECIDES = (578, "policies decide", "they know the customer")
BYPASS = ("nothing new:", "no call,", "most turns")

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2328",
    "soft": "#59636e",
    "line": "#afb8c1",
    "box": "#f6f8fa",
    "ours": "#0b5cad",
    "ours-box": "#eaf3fd",
    "only-if": "#8a5a00",
    "only-if-box": "#fff6e0",
}
DARK = {
    "paper": "#0d1117",
    "ink": "#f0f3f6",
    "soft": "#a6b0bb",
    "line": "#57606a",
    "box": "#1b222b",
    "ours": "#79b8ff",
    "ours-box": "#12263f",
    "only-if": "#e8b45a",
    "only-if-box": "#33280f",
}
# What is drawn with what: a name of a colour above, or a value as SVG has it.
LOOKS = {
    "said": {"fill": "ink"},
    "lane": {"fill": "ink", "font-size": "17", "font-weight": "600"},
    "soft": {"fill": "soft", "font-size": "12"},
    "ours": {"fill": "ours", "font-weight": "600"},
    "only-if": {"fill": "only-if", "font-weight": "600"},
    "paper": {"fill": "paper"},
    "head": {"fill": "box", "stroke": "line"},
    "life": {"stroke": "line", "stroke-dasharray": "3 5"},
    "run": {"fill": "box", "stroke": "ours", "stroke-width": "1.5"},
    "stage": {"fill": "ours-box", "stroke": "ours"},
    "stage-only-if": {"fill": "only-if-box", "stroke": "only-if", "stroke-dasharray": "5 3"},
    "way": {"fill": "none", "stroke": "ink", "stroke-width": "1.5"},
    "way-ours": {"fill": "none", "stroke": "ours", "stroke-width": "1.5"},
    "way-only-if": {
        "fill": "none",
        "stroke": "only-if",
        "stroke-width": "1.5",
        "stroke-dasharray": "5 3",
    },
    "tip": {"fill": "ink"},
    "tip-ours": {"fill": "ours"},
    "tip-only-if": {"fill": "only-if"},
}
FONT = "system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif"


def look(kind: str) -> str:
    """Write how something looks, in light colours, as attributes: every viewer reads those."""
    said = (f'{name}="{LIGHT.get(value, value)}"' for name, value in LOOKS[kind].items())
    return f'class="{kind}" {" ".join(said)}'


def dark() -> str:
    """Return the style sheet for whoever prefers dark: it wins over the attributes."""
    rules = (
        f"    .{kind} {{ {name}: {DARK[value]}; }}\n"
        for kind, drawn in LOOKS.items()
        for name, value in drawn.items()
        if value in DARK
    )
    return f"\n  @media (prefers-color-scheme: dark) {{\n{''.join(rules)}  }}\n"


def text(x: float, y: float, said: str, kind: str = "said") -> str:
    """Write one line, its middle at `x`."""
    return f'<text x="{x:g}" y="{y:g}" {look(kind)}>{escape(said, quote=False)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Draw a box with round corners, its middle at `x`, its upper edge at `y`."""
    left = x - width / 2
    size = f'width="{width:g}" height="{height:g}"'
    return f'<rect {look(kind)} x="{left:g}" y="{y:g}" {size} rx="8"/>'


def way(points: str, kind: str = "") -> str:
    """Draw a line with a tip at its end; `points` is an SVG path."""
    end = f"-{kind}" if kind else ""
    return f'<path {look(f"way{end}")} d="{points}" marker-end="url(#tip{end})"/>'


def lane(x: int) -> list[str]:
    """Draw who takes part: a head, and a line down."""
    name, detail = LANES[x]
    return [
        f'<line {look("life")} x1="{x}" y1="76" x2="{x}" y2="{HEIGHT - 20}"/>',
        box(x, 20, 170, 56, "head"),
        text(x, 44, name, "lane"),
        text(x, 64, detail, "soft"),
    ]


def arrow(drawn: Arrow) -> list[str]:
    """Draw one arrow, what is said above it, and a detail below."""
    edge = PLUGIN + BOX  # what is said stands outside the box
    ends = (max(end, edge) if PS7 in drawn[:2] else end for end in drawn[:2])
    middle = sum(ends) / 2
    kind = "only-if" if drawn.only_if else ""
    parts = [way(f"M{drawn.start} {drawn.y}H{drawn.end}", kind)]
    if drawn.said:
        parts.append(text(middle, drawn.y - 8, drawn.said, kind or "said"))
    if drawn.below:
        parts.append(text(middle, drawn.y + 18, drawn.below, "soft"))
    return parts


def stage(drawn: Stage) -> list[str]:
    """Draw one step of the action."""
    kind = "only-if" if drawn.only_if else "ours"
    shape = "stage-only-if" if drawn.only_if else "stage"
    return [
        box(PLUGIN, drawn.y, 2 * PART, STAGE_HEIGHT, shape),
        text(PLUGIN, drawn.y + 18, drawn.does, kind),
        text(PLUGIN, drawn.y + 34, drawn.detail, "soft"),
    ]


def steps() -> list[str]:
    """Lead from each step to the next, and past those that most turns leave out."""
    parts = [
        way(f"M{PLUGIN} {one.y + STAGE_HEIGHT}V{other.y}", "only-if" if other.only_if else "ours")
        for one, other in pairwise(STAGES)
    ]
    left, out = PLUGIN - PART, PLUGIN - BOX + 12
    start, end = STAGES[2].y + STAGE_HEIGHT / 2, STAGES[-1].y + 16
    return [*parts, way(f"M{left} {start:g}H{out}V{end}H{left}", "ours")]


def bypass() -> list[str]:
    """Say what the way past PS7 means."""
    x = PLUGIN - BOX - 64
    return [text(x, 400 + 18 * row, line, "ours") for row, line in enumerate(BYPASS)]


def marker(kind: str) -> str:
    """Define the tip of an arrow."""
    end = f"-{kind}" if kind else ""
    shape = f'<path {look(f"tip{end}")} d="M0 0L9 4.5L0 9z"/>'
    size = 'markerWidth="9" markerHeight="9" refX="8.5" refY="4.5"'
    return (
        f'<marker id="tip{end}" {size} orient="auto" markerUnits="userSpaceOnUse">{shape}</marker>'
    )


def picture() -> str:
    """Give the whole file."""
    y, decides, detail = DECIDES
    top, bottom = STAGES[0].y - 36, STAGES[-1].y + STAGE_HEIGHT + 16
    parts = [
        f'<rect {look("paper")} width="{WIDTH}" height="{HEIGHT}" rx="12"/>',
        *(part for x in LANES for part in lane(x)),
        box(PLUGIN, top, 2 * BOX, bottom - top, "run"),
        text(PLUGIN, top + 22, "one run, without a state of its own", "soft"),
        *(part for each in STAGES for part in stage(each)),
        *steps(),
        *bypass(),
        *(part for each in ARROWS for part in arrow(each)),
        box(RASA, y - 22, 190, 44, "head"),
        text(RASA, y - 3, decides),
        text(RASA, y + 14, detail, "soft"),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    font = f'font-family="{FONT}" font-size="14" text-anchor="middle"'
    lines = [
        f'{head} {font} aria-labelledby="title description">',
        f'<title id="title">{TITLE}</title>',
        f'<desc id="description">{escape(DESCRIPTION, quote=False)}</desc>',
        f"<style>{dark()}</style>",
        f"<defs>{''.join(marker(kind) for kind in ('', 'only-if', 'ours'))}</defs>",
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
