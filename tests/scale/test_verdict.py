"""What `make scale` takes for wrong, without servers: one bad conversation among good ones."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.scale.acts import PLANS, Plan
from benchmarks.scale.proxy import Call
from benchmarks.scale.scenario import Act, Run
from benchmarks.scale.users import Turn, User
from benchmarks.scale.verdict import problems

REPEATED = SimpleNamespace(cut_off=False, failed=False, refused=True)
NOBODY = {"ps7_status": "missing", "cpf": None, "agency": None, "account": None}
EXPIRED = [{"event": "slot", "name": "ps7_status", "value": "expired"}]


def a_run() -> Run:
    """Make a run of one act, in which all is well."""
    users = [User(number, [Turn(0, 1, True, False, each) for each in "ab"]) for number in (0, 4)]
    calls: Any = [REPEATED]
    run = Run([Act(PLANS[2], users, calls=calls)])
    for user in users:
        (who,) = user.seen
        slots = {"ps7_status": "ok", **who.slots}
        run.trackers[user.number] = {"slots": slots, "events": []}
        run.lookups[who.context_id] = 1
    return run


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, []),
        ({"slots": NOBODY}, ["a tracker is wrong"]),
        ({"slots": {**NOBODY, "cpf": "1"}}, ["turns or trackers were mixed up", "a tracker is"]),
        ({"events": EXPIRED}, ["a conversation was expired, invalid or tampered"]),
    ],
    ids=["nothing", "nobody known", "another known", "expired meanwhile"],
)
def test_one_wrong_tracker_is_a_problem(wrong: dict[str, Any], said: list[str]) -> None:
    """However many are right."""
    run = a_run()
    run.trackers[4] |= wrong
    found = problems(run)
    assert [problem[: len(each)] for problem, each in zip(found, said, strict=True)] == said


def test_each_context_is_looked_up_and_a_server_is_away() -> None:
    """Else the run has shown nothing."""
    run = a_run()
    run.lookups, run.acts[0].calls = Counter(), ()
    assert len(problems(run)) == 2


@pytest.mark.parametrize(("plan", "most"), [(PLANS[2], 1), (PLANS[3], 2)])
def test_each_version_may_look_a_customer_up_once(plan: Plan, most: int) -> None:
    """If they seal in one format, one lookup does for both."""
    run = a_run()
    run.acts[0].plan = plan
    for lookups, problem in ((most, []), (most + 1, ["PS7 was asked more often"])):
        run.lookups.update(dict.fromkeys(run.lookups, lookups - min(run.lookups.values())))
        assert [each[:24] for each in problems(run)] == problem


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("200|one|0.000", Call("one", refused=False, cut_off=False)),
        ("200|one, two|-, 0.000", Call("two", refused=True, cut_off=False)),
        ("200|one, two|0.000, 0.000", Call("two", refused=False, cut_off=True)),
        ("502|one, two|-, -", Call(None, refused=True, cut_off=False)),
        ("502|one|0.000", Call(None, refused=False, cut_off=True)),
    ],
)
def test_the_log_of_the_proxy_says_who_answered_a_call(line: str, call: Call) -> None:
    """The last that was asked; one that was reached before it did not answer."""
    assert Call.of(line) == call
