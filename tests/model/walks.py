"""Random walks: which bots there are, what may happen and how often.

Made by `random` from a seed. These walks find each of the planted bugs (`make mutants`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

from tests.model.steps import (
    BASE64,
    FAILURES,
    NAMES,
    SPELLED,
    START_OWN,
    START_PS7,
    UNDEFINED,
    UNUSABLE,
    Answers,
    Attack,
    Bot,
    Step,
    Turn,
    Wait,
    Walk,
)

LENGTH = 40
STEPS = int(os.environ.get("PS7_MODEL_STEPS", "10000"))
_METADATA = "session_started_metadata"

_DOES = (
    *("listen",) * 5,
    *("verify",) * 2,
    *("forget",) * 2,
    *("balance",) * 3,
    *("/back",) * 2,
    *("fallback", "fallback, verify", "/restart"),
    *("/session_start",) * 2,
)
_RULE_BOTS_ASK = 6
"""How often a rule looks up, beside what else a turn does."""
_SECONDS = (5, 40, 130, 650, 650, 1600, 3000)
_BRINGS = (
    *(None,) * 30,
    *(*NAMES[:1] * 8, *NAMES[1:2] * 6, *NAMES[2:3] * 3, *NAMES[3:] * 2),
    *(SPELLED, SPELLED, UNDEFINED, UNDEFINED, BASE64, BASE64, BASE64),
)
_ANSWERS = (*FAILURES, NAMES[0], NAMES[1], NAMES[1])
_TOKENS = ("new",) * 6 + ("old",) * 3 + ("forged", "another's")
_WRITES = [
    (when, slot)
    for when in ("before", "after", "between")
    for slot in (*("ps7_context",) * 4, "ps7_status", _METADATA, "cpf", "balance")
    # What is written between two turns may open a session: Rasa's API allows it.
    if (when, slot) != ("between", _METADATA)
]
_BOTS = [
    Bot(every, start, carries, signed, store, attacked=attacked)
    for every, start, carries, signed, store, attacked in product(
        *((True, False), (START_OWN, START_PS7), (True, False), (False, True)),
        *(("memory", "sql"), (False, True)),
    )
]
_ODDITIES: list[dict[str, Any]] = [
    *({}, {}, {}, {"unreliable": True}, {"unreliable": True}, {"store": "all"}),
    *({"skew": seconds} for seconds in (50, -50, 21600)),
]


def walks() -> Iterator[Walk]:
    """Make up 10,000 steps, or as many as `PS7_MODEL_STEPS` says: the same ones each time."""
    return map(_made_up, range(STEPS // LENGTH))


def _made_up(number: int) -> Walk:
    """Make up a bot and what happens to it: the same for the same number."""
    chance = Random(number)  # noqa: S311 - the same walks each time
    bot = replace(chance.choice(_BOTS), **chance.choice(_ODDITIES))
    return Walk(bot, tuple(_step(chance, bot) for _ in range(LENGTH)))


def _step(chance: Random, bot: Bot) -> Step:
    what = chance.random()
    if what < 0.12:
        return Wait(chance.choice(_SECONDS))
    if what < 0.17:
        return Answers(chance.choice(NAMES), chance.choice(_ANSWERS))
    does = chance.choice(_DOES + ("context",) * (1 if bot.every else _RULE_BOTS_ASK))
    attack = None
    if bot.attacked and chance.random() < 0.3:
        attack = Attack(*chance.choice(_WRITES), chance.randrange(12))
    return Turn(
        does,
        UNUSABLE if chance.random() < 0.02 else chance.choice(_BRINGS),
        chance.choice(_TOKENS) if bot.signed else "new",
        chance.choice((0, 0, 0, 1, 1, 2)),
        attack,
        away=bot.unreliable and chance.random() < 0.15,
    )
