"""The tables of one run: what was found across, what is held down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.ps7 import Outcome
from actions.ps7.dialogue.context_id import Found
from actions.ps7.dialogue.resolver import (
    ClearCustomer,
    Decision,
    LookUp,
    Project,
    Refuse,
    SetStatus,
    Verdict,
    decide,
    verify,
)
from tests.support.talk import ANA, FOUND, HELD, Talk, talk_with

DECIDE = {
    # held: nothing found, the same, another, not usable
    "nothing": ("missing", "look up", "look up", "refuse invalid"),
    "ok": ("project", "project", "look up", "refuse invalid"),
    "ok, too old": ("clear expired", "look up", "look up", "refuse invalid"),
    "invalid": ("missing", "invalid", "look up", "refuse invalid"),
    "rejected": ("missing", "rejected", "look up", "refuse invalid"),
    "rejected, 30 s ago": ("missing", "look up", "look up", "refuse invalid"),
    "rejected, by a clock that was ahead": ("missing", "look up", "look up", "refuse invalid"),
    "denied": ("missing", "look up", "look up", "refuse invalid"),
    "unavailable": ("missing", "look up", "look up", "refuse invalid"),
    "expired": ("missing", "look up", "look up", "refuse invalid"),
    "logged out": ("missing", "missing", "look up", "refuse invalid"),
    "wiped": ("clear tampered", "look up", "look up", "refuse invalid"),
    "older": ("clear tampered", "look up", "refuse rejected", "refuse invalid"),
    "not ours": ("clear tampered", "look up", "look up", "refuse invalid"),
    "first format": ("clear expired", "look up", "look up", "refuse invalid"),
    "a status alone": ("clear tampered", "look up", "look up", "refuse invalid"),
}
VERIFY = {
    **dict.fromkeys(HELD, ("nothing",) * 4),
    "ok": ("project", "project", "clear missing", "clear missing"),
    "ok, too old": ("clear expired", "clear expired", "clear missing", "clear missing"),
    "first format": ("clear expired", "clear missing", "clear missing", "clear missing"),
    **dict.fromkeys(("wiped", "older", "not ours", "a status alone"), ("clear tampered",) * 4),
}


def shown(decision: Decision | Verdict) -> str:
    match decision:
        case Project():
            return "project"
        case SetStatus(outcome):
            return outcome.value
        case ClearCustomer(outcome):
            return f"clear {outcome.value}"
        case LookUp():
            return "look up"
        case Refuse(outcome=outcome):
            return f"refuse {outcome.value}"
        case None:
            return "nothing"


@pytest.mark.parametrize("held", HELD)
def test_the_table_of_a_run(held: str) -> None:
    """Each row of the documented table leads to its decision."""
    row = [shown(decide(talk_with(held, found).situation)) for found in FOUND]
    assert tuple(row) == DECIDE[held]


@pytest.mark.parametrize("held", HELD)
def test_the_table_of_a_verification(held: str) -> None:
    """Nobody is asked; afterwards either the seal stands behind the slots, or nothing is `ok`."""
    row = [shown(verify(talk_with(held, found).situation)) for found in FOUND]
    assert tuple(row) == VERIFY[held]


@pytest.mark.parametrize(
    ("held", "said"),
    [(name, name) for name in ("invalid", "denied", "unavailable", "rejected")]
    + [("logged out", "missing"), ("expired", "expired")],
)
def test_a_verification_contradicts_a_status(held: str, said: str) -> None:
    """Where it claims a customer, whatever arrived."""
    for found in FOUND:
        talk = talk_with(held, found)
        talk.writes(ps7_status="ok")
        assert shown(verify(talk.situation)) == said


@pytest.mark.parametrize(
    ("seconds", "decision"),
    [(-0.1, "look up"), (0, "rejected"), (29.9, "rejected"), (30, "look up")],
)
def test_how_long_ps7_is_not_asked_about_what_it_did_not_know(
    seconds: float, decision: str
) -> None:
    """For 30 s, by the clock of whoever asks."""
    talk = Talk()
    talk.meets("ana", Outcome.REJECTED)
    talk.now += timedelta(seconds=seconds)
    assert shown(decide(talk.situation)) == decision


@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.UNAVAILABLE])
def test_a_turn_costs_one_failed_lookup(outcome: Outcome) -> None:
    """However many runs it has; the next message asks again, whether it brings anything or not."""
    talk = Talk()
    talk.meets("ana", outcome)
    talk.happens("action", name="action_check")
    assert shown(decide(talk.situation)) == outcome.value
    talk.says()
    assert shown(decide(talk.situation)) == "look up"


@pytest.mark.parametrize("outcome", [Outcome.INVALID, Outcome.REJECTED])
def test_a_failure_of_an_earlier_session_does_not_hold(outcome: Outcome) -> None:
    """PS7 may know by now: a contextId that arrives in another session is looked up there."""
    talk = Talk()
    talk.meets("ana", outcome)
    talk.says("ana", opens="rasas")
    assert shown(decide(talk.situation)) == "look up"


def test_what_could_not_be_used_in_an_earlier_session_is_refused_anew() -> None:
    """The seal of a refusal names no session: it was no arrival. In its own session it stands."""
    talk = Talk()
    talk.meets("two words")
    talk.says("two words")
    assert shown(decide(talk.situation)) == "invalid"
    talk.says("two words", opens="rasas")
    assert shown(decide(talk.situation)) == "refuse invalid"


def test_a_decision_shows_no_context_id() -> None:
    """A decision may be printed without telling whom it is about."""
    assert "secret" not in repr(LookUp("secret-1", Found("secret-1", "secret-2")))
    assert ANA not in repr(Refuse(Found("ana", ANA), Outcome.MISSING))
