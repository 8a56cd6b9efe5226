"""Random walks: 20,000 steps, the same ones each time; `make fuzz` goes on for twenty minutes.

`PS7_MODEL_STEPS` and `PS7_MODEL_SECONDS` say for how long at least.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count, product

import pytest

from tests.model.conversation import seen, violated
from tests.model.drivers import this_process
from tests.model.steps import START_OWN, START_PS7
from tests.model.walks import made_up, shrunk

_STEPS = int(os.environ.get("PS7_MODEL_STEPS", "20000"))
_SECONDS = float(os.environ.get("PS7_MODEL_SECONDS", "0"))
_STARTS = (START_OWN, START_PS7)
REACHED = {
    *(f"context: asks PS7, {status}" for status in ("ok", "rejected", "denied", "unavailable")),
    *(f"context: in order, {status}" for status in ("ok", "missing", "invalid", "rejected")),
    *(f"context: changes slots, {status}" for status in ("ok", "missing", "invalid", "rejected")),
    *(f"context: changes slots, {status}" for status in ("expired", "tampered")),
    *(f"verify: changes slots, {status}" for status in ("ok", "missing", "expired", "tampered")),
    *("verify: in order, ok", "forget: changes slots, missing", "rewind", "restored: cpf"),
    *(
        f"session: {why}, {start}"
        for why, start in product(("after a while", "/restart", "/session_start", "away"), _STARTS)
    ),
    *(f"attack: ps7_context, {when}" for when in ("before", "after", "between")),
    *("token: new", "token: old", "token: forged", "token: another's"),
    *("replica: 0", "replica: 1", "replica: 2"),
    *(
        f"bot: every={every}, {start}, {store}, signed={signed}"
        for every, start, store, signed in product(
            (True, False), _STARTS, ("memory", "sql"), (True, False)
        )
    ),
}
"""A walk that never comes there tests nothing."""


@pytest.mark.timeout(1800)  # coverage makes it six times as long, and `make fuzz` asks for more
def test_random_walks() -> None:
    """A conversation shows the customer who came last in this session, or none."""
    ends = time.monotonic() + _SECONDS
    seen.clear()
    with this_process() as driver:
        for number in count():
            if seen["step"] >= _STEPS and time.monotonic() >= ends:
                break
            walk = made_up(number)
            if violated(walk, driver) is not None:
                walk = shrunk(walk, lambda other: violated(other, driver) is not None)
                pytest.fail(f"walk {number}: {violated(walk, driver)}{walk}")
    lines = (f"{times:9,}  {what}" for what, times in sorted(seen.items()))
    sys.stdout.write("\n".join(["", *lines, ""]))
    assert {what for what in REACHED if not seen[what]} == set()
