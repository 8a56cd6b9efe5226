"""A decision of the plugin in words: which row of its table that is, and why it fired. Pure.

The table stands in `dialogue.resolver` alone. Here nothing is decided: what was found and held, and
what was decided about it, is put into a sentence each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...context import Outcome
from ...dialogue import resolver

if TYPE_CHECKING:
    from datetime import datetime

    from ...dialogue.resolver import Decision, Present, Verdict
    from ...dialogue.seal import Sealed

_RECENTLY = f"{resolver.REJECTED_FOR.seconds} s"
_CLEARED = {
    Outcome.EXPIRED: "What PS7 said no longer holds, and no contextId is at hand to ask about.",
    Outcome.TAMPERED: "The slots speak of a customer, and no seal for this conversation stands "
    "behind them.",
    Outcome.MISSING: "Another contextId came, and this action asks nobody.",
}
_REFUSED = {
    Outcome.INVALID: "Nobody can be asked about what came: it is no contextId, or was not let in.",
    Outcome.MISSING: "This contextId was forgotten before: it is not looked up again here.",
    Outcome.REJECTED: "This session asked about as many other contextIds before as "
    "PS7_MAX_CONTEXTS allows.",
}
_PUT_BACK = (
    "An older seal was put back: a later one of this conversation is about another contextId."
)
_WIPED = "Nothing is held, and this session shows the seal of a customer: somebody wiped the slot."
_FORGOTTEN = (
    "A seal of this conversation remembers that this customer was forgotten; something brought "
    "that back."
)


FORGETS = "This action forgets whoever is known, and what came: neither is looked up again here."


@dataclass(frozen=True)
class Row:
    """One row of the table: what was found, what was held, and what to do then."""

    found: str
    """`none`, `same` as held, `another`, or `new` where nothing was held."""
    held: str
    then: str


def row(present: Present, decision: Decision | Verdict, now: datetime) -> Row:
    """Name the row that led to a decision."""
    return Row(_found(present), _held(present.held, now), _then(decision))


def forgotten(present: Present, now: datetime) -> Row:
    """Say what `action_ps7_forget` does, whatever it finds."""
    return Row(_found(present), _held(present.held, now), _then(resolver.Forget(())))


def _found(present: Present) -> str:
    if present.found is None:
        return "none"
    if present.held is None:
        return "new"
    return "same" if present.found.fingerprint == present.held.fingerprint else "another"


def _held(held: Sealed | None, now: datetime) -> str:
    if held is None:
        return "none"
    if held.customer is not None:
        return "ok, good" if held.good_at(now) else "ok, too old"
    without_a_name = "forgotten" if held.fingerprint else "nobody"
    return without_a_name if held.outcome == Outcome.MISSING else held.outcome.value


def _then(decision: Decision | Verdict) -> str:
    match decision:
        case resolver.Project():
            text = "project, no call"
        case resolver.Say(outcome):
            text = f"{outcome.value}, no call"
        case resolver.Empty(outcome):
            text = f"{outcome.value}, no call, customer nulled"
        case resolver.Clear(outcome):
            text = f"clear, {outcome.value}"
        case resolver.Refuse(outcome=outcome):
            text = f"{outcome.value}, no call"
        case resolver.LookUp():
            text = "look up"
        case resolver.Forget():
            text = "missing, everything nulled"
        case _:
            text = "nothing"
    return text


def why(present: Present, decision: Decision | Verdict, now: datetime) -> str:
    """Say in a sentence why that was decided."""
    match decision:
        case resolver.Project() if present.found is None:
            text = "No contextId came, and what PS7 said still holds."
        case resolver.Project():
            text = "PS7 was asked about this contextId before, and what it said still holds."
        case resolver.Say() | resolver.Empty():
            text = _why_say(present)
        case resolver.Clear(Outcome.MISSING) if present.held is None:
            text = _WIPED
        case resolver.Clear(outcome):
            put_back = outcome == Outcome.TAMPERED and present.held is not None
            text = _PUT_BACK if put_back else _CLEARED[outcome]
        case resolver.Refuse(outcome=outcome):
            text = _REFUSED[outcome]
        case resolver.LookUp():
            text = _why_look_up(present, now)
        case resolver.Forget():
            text = _FORGOTTEN
        case _:
            text = "Nobody is known here, and nothing claims it: the slots are the bot's own."
    return text


def _why_say(present: Present) -> str:
    found, held = present.found, present.held
    if held is None:
        return "No contextId came, and nothing is held."
    claimed = " The status claimed a customer all the same." if present.says_ok else ""
    if found is None:
        return f"No contextId came, and what is held names no customer.{claimed}"
    if held.outcome == Outcome.REJECTED:
        return f"PS7 did not know this contextId less than {_RECENTLY} ago.{claimed}"
    if held.outcome == Outcome.MISSING:
        return f"{_REFUSED[Outcome.MISSING]}{claimed}"
    return f"Another call about the same contextId could not change this.{claimed}"


def _why_look_up(present: Present, now: datetime) -> str:
    found = _found(present)
    held = _held(present.held, now)
    if found == "new":
        return "A contextId came, and nothing is held: PS7 has to be asked."
    if found == "another":
        return "Another contextId came than the one that is held: PS7 has to be asked."
    if held == "ok, too old":
        return "What PS7 said no longer holds: it is asked again."
    if held == Outcome.REJECTED.value:
        return f"PS7 did not know this contextId {_RECENTLY} ago or earlier: it is asked again."
    return f"The last lookup ended {held}: every turn tries again."
