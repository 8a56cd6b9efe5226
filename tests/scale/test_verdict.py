"""The scale run would tell: each thing that must not happen is noticed where it does."""

from __future__ import annotations

import filecmp
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scale import versions
from benchmarks.scale.acts import PLANS
from benchmarks.scale.proxy import Call
from benchmarks.scale.scenario import Act, Run
from benchmarks.scale.servers import BOT
from benchmarks.scale.users import Turn, User
from benchmarks.scale.verdict import of_act, problems
from benchmarks.scale.versions import FURTHER_FIELD, READS_NEXT, WRITES_NEXT

ONE, OTHER = "127.0.0.1:1", "127.0.0.1:2"
EARLY, MEANWHILE, LATE = 10.0, 99.5, 200.0
"""When a turn begins: before the server is killed (100 s to 101 s), under way then, afterwards."""
CUT_OFF = Call.of(f"502|{ONE}|0.000")
REPEATED = Call.of(f"200|{ONE}, {OTHER}|0.000, 0.001")
REFUSED = Call.of(f"200|{ONE}, {OTHER}|-, 0.001")
REFUSED_BY_BOTH = Call.of(f"502|{ONE}, {OTHER}|-, -")
ANSWERED = Call.of(f"200|{ONE}|0.000")


def turn(begun: float, server: str, *, right: bool = True, mixed_up: bool = False) -> Turn:
    return Turn(begun, begun + 1, right=right, mixed_up=mixed_up, server=server)


def said(status: str) -> dict[str, str]:
    return {"event": "slot", "name": "ps7_status", "value": status}


def a_run() -> Run:
    """Make a run in which nothing went wrong: a call was cut off in each of the first two acts."""
    users = [
        User(number, [turn(EARLY + place, (ONE, OTHER)[place % 2]) for place in range(4)])
        for number in range(8)
    ]
    kill = (100.0, 101.0)
    acts = [
        Act(PLANS[0], users[:3], 4.0, [CUT_OFF, REFUSED, ANSWERED], kill),
        Act(PLANS[1], users[3:6], 4.0, [REPEATED, REFUSED, ANSWERED], kill),
        Act(PLANS[2], users[6:], 2.0, [REFUSED, ANSWERED]),
    ]
    trackers = {
        each.number: {
            "slots": dict[str, Any](each.seen[-1].slots, ps7_status="ok"),
            "events": [said("ok")],
        }
        for each in users
    }
    lookups = Counter(who.context_id for each in users for who in each.seen)
    return Run(acts, trackers, lookups)


def lose(run: Run, half: int, *begun: float) -> None:
    """Lose turns of one round; the user says each again."""
    for when in begun:
        turns = run.acts[half].users[0].turns
        turns += [turn(when, ONE, right=False), turn(LATE, OTHER)]


def fail(run: Run, half: int, call: Call) -> None:
    run.acts[half].calls = [call, *run.acts[half].calls]


def test_a_run_in_which_nothing_went_wrong() -> None:
    """No problem is named; nor for a turn that was lost with the call that was cut off."""
    run = a_run()
    assert problems(run) == []
    lose(run, 0, MEANWHILE)
    assert [of_act(act, run)["turns lost"] for act in run.acts] == [1, 0, 0]
    assert problems(run) == []


@pytest.mark.parametrize(
    ("happens", "problem"),
    [
        (
            lambda run: run.users[0].turns.append(turn(LATE, ONE, mixed_up=True)),
            "turns or trackers were mixed up",
        ),
        (
            lambda run: run.trackers[0]["slots"].update(run.trackers[1]["slots"]),
            "turns or trackers were mixed up",
        ),
        (lambda run: run.trackers[0]["slots"].update(account=None), "a tracker is wrong"),
        (
            lambda run: run.users[0].turns.append(turn(LATE, OTHER)),
            "a turn came to the same Rasa server as the one before",
        ),
        (
            lambda run: lose(run, 0, MEANWHILE, MEANWHILE),
            "more turns were lost than calls were cut off",
        ),
        (lambda run: lose(run, 0, EARLY), "a turn was lost that was not under way at the kill"),
        (lambda run: fail(run, 0, REFUSED_BY_BOTH), "an action call failed that was not cut off"),
        (lambda run: lose(run, 1, MEANWHILE), "an action call failed, or a turn was lost"),
        (
            lambda run: run.lookups.update([run.acts[2].users[0].seen[0].context_id]),
            "PS7 was asked more often than its contexts and the calls cut off",
        ),
        (
            lambda run: run.trackers[7]["events"].insert(0, said("tampered")),
            "a conversation was expired, invalid or tampered",
        ),
    ],
)
def test_what_goes_wrong_is_named(happens: Callable[[Run], object], problem: str) -> None:
    """One thing that goes wrong is enough."""
    run = a_run()
    happens(run)
    assert any(what.startswith(problem) for what in problems(run))


@pytest.mark.parametrize("version", [FURTHER_FIELD, READS_NEXT, WRITES_NEXT])
def test_a_version_to_come_is_made_of_the_present_one(tmp_path: Path, version: str) -> None:
    """Its seals are others, and nothing else: the line to change is there."""
    made = versions.make(version, BOT, tmp_path / "made") / "actions"
    differing = filecmp.dircmp(BOT / "actions" / "ps7" / "dialogue", made / "ps7" / "dialogue")
    assert differing.diff_files == ["seal.py"]
