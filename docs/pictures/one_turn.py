"""Draws docs/images/one-turn.svg: `python docs/pictures/one_turn.py`.

What is said stands in the tables at the top, and where things stand in the numbers below them. A
test holds that the file is what this makes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from drawing import box, lane, save, svg, text, way

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
    Stage(330, "decide by one table", "what arrived, and the current seal"),
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


def picture() -> str:
    """Draw all of it."""
    y, decides, detail = DECIDES
    top, bottom = STAGES[0].y - 36, STAGES[-1].y + STAGE_HEIGHT + 16
    parts = [
        *(part for x, (who, where) in LANES.items() for part in lane(x, who, where, HEIGHT - 20)),
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
    return svg((WIDTH, HEIGHT), TITLE, DESCRIPTION, parts)


def pictures() -> dict[str, str]:
    """Give the file that this script draws."""
    return {"one-turn.svg": picture()}


if __name__ == "__main__":
    save(pictures())
