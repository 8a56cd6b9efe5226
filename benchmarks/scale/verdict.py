"""What a run comes to: its figures, and what is wrong with it. Pure."""

from __future__ import annotations

from itertools import pairwise
from statistics import quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.scale.scenario import Act, Run
    from benchmarks.scale.users import User

_NEVER = {"expired", "invalid", "tampered"}
"""What no conversation here may ever be: each customer arrives rightly, and their time is not over.
An arrival that is refused is `invalid`."""
_REFUSED = "action calls refused, and given to the other server"
_FAILED = "action calls that failed"


def figures(run: Run) -> dict[str, object]:
    """Return the figures of a whole run."""
    turns = [turn for user in run.users for turn in user.turns]
    steps = quantiles([(turn.ended - turn.begun) * 1000 for turn in turns], n=100)
    return {
        "conversations": len(run.users),
        "turns": len(turns),
        "turns a second": round(len(turns) / sum(act.seconds for act in run.acts), 1),
        "a turn, ms": f"median {steps[49]:.0f}, p99 {steps[98]:.0f}",
        "turns and trackers mixed up": len(mixed_up(run)),
        "trackers right at the end": sum(_right(user, run) for user in run.users),
        "contextIds, and lookups that reached PS7": f"{_seen(run.users)}, {run.lookups.total()}",
    }


def of_act(act: Act, run: Run) -> dict[str, Any]:
    """Return the figures of one act."""
    return {
        "conversations": len(act.users),
        "action calls": len(act.calls),
        "action calls cut off": sum(call.cut_off for call in act.calls),
        _FAILED: sum(call.failed for call in act.calls),
        _REFUSED: sum(call.refused for call in act.calls),
        "turns lost": len(_lost(act)),
        "lookups beyond one a contextId": sum(_asked(act, run)) - _seen(act.users),
    }


def problems(run: Run) -> list[str]:
    """Name what must not be."""
    pairs = [pair for user in run.users for pair in pairwise(user.turns)]
    wrong = {
        "turns or trackers were mixed up": mixed_up(run),
        "a tracker is wrong": not all(_right(user, run) for user in run.users),
        "a turn came to the same Rasa server as the one before": any(
            one.server == other.server for one, other in pairs
        ),
    }
    return [what for what, is_so in wrong.items() if is_so] + [
        f"{what}: {act.plan.name}"
        for act in run.acts
        for what, is_so in _wrong_in(act, run).items()
        if is_so
    ]


def _wrong_in(act: Act, run: Run) -> dict[str, bool]:
    found, asked = of_act(act, run), _asked(act, run)
    cut_off, failed, lost = found["action calls cut off"], found[_FAILED], _lost(act)
    begun, dead = act.dying
    # Where two formats take turns, a bot's action may not know whom the other version looked up.
    lost_otherwise = lost if act.plan.lookups == 1 else []
    ever = [_statuses(run.trackers[user.number]) for user in act.users]
    return {
        "a conversation was expired, invalid or tampered": any(map(_NEVER.intersection, ever)),
        "PS7 was asked more often than its contexts and the calls cut off account for": not (
            min(asked) >= 1
            and sum(asked) <= len(asked) * (act.plan.lookups or sum(asked)) + cut_off
        ),
        "no call came while a server was away": not found[_REFUSED],
        "an action call failed, or a turn was lost, although nginx repeats calls": act.plan.repeats
        and bool(failed or lost_otherwise),
        "more turns were lost than calls were cut off": len(lost_otherwise) > cut_off,
        "an action call failed that was not cut off": failed > cut_off,
        "a turn was lost that was not under way at the kill": any(
            turn.begun > dead or turn.ended < begun for turn in lost_otherwise
        ),
    }


def mixed_up(run: Run) -> list[str]:
    """Name the conversations in which a turn or a slot is of somebody who was not in it."""
    return [
        user.sender
        for user in run.users
        if any(turn.mixed_up for turn in user.turns)
        or any(
            run.trackers[user.number]["slots"][name]
            not in {None, *(w.slots[name] for w in user.seen)}
            for name in user.seen[-1].slots
        )
    ]


def _right(user: User, run: Run) -> bool:
    expected = {"ps7_status": "ok", **user.seen[-1].slots}
    slots = run.trackers[user.number]["slots"]
    return expected == {name: slots[name] for name in expected}


def _seen(users: list[User]) -> int:
    return sum(len(user.seen) for user in users)


def _asked(act: Act, run: Run) -> list[int]:
    return [run.lookups[who.context_id] for user in act.users for who in user.seen]


def _lost(act: Act) -> list[Any]:
    return [turn for user in act.users for turn in user.turns if not turn.right]


def _statuses(tracker: Mapping[str, Any]) -> set[str]:
    """Return all that the status of a conversation ever was."""
    events = (each for each in tracker["events"] if each.get("name") == "ps7_status")
    return {each["value"] for each in events if each["event"] == "slot" and each["value"]}
