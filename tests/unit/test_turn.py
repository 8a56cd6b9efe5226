"""What a decision means for the conversation: the slots to set, the next seal, and what is said."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from actions.ps7 import Outcome
from actions.ps7.api import telemetry
from actions.ps7.dialogue import resolver
from actions.ps7.dialogue.context_id import fingerprint
from actions.ps7.dialogue.seal import Seen
from tests.support.talk import ANA, DIEGO, HOUR, SECOND, Talk

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What stands in the log, with levels."""
    return [(record.levelname, record.getMessage()) for record in caplog.records]


# What is sealed


def test_a_seal_says_what_was_learnt_and_up_to_where_the_tracker_was_read() -> None:
    """Everything that the next turn need not find out again."""
    talk = Talk()
    sealed = talk.looks_up("ana")
    assert (sealed.outcome, sealed.fingerprint, sealed.sealed_at) == (Outcome.OK, ANA, talk.now)
    assert (sealed.session, sealed.asked, sealed.seen) == ("1.0", (ANA,), Seen(2, "2.0"))
    assert (sealed.forgotten, sealed.replaced) == ((), ())


def test_a_seal_remembers_whom_another_one_replaced() -> None:
    """And what was asked about in this session, in its order."""
    talk = Talk()
    talk.looks_up("ana")
    sealed = talk.looks_up("diego", Outcome.REJECTED)
    assert (sealed.outcome, sealed.customer) == (Outcome.REJECTED, None)
    assert (sealed.replaced, sealed.asked) == ((ANA,), (ANA, DIEGO))


def test_what_asks_nobody_is_not_counted_as_asked() -> None:
    """A contextId that cannot be used leaves the list of those that were looked up as it is."""
    talk = Talk()
    talk.looks_up("ana")
    talk.says(["no", "text"])
    talk.run()
    sealed = talk.sealed
    assert (sealed.outcome, sealed.asked) == (Outcome.INVALID, (ANA,))


@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.UNAVAILABLE])
def test_a_failure_that_goes_on_changes_nothing(outcome: Outcome) -> None:
    """PS7 is asked again on every turn: the conversation does not grow with each of them."""
    talk = Talk()
    talk.looks_up("ana", outcome)
    before = dict(talk.slots)
    events = len(talk.events)
    talk.looks_up("ana", outcome)
    assert talk.slots == before
    assert len(talk.events) == events + 1, "more than the message was added"


# Whoever is forgotten


def test_every_log_out_is_remembered() -> None:
    """A second customer who logs out does not bring the first one back."""
    talk = Talk()
    talk.looks_up("ana")
    talk.forgets()
    talk.looks_up("diego")
    talk.forgets()
    sealed = talk.sealed
    assert (sealed.outcome, sealed.fingerprint) == (Outcome.MISSING, DIEGO)
    assert sealed.forgotten == (DIEGO, ANA)


def test_a_log_out_where_nobody_is_known_leaves_nothing() -> None:
    """No seal, and no customer."""
    talk = Talk()
    talk.writes(cpf="typed")
    talk.forgets()
    assert talk.slots == dict.fromkeys(talk.slots) | {"ps7_status": "missing"}


# Whose time is over


def test_a_customer_whose_time_is_over_leaves_nothing() -> None:
    """But a seal that names nobody: the bot's own slots that go with a customer go too."""
    talk = Talk()
    talk.looks_up("ana")
    talk.writes(balance="12")
    talk.events = []
    talk.says()
    talk.now += HOUR
    changes = talk.run()
    assert changes.pop("ps7_context") is not None
    assert changes == {"balance": None, "cpf": None, "agency": None, "ps7_status": "expired"}
    sealed = talk.sealed
    assert (sealed.outcome, sealed.fingerprint, sealed.customer) == (Outcome.MISSING, "", None)
    assert (sealed.forgotten, sealed.replaced) == ((), ())


