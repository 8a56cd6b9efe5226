"""What `make outage` takes for wrong, without a load: one turn among others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.outage import Outage, Turn

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
