"""What `make outage`, `rush` and `soak` take for wrong, without a load: one thing among others."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.outage import Outage, Turn
from benchmarks.soak import State, grown

BEFORE, DARK, BACK = (0.0, 1.0), (11.0, 15.0), (71.0, 72.0)
"""When turns begin and end: PS7 is dark from 10 s to 70 s."""
LATE = "a new user was known again too late"


def an_outage(*turns: Turn, lost: int = 0, tasks: int = 0) -> Outage:
    """Return one of a minute, after which a new user must be known within 10 s."""
    load: Any = SimpleNamespace(turns=[*turns], sent=len(turns) + lost)
    return Outage(load, 10.0, 70.0, 20.0, 0, tasks, 10.0)


GOOD = [
    Turn(*BEFORE, "ok", known=False),
    Turn(*DARK, "ok", known=True),
    Turn(*DARK, "unavailable", known=False),
    Turn(*BACK, "ok", known=False),
]


@pytest.mark.parametrize(
    ("outage", "said"),
    [
        (an_outage(*GOOD), []),
        (an_outage(*GOOD, lost=1), ["a turn was not answered"]),
        (an_outage(*GOOD, Turn(*DARK, "unavailable", known=True)), ["a known user noticed the"]),
        (an_outage(*GOOD, tasks=1), ["a task was left"]),
        (an_outage(*GOOD[:3]), [LATE]),
        (an_outage(*GOOD[:3], Turn(75.0, 80.1, "ok", known=False)), [LATE]),
        # They noticed nothing, or begun before it and ended in the dark: that says nothing of PS7.
        (an_outage(*GOOD[:3], Turn(*BACK, "ok", known=True)), [LATE]),
        (an_outage(*GOOD[:3], Turn(9.9, 10.1, "ok", known=False)), [LATE]),
    ],
)
def test_what_users_may_not_notice_is_a_problem(outage: Outage, said: list[str]) -> None:
    """Not even one of them."""
    found = outage.problems()
    assert [problem[: len(each)] for problem, each in zip(found, said, strict=True)] == said


KNOWN, ANOTHER, BUSY = ("ok", True), ("ok", False), ("unavailable", True)
"""How a lookup ends, and whether it is not another one's customer."""


@pytest.mark.skipif(sys.platform != "linux", reason="a rush keeps processes on their cores")
@pytest.mark.parametrize(
    ("ends", "opened", "mebibytes", "said"),
    [
        ([KNOWN] * 6 + [BUSY] * 4, 0, 64, []),
        ([KNOWN] * 5 + [BUSY] * 5, 0, 0, ["too few are known"]),
        ([KNOWN] * 10, 1, 0, ["the circuit opened"]),
        ([KNOWN] * 10, 0, 64.1, ["memory grew"]),
        ([KNOWN] * 9 + [ANOTHER], 0, 0, ["somebody is another customer"]),
    ],
)
def test_a_rush_may_cost_a_tenth_of_what_is_possible(
    ends: list[tuple[str, bool]], opened: int, mebibytes: float, said: list[str]
) -> None:
    """One and a half times as many come as there is room for: six of ten is nine tenths of it."""
    from benchmarks.rush import bad  # noqa: PLC0415 - it needs Linux
    from benchmarks.sides import Looked, Lookup  # noqa: PLC0415 - likewise

    lookups = [Lookup(outcome, outcome, 0.1, is_right) for outcome, is_right in ends]
    assert bad(Looked(lookups, opened, 1.0, 1.0, round(mebibytes * 2**20)), 1.5) == said


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (State(1050, 10, 2), []),
        (State(900, 9, 1), []),
        (State(1051, 10, 2), ["memory"]),
        (State(1000, 11, 3), ["descriptors", "tasks"]),
    ],
)
def test_only_memory_may_grow_and_by_a_twentieth(after: State, said: list[str]) -> None:
    assert grown(State(1000, 10, 2), after) == said
