"""What a run comes to: its figures, and what is wrong with it. Pure."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from statistics import quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.scale.scenario import Act, Run
    from benchmarks.scale.users import User

_PERSONAL = ("cpf", "agency", "account")
_NEVER = ("expired", "invalid", "tampered")
"""What no conversation here may ever be: each customer arrives rightly, and their time is not over.
An arrival that is refused is `invalid`."""


def figures(run: Run) -> dict[str, Any]:
    """Return the figures of a run, those of each act among them."""
    turns = [turn for user in run.users for turn in user.turns]
    trackers = [(user, run.trackers[user.number]["slots"]) for user in run.users]
    steps = quantiles([(turn.ended - turn.begun) * 1000 for turn in turns], n=100)
    return {
        "conversations": len(run.users),
        "turns": len(turns),
        "turns a second": round(len(turns) / sum(act.seconds for act in run.acts), 1),
        "a turn, median (ms)": round(steps[49], 1),
        "a turn, p99 (ms)": round(steps[98], 1),
        "turns at another Rasa server than the one before (%)": _alternating(run),
        "contextIds": sum(len(user.seen) for user in run.users),
        "lookups that reached PS7": run.lookups.total(),
        "action servers replaced": sum(act.replaced for act in run.acts),
        "turns lost": sum(not turn.right for turn in turns),
        "turns that users repeated": sum(user.repeated for user in run.users),
        "turns mixed up": sum(turn.mixed_up for turn in turns),
        "trackers mixed up": sum(_mixed_up(*tracker) for tracker in trackers),
        "trackers right at the end": sum(_right(*tracker) for tracker in trackers),
        **{act.plan.name: _of_act(act, run) for act in run.acts},
    }


def problems(found: Mapping[str, Any]) -> list[str]:
    """Name what the figures of a run must not say."""
    wrong = {
        "turns or trackers were mixed up": found["turns mixed up"] or found["trackers mixed up"],
        "a tracker is wrong": found["trackers right at the end"] != found["conversations"],
        "a turn came to the same Rasa server as the one before": found[
            "turns at another Rasa server than the one before (%)"
        ]
        != 100,  # noqa: PLR2004 - all of them
    }
    of_acts = [
        f"{what}: {name}"
        for name, act in found.items()
        if isinstance(act, dict)
        for what, is_so in _wrong_in(act).items()
        if is_so
    ]
    return [what for what, is_so in wrong.items() if is_so] + of_acts


def _wrong_in(act: Mapping[str, Any]) -> dict[str, bool]:
    expected, each = act["contextIds"], 1 + act["further lookups that a contextId may cost"]
    cut_off, failed = act["action calls cut off"], act[_FAILED]
    # Where another lookup is needed, actions of the turn before have not known the customer.
    lost = act["turns lost"] if each == 1 else 0
    lookups, at_most = act["lookups that reached PS7"], act["lookups of one contextId, at most"]
    return {
        "a conversation was expired, invalid or tampered": any(
            act[f"conversations that were ever {status}"] for status in _NEVER
        ),
        "PS7 was asked more often than its contexts and the calls cut off account for": not (
            expected <= lookups <= each * expected + cut_off and at_most <= each + cut_off
        ),
        "no call came while a server was away": not act[_REFUSED],
        "an action call failed, or a turn was lost, although nginx repeats calls": act[_REPEATED]
        and bool(failed or lost),
        "more turns were lost than calls were cut off": lost > cut_off,
        "an action call failed that was not cut off": failed > cut_off,
        "a turn was lost that was not under way at the kill": act.get(_ELSEWHERE, 0) > 0,
        "an action server answered nothing after its return": act.get(_RETURNED, 1) == 0,
    }


_FAILED = "action calls that failed"
_REPEATED = "nginx repeats action calls that are cut off"
_REFUSED = "action calls refused, and given to the other server"
_RETURNED = "action calls that the killed server answered after its return"
_ELSEWHERE = "turns lost that were not under way at the kill"


def _of_act(act: Act, run: Run) -> dict[str, Any]:
    ever = Counter(status for user in act.users for status in _statuses(run.trackers[user.number]))
    asked = [run.lookups[who.context_id] for user in act.users for who in user.seen]
    return {
        "conversations": len(act.users),
        _REPEATED: act.plan.repeats,
        "action servers replaced": act.replaced,
        "action calls": len(act.calls),
        "action calls cut off": sum(call.cut_off for call in act.calls),
        _FAILED: sum(call.failed for call in act.calls),
        _REFUSED: sum(call.refused for call in act.calls),
        "contextIds": len(asked),
        "further lookups that a contextId may cost": act.plan.further,
        "lookups that reached PS7": sum(asked),
        "lookups of one contextId, at most": max(asked),
        **{f"conversations that were ever {status}": ever[status] for status in _NEVER},
        "turns lost": sum(not turn.right for user in act.users for turn in user.turns),
    } | (_of_kill(act) if act.killed else {})


def _of_kill(act: Act) -> dict[str, int]:
    begun, dead = act.dying
    lost = [turn for user in act.users for turn in user.turns if not turn.right]
    elsewhere = [turn for turn in lost if turn.begun > dead or turn.ended < begun]
    return {
        _RETURNED: sum(call.answered_by == act.killed for call in act.calls[act.back :]),
        _ELSEWHERE: len(elsewhere),
    }


def _statuses(tracker: Mapping[str, Any]) -> set[str]:
    """Return all that the status of a conversation ever was."""
    events = (each for each in tracker["events"] if each.get("name") == "ps7_status")
    return {each["value"] for each in events if each["event"] == "slot" and each["value"]}


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
