"""What a run comes to: its figures, and what is wrong with it. Pure."""

from __future__ import annotations

from itertools import pairwise
from statistics import quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.scale.scenario import Round, Run
    from benchmarks.scale.users import User

AS_IT_COMES, REPEATING = "nginx as it comes", "nginx repeats action calls"
_PERSONAL = ("cpf", "agency", "account")


def figures(run: Run) -> dict[str, Any]:
    """Return the figures of a run, those of each round among them."""
    turns = [turn for user in run.users for turn in user.turns]
    steps = quantiles([(turn.ended - turn.begun) * 1000 for turn in turns], n=100)
    return {
        "conversations": len(run.users),
        "turns": len(turns),
        "turns a second": round(len(turns) / sum(each.seconds for each in run.rounds), 1),
        "a turn, median (ms)": round(steps[49], 1),
        "a turn, p99 (ms)": round(steps[98], 1),
        "turns at another Rasa server than the one before (%)": _alternating(run),
        "contextIds": sum(len(user.seen) for user in run.users),
        "lookups that reached PS7": run.lookups,
        "turns lost": sum(not turn.right for turn in turns),
        "turns that users repeated": sum(user.repeated for user in run.users),
        "turns mixed up": sum(turn.mixed_up for turn in turns),
        "trackers mixed up": sum(_mixed_up(user, run.slots[user.number]) for user in run.users),
        "trackers right at the end": sum(
            _right(user, run.slots[user.number]) for user in run.users
        ),
        **{
            name: _of_round(each)
            for name, each in zip((AS_IT_COMES, REPEATING), run.rounds, strict=True)
        },
    }


def problems(found: Mapping[str, Any]) -> list[str]:
    """Name what the figures of a run must not say."""
    first, second = found[AS_IT_COMES], found[REPEATING]
    cut_off = sum(each["action calls cut off"] for each in (first, second))
    wrong = {
        "turns or trackers were mixed up": found["turns mixed up"] or found["trackers mixed up"],
        "a tracker is wrong": found["trackers right at the end"] != found["conversations"],
        "a turn came to the same Rasa server as the one before": found[
            "turns at another Rasa server than the one before (%)"
        ]
        != 100,  # noqa: PLR2004 - all of them
        "more turns were lost than calls were cut off": first["turns lost"]
        > first["action calls cut off"],
        "a turn was lost that was not under way at the kill": first[
            "turns lost that were not under way at the kill"
        ],
        "an action call failed that was not cut off": first["action calls that failed"]
        > first["action calls cut off"],
        "an action call failed, or a turn was lost, although nginx repeats calls": second[
            "action calls that failed"
        ]
        or second["turns lost"],
        "PS7 was asked more often than its contexts and the calls cut off account for": not (
            found["contextIds"]
            <= found["lookups that reached PS7"]
            <= found["contextIds"] + cut_off
        ),
        "an action server answered nothing after its return": not all(
            each["action calls that the killed server answered after its return"]
            for each in (first, second)
        ),
    }
    return [what for what, is_so in wrong.items() if is_so]


def _of_round(each: Round) -> dict[str, Any]:
    killed, dead = each.killed_between
    lost = [turn for user in each.users for turn in user.turns if not turn.right]
    elsewhere = [turn for turn in lost if turn.begun > dead or turn.ended < killed]
    return {
        "action calls": len(each.calls),
        "action calls cut off": sum(call.cut_off for call in each.calls),
        "action calls that failed": sum(call.failed for call in each.calls),
        "action calls refused, and given to the other server": sum(
            call.refused for call in each.calls
        ),
        "action calls that the killed server answered after its return": sum(
            call.answered_by == each.killed for call in each.calls[each.back :]
        ),
        "turns lost": len(lost),
        "turns lost that were not under way at the kill": len(elsewhere),
    }


def _alternating(run: Run) -> float:
    pairs = [pair for user in run.users for pair in pairwise(user.turns)]
    return round(100 * sum(one.server != other.server for one, other in pairs) / len(pairs), 1)


def _right(user: User, slots: Mapping[str, Any]) -> bool:
    expected = user.seen[-1].slots
    return expected == {name: slots[name] for name in expected}


def _mixed_up(user: User, slots: Mapping[str, Any]) -> bool:
    """Whether slots hold what belongs to nobody who was in this conversation."""
    return any(
        slots[name] is not None and slots[name] not in {who.slots[name] for who in user.seen}
        for name in _PERSONAL
    )
