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
    from ...dialogue.resolver import Decision, Verdict
    from ...dialogue.situation import Situation

_RECENTLY = f"{resolver.REJECTED_FOR.seconds} s"
_LOGGED_OUT = "This contextId was logged out: it is not looked up again in this conversation."
_CLEARED = {
    Outcome.EXPIRED: "What PS7 said no longer holds, and there is nobody to ask now.",
    Outcome.TAMPERED: "The slots speak of a customer, and the newest seal of this conversation "
    "does not stand behind them.",
}
_REFUSED = {
    Outcome.INVALID: "Nobody can be asked about what came: it is no contextId, or was refused.",
    Outcome.MISSING: _LOGGED_OUT,
    Outcome.REJECTED: "This session asked about as many other contextIds before as "
    "PS7_MAX_CONTEXTS allows.",
}
FORGETS = "This action logs out whoever is known, and what came: neither is looked up again here."


@dataclass(frozen=True)
class Row:
    """One row of the table: what was found, what was held, and what to do then."""

    found: str
    """`none`, `same` as held, `another`, or `new` where nothing was held."""
    held: str
    then: str


def row(situation: Situation, decision: Decision | Verdict) -> Row:
    """Return the row that led to a decision."""
    return Row(_found(situation), _held(situation), _then(decision))


def forget(situation: Situation) -> Row:
    """Return what `action_ps7_forget` does, whatever it finds."""
    return Row(_found(situation), _held(situation), "missing, everything nulled")


def _found(situation: Situation) -> str:
    if situation.found is None:
        return "none"
    if situation.held is None:
        return "new"
    return "same" if situation.same else "another"


def _held(situation: Situation) -> str:
    held = situation.held
    if held is None:
        return "none"
    if held.fingerprint in situation.logged_out:
        return "logged out"
    if held.outcome == Outcome.OK:
        return "ok, good" if held.good_at(situation.now) else "ok, too old"
    return str(held.outcome.value)


def _then(decision: Decision | Verdict) -> str:
    text: str
    match decision:
        case resolver.Project():
            text = "project, no call"
        case resolver.SetStatus(outcome) | resolver.Refuse(outcome=outcome):
            text = f"{outcome.value}, no call"
        case resolver.ClearCustomer(outcome):
            text = f"clear, {outcome.value}"
        case resolver.LookUp():
            text = "look up"
        case _:
            text = "nothing"
    return text


def why(situation: Situation, decision: Decision | Verdict) -> str:
    """Return a sentence on why that was decided."""
    match decision:
        case resolver.Project() if situation.found is None:
            text = "No contextId came, and what PS7 said still holds."
        case resolver.Project():
            text = "PS7 was asked about this contextId before, and what it said still holds."
        case resolver.SetStatus():
            text = _why_status(situation)
        case resolver.ClearCustomer(outcome):
            text = _CLEARED.get(outcome, _why_missing(situation))
        case resolver.Refuse(outcome=outcome):
            text = _REFUSED[outcome]
        case resolver.LookUp():
            text = _why_look_up(situation)
        case _:
            text = "Nobody is known here, and nothing claims it: the slots are the bot's own."
    return text


def _why_missing(situation: Situation) -> str:
    if situation.held is None:
        return "The slot of the seal was emptied, and no contextId is at hand."
    if _held(situation) == "logged out":
        return _LOGGED_OUT
    return "Another contextId came, and this action asks nobody."


def _why_status(situation: Situation) -> str:
    found, held = situation.found, situation.held
    if held is None:
        return "No contextId came, and nothing is held."
    claimed = " The status claimed a customer all the same." if situation.says_ok else ""
    if _held(situation) == "logged out":
        return f"{_LOGGED_OUT}{claimed}"
    if found is None:
        return f"No contextId came, and what is held names no customer.{claimed}"
    if held.outcome == Outcome.REJECTED:
        return f"PS7 did not know this contextId, and is not asked again for {_RECENTLY}.{claimed}"
    if held.outcome == Outcome.INVALID:
        return f"Another call about the same contextId could not change this.{claimed}"
    return f"What PS7 was asked last names no customer, and it is not asked again now.{claimed}"


def _why_look_up(situation: Situation) -> str:
    found, held = _found(situation), _held(situation)
    if found == "new":
        return "A contextId came, and nothing is held: PS7 has to be asked."
    if found == "another":
        return "Another contextId came than the one that is held: PS7 has to be asked."
    if held in ("ok, too old", Outcome.EXPIRED.value):
        return "What PS7 said no longer holds: it is asked again."
    if held == Outcome.REJECTED.value:
        return f"PS7 did not know this contextId {_RECENTLY} ago or earlier: it is asked again."
    if held == Outcome.MISSING.value:
        return "What PS7 said was cleared: it is asked again."
    return f"The last lookup ended {held}: every turn tries again."
