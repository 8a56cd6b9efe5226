"""The scale run would tell: each thing that must not happen is noticed where it does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.scale.proxy import Call
from benchmarks.scale.scenario import Round, Run
from benchmarks.scale.users import Turn, User, names_another
from benchmarks.scale.verdict import AS_IT_COMES, REPEATING, figures, problems

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, OTHER = "127.0.0.1:1", "127.0.0.1:2"
KILLED_BETWEEN = (100.0, 101.0)
EARLY, MEANWHILE, LATE = 10.0, 99.5, 200.0


def turn(begun: float, server: str, *, right: bool = True, mixed_up: bool = False) -> Turn:
    return Turn(begun, begun + 1, right=right, mixed_up=mixed_up, server=server)


def user(number: int) -> User:
    """Make somebody whose turns went well, each at another Rasa server than the one before."""
    return User(number, [turn(EARLY + place, (ONE, OTHER)[place % 2]) for place in range(4)])


CUT_OFF = Call.of(f"1.5|502|{ONE}|0.000")
REPEATED = Call.of(f"1.5|200|{ONE}, {OTHER}|0.000, 0.001")
REFUSED = Call.of(f"1.6|200|{ONE}, {OTHER}|-, 0.001")
REFUSED_BY_BOTH = Call.of(f"1.6|502|{ONE}, {OTHER}|-, -")
ANSWERED = Call.of(f"1.7|200|{ONE}|0.000")


def a_round(users: list[User], cut_off: Call) -> Round:
    """Make a round in which one call was cut off, and the killed server came back."""
    calls = [cut_off, REFUSED, ANSWERED]
    return Round(users, 5.0, ONE, KILLED_BETWEEN, calls, back=2)


def a_run() -> Run:
    """Make a run in which nothing went wrong."""
    users = [user(number) for number in range(8)]
    slots = {each.number: dict[str, Any](each.seen[-1].slots) for each in users}
    rounds = [a_round(users[:4], CUT_OFF), a_round(users[4:], REPEATED)]
    return Run(rounds, slots, lookups=10)


def lose(run: Run, half: int, begun: float) -> None:
    """Lose a turn of one round; the user says it again."""
    somebody = run.rounds[half].users[0]
    somebody.turns.append(turn(begun, ONE, right=False))
    somebody.turns.append(turn(LATE, OTHER))


def lose_two(run: Run) -> None:
    lose(run, 0, MEANWHILE)
    lose(run, 0, MEANWHILE)


def mix_up_a_turn(run: Run) -> None:
    run.users[0].turns.append(turn(LATE, ONE, mixed_up=True))


def mix_up_a_tracker(run: Run) -> None:
    run.slots[0]["account"] = run.slots[1]["account"]


def leave_a_tracker_behind(run: Run) -> None:
    run.slots[0] = dict.fromkeys(run.slots[0]) | {"ps7_status": "missing"}


def stay_at_a_server(run: Run) -> None:
    run.users[0].turns.append(turn(LATE, OTHER))


def ask_too_often(run: Run) -> None:
    run.lookups = 13


def ask_too_seldom(run: Run) -> None:
    run.lookups = 9


def fail(run: Run, half: int, call: Call) -> None:
    run.rounds[half] = replace(run.rounds[half], calls=[call, *run.rounds[half].calls], back=3)


def never_come_back(run: Run) -> None:
    run.rounds[1] = replace(run.rounds[1], back=3)


def test_a_run_in_which_nothing_went_wrong() -> None:
    """Its figures count what happened, and no problem is named."""
    found = figures(a_run())

    assert found["conversations"] == 8
    assert found["turns"] == 32
    assert found["turns a second"] == 3.2
    assert found["contextIds"] == 8 + 2, "every fourth user has somebody come after them"
    assert found["turns lost"] == 0
    for name, failed in ((AS_IT_COMES, 1), (REPEATING, 0)):
        assert found[name]["action calls"] == 3
        assert found[name]["action calls cut off"] == 1
        assert found[name]["action calls that failed"] == failed
        assert found[name]["action calls refused, and given to the other server"] == 1
    assert problems(found) == []


def test_a_turn_may_be_lost_that_was_under_way_at_the_kill() -> None:
    """One call was cut off, so one turn may be lost where nginx does not repeat it."""
    run = a_run()
    lose(run, 0, MEANWHILE)

    found = figures(run)
    assert found["turns lost"] == found[AS_IT_COMES]["turns lost"] == 1
    assert problems(found) == []


@pytest.mark.parametrize(
    ("happens", "problem"),
    [
        (mix_up_a_turn, "turns or trackers were mixed up"),
        (mix_up_a_tracker, "turns or trackers were mixed up"),
        (leave_a_tracker_behind, "a tracker is wrong"),
        (stay_at_a_server, "a turn came to the same Rasa server as the one before"),
        (lose_two, "more turns were lost than calls were cut off"),
        (lambda run: lose(run, 0, EARLY), "a turn was lost that was not under way at the kill"),
        (lambda run: lose(run, 0, LATE), "a turn was lost that was not under way at the kill"),
        (lambda run: fail(run, 0, REFUSED_BY_BOTH), "an action call failed that was not cut off"),
        (
            lambda run: lose(run, 1, MEANWHILE),
            "an action call failed, or a turn was lost, although",
        ),
        (lambda run: fail(run, 1, CUT_OFF), "an action call failed, or a turn was lost, although"),
        (ask_too_often, "PS7 was asked more often than its contexts and the calls cut off"),
        (ask_too_seldom, "PS7 was asked more often than its contexts and the calls cut off"),
        (never_come_back, "an action server answered nothing after its return"),
    ],
)
def test_what_goes_wrong_is_named(happens: Callable[[Run], None], problem: str) -> None:
    """One thing that goes wrong is enough."""
    run = a_run()
    happens(run)

    assert any(what.startswith(problem) for what in problems(figures(run)))


@pytest.mark.parametrize(
    ("heard", "another"),
    [
        ("Você fala da agência 0001, conta 00000001.", False),
        ("Você fala da agência 0002, conta 00000002.", True),
        ("Ainda não sei de que conta você fala.", False),
        ("None", False),
    ],
)
def test_an_answer_that_names_another_account_is_a_mix_up(heard: str, another: bool) -> None:
    """No answer, or one without an account, is wrong perhaps, but nobody else's."""
    assert names_another(heard, "Você fala da agência 0001, conta 00000001.") is another
    assert names_another(heard, "Ainda não sei de que conta você fala.") is ("000" in heard)
