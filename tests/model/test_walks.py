"""Random walks: 20,000 steps, the same ones each time; `make fuzz` goes on for twenty minutes.

`PS7_MODEL_STEPS` and `PS7_MODEL_SECONDS` say for how long at least.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from itertools import count, product
from random import Random

import pytest

from tests.model.books import Violation
from tests.model.conversation import Driver, play, recipe, seen
from tests.model.drivers import this_process
from tests.model.steps import START_OWN, START_PS7, Bot, Walk
from tests.model.walks import made_up, shrunk

_STEPS = int(os.environ.get("PS7_MODEL_STEPS", "20000"))
_SECONDS = float(os.environ.get("PS7_MODEL_SECONDS", "0"))
REACHED = {
    *(f"context: asks PS7, {status}" for status in ("ok", "rejected", "denied", "unavailable")),
    *(f"context: in order, {status}" for status in ("ok", "missing", "invalid", "rejected")),
    *(f"context: changes slots, {status}" for status in ("ok", "missing", "invalid", "rejected")),
    *(f"context: changes slots, {status}" for status in ("expired", "tampered")),
    *(f"verify: changes slots, {status}" for status in ("ok", "missing", "expired", "tampered")),
    *("verify: in order, ok", "forget: changes slots, missing", "rewind", "restored: cpf"),
    *(
        f"session: {why}, {start}"
        for why in ("after a while", "/restart", "/session_start", "away")
        for start in ("Rasa's own", "PS7SessionStart")
    ),
    *(f"attack: ps7_context, {when}" for when in ("before", "after", "between")),
    *("token: new", "token: old", "token: forged", "token: another's"),
    *("replica: 0", "replica: 1", "replica: 2"),
    *(
        f"bot: {recipe(Bot(every, start, store=store, signed=signed))}"
        for every, start, store, signed in product(
            *((True, False), (START_OWN, START_PS7), ("memory", "sql"), (True, False))
        )
    ),
}
"""A walk that never comes there tests nothing."""


def kind(walk: Walk, driver: Driver) -> tuple[int, str] | None:
    """Return where the books were not met, and in which words; None where they were."""
    try:
        play(walk, driver)
    except Violation as violation:
        return traceback.extract_tb(violation.__traceback__)[-1].lineno or 0, str(violation)
    return None


def shortest(walk: Walk, line: int, driver: Driver) -> tuple[Walk, str]:
    """Return the shortest walk of the same kind, and what must not happen in it and does."""
    found = ""

    def fails(other: Walk) -> bool:
        nonlocal found
        violated = kind(other, driver)
        same = violated is not None and violated[0] == line
        found = violated[1] if violated and same else found
        return same

    return shrunk(walk, fails), found


@pytest.mark.timeout(1800)  # coverage makes it six times as long, and `make fuzz` asks for more
def test_random_walks() -> None:
    """A conversation shows the customer who came last in this session, or none."""
    ends = time.monotonic() + _SECONDS
    seen.clear()
    broken: dict[int, str] = {}
    with this_process() as driver:
        for number in count():
            if seen["step"] >= _STEPS and time.monotonic() >= ends:
                break
            walk = made_up(Random(number))  # noqa: S311 - the same walks each time
            violated = kind(walk, driver)
            if violated is None or violated[0] in broken:
                continue
            before = seen.copy()
            walk, text = shortest(walk, violated[0], driver)
            broken[violated[0]] = f"walk {number}: {text}{walk}"
            seen.clear()
            seen.update(before)
    lines = (f"{times:9,}  {what}" for what, times in sorted(seen.items()))
    sys.stdout.write("\n".join(["", *lines, ""]))
    assert not broken, "\n".join(broken.values())
    assert {what for what in REACHED if not seen[what]} == set()
