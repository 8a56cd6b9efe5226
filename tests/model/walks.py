"""Random walks: which bots there are, what may happen and how often; and how a walk is made short.

Made by `random` from a seed: what Hypothesis makes up repeats itself too much to come far here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import product
from random import Random
from typing import Any

from tests.model.steps import (
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
    *(SPELLED, SPELLED, UNDEFINED, UNDEFINED),
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
    *({}, {}, {}, {"renamed": True}, {"unreliable": True}, {"unreliable": True}),
    *({"skew": seconds} for seconds in (50, -50, 21600)),
    *({"shows": 0}, {"shows": 8}, {"store": "all"}),
]


def made_up(chance: Random) -> Walk:
    """Make up a bot and what happens to it."""
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
        when, slot = chance.choice(_WRITES)
        attack = Attack(when, slot, chance.randrange(12))
    return Turn(
        does,
        UNUSABLE if chance.random() < 0.02 else chance.choice(_BRINGS),
        chance.choice(_TOKENS) if bot.signed else "new",
        chance.choice((0, 0, 0, 1, 1, 2)),
        away=bot.unreliable and chance.random() < 0.15,
        attack=attack,
    )


def shrunk(walk: Walk, fails: Callable[[Walk], bool]) -> Walk:
    """Return the shortest walk, made of the same steps and of simpler ones, that still fails."""
    size = len(walk.steps)
    while size:
        shorter = next(filter(fails, _shorter(walk, size)), None)
        walk, size = (shorter, size) if shorter else (walk, size // 2)
    while simpler := next(filter(fails, _simpler(walk)), None):
        walk = simpler
    return walk


def _shorter(walk: Walk, size: int) -> Iterator[Walk]:
    for index in range(0, len(walk.steps), size):
        yield replace(walk, steps=walk.steps[:index] + walk.steps[index + size :])


def _simpler(walk: Walk) -> Iterator[Walk]:
    yield from (replace(walk, bot=bot) for bot in _simpler_values(walk.bot, Bot()))
    for index, step in enumerate(walk.steps):
        yield replace(walk, steps=walk.steps[:index] + walk.steps[index + 1 :])
        if isinstance(step, Turn):
            for turn in _simpler_values(step, Turn()):
                yield replace(walk, steps=(*walk.steps[:index], turn, *walk.steps[index + 1 :]))


def _simpler_values(value: Any, simplest: Any) -> Iterator[Any]:  # noqa: ANN401 - a bot or a turn
    for field in fields(value):
        plain = getattr(simplest, field.name)
        if getattr(value, field.name) != plain:
            yield replace(value, **{field.name: plain})