@pytest.mark.parametrize("left", ["replaced", "forgotten"])
def test_who_was_here_before_stays_known_when_a_time_is_over(left: str) -> None:
    """Rasa may still carry the contextId of before: a seal with no customer says so."""
    talk = Talk()
    talk.seal(talk.looks_up("ana").model_copy(update={left: (DIEGO,)}))
    talk.events = []
    talk.says()
    talk.now += HOUR
    talk.run()
    sealed = talk.sealed
    assert (talk.slots["ps7_status"], talk.slots["cpf"]) == ("expired", None)
    assert (sealed.outcome, sealed.fingerprint, sealed.customer) == (Outcome.MISSING, "", None)
    assert (sealed.forgotten, sealed.replaced) == {
        "replaced": ((), (ANA, DIEGO)),
        "forgotten": ((DIEGO,), (ANA,)),
    }[left]


# What is said


def test_a_status_that_claims_a_customer_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """With what the seal says instead, and nothing else."""
    talk = Talk()
    talk.looks_up("ana", Outcome.REJECTED)
    talk.writes(ps7_status="ok", cpf="typed")
    assert talk.run() == {"ps7_status": "rejected", "cpf": None}
    text = "The status claimed a customer; the seal says rejected"
    assert said(caplog) == [("WARNING", text)]


def test_a_claim_with_nothing_behind_it_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """That it was cleared."""
    talk = Talk()
    talk.writes(ps7_status="ok", cpf="typed")
    assert talk.run() == {"ps7_status": "tampered", "cpf": None}
    text = "The slots claimed a customer with no seal of ours behind them: cleared"
    assert said(caplog) == [("WARNING", text)]


def test_a_log_out_that_was_taken_back_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """That it holds."""
    talk = Talk()
    talk.looks_up("ana")
    seal = talk.slots["ps7_context"]
    talk.forgets()
    talk.writes(ps7_context=seal)
    talk.run()
    assert (talk.slots["ps7_status"], talk.sealed.forgotten) == ("missing", (ANA,))
    text = "A customer was forgotten, and something took that back: undone"
    assert said(caplog) == [("WARNING", text)]


def test_slots_that_are_put_back_are_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And named, without what stood there."""
    counted: list[int] = []
    monkeypatch.setattr(telemetry, "slots_put_back", counted.append)
    talk = Talk()
    talk.looks_up("ana")
    talk.writes(cpf="typed", agency="typed too")
    assert talk.run() == {"cpf": "52998224725", "agency": "0001"}
    assert counted == [2]
    assert said(caplog) == [("WARNING", "Slots put back to what PS7 said: cpf, agency")]


def test_a_refusal_is_one_line_of_a_lookup_that_sent_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It can be followed by conversation and contextId; own slots of the customer before go."""
    caplog.set_level(logging.INFO)
    talk = Talk()
    talk.looks_up("ana")
    talk.writes(balance="12")
    talk.says("two words")
    assert talk.run()["balance"] is None
    digest = talk.runtime.client.digest(fingerprint("two words"))
    ((level, line),) = said(caplog)
    assert level == "INFO"
    assert re.fullmatch(
        "PS7 lookup: outcome=invalid reason=unusable_context_id status=- attempts=0 ms=0 "
        f"correlation={UUID} context={digest}",
        line,
    )


def test_own_slots_stay_where_nobody_was_here_before() -> None:
    """A first contextId that cannot be used replaces no customer."""
    talk = Talk()
    talk.writes(balance="12")
    talk.says("two words")
    talk.run()
    assert (talk.slots["ps7_status"], talk.slots["balance"]) == ("invalid", "12")


# What nobody foresaw


def test_a_decision_that_asks_is_none_to_apply() -> None:
    """It fails, rather than to be taken for nothing to do."""
    talk = Talk()
    talk.says("ana")
    turn = talk.turn()
    decision: Any = turn.decide()
    assert isinstance(decision, resolver.LookUp)
    with pytest.raises(TypeError, match=r"^LookUp$"):
        turn.apply(decision)


def test_nothing_to_do_is_nothing() -> None:
    """`action_ps7_verify` where no customer is claimed."""
    talk = Talk()
    talk.now += SECOND
    assert talk.turn().apply(talk.turn().verify()) == {}
