"""What one run does: what it tells, what its seals carry on, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actions.ps7 import Outcome
from actions.ps7.conversation.arrival import fingerprint
from actions.ps7.conversation.decision import decide, slot_events
from actions.ps7.conversation.rules import CONTEXT_RULES, VERIFY_RULES
from tests.support.talk import ANA, SECOND, Talk, a_bot

TYPED = "typed"


def test_a_slot_to_set_is_an_event_as_rasa_takes_it() -> None:
    """Rasa writes the time by itself."""
    event = {"event": "slot", "timestamp": None, "name": "cpf", "value": "typed"}
    assert slot_events({"cpf": "typed"}) == [event]


# What is told


def test_a_lookup_is_unavailable_until_it_is_answered_and_told_as_one_after() -> None:
    """A report says which rule decided, and whether PS7 was asked."""
    decision = decide(CONTEXT_RULES, Talk().says("ana").reading)
    assert (decision.outcome, decision.slots) == (Outcome.UNAVAILABLE, {})
    assert (decision.report.rule, decision.report.looked_up) == ("look-up", False)
    report = decision.answered(Outcome.REJECTED, None).report
    assert (report.rule, report.outcome, report.looked_up) == ("look-up", Outcome.REJECTED, True)


def test_a_status_that_claims_a_customer_whom_ps7_refused_is_told() -> None:
    """While the failure waits, it is put right without asking again."""
    talk = Talk()
    talk.meets("ana", Outcome.REJECTED)
    talk.writes(ps7_status="ok")
    decision = decide(CONTEXT_RULES, talk.reading)
    assert (decision.rule.name, decision.report.status_claimed) == ("failed-before", True)
    assert talk.run() == {"ps7_status": "rejected"}
    assert not decide(CONTEXT_RULES, talk.reading).report.status_claimed


@pytest.mark.parametrize("status", ["typed", {"a": 1}, True])
def test_a_status_that_is_no_outcome_is_told_as_missing(status: object) -> None:
    """A verification that writes nothing reports the slot as it is."""
    talk = Talk()
    talk.writes(ps7_status=status)
    decision = decide(VERIFY_RULES, talk.reading)
    assert (decision.outcome, decision.slots) == (Outcome.MISSING, {})


# Guesses


def test_a_contextid_that_ps7_refuses_again_is_no_second_guess() -> None:
    """Every seal carries their number on: of an answer, a refusal, and a failure sealed again."""
    talk = Talk(bot=a_bot(max_contexts=9))
    guesses = [talk.meets("x", Outcome.REJECTED).guesses]
    talk.now += 30 * SECOND
    guesses.append(talk.meets("x").guesses)
    assert (talk.asked, talk.rule) == (["x", "x"], "look-up")
    guesses += [talk.meets(name).guesses for name in ("y", "two words", "x")]
    assert talk.rule == "failed-before"
    assert guesses == [1, 1, 2, 2, 2]


# Log-outs


def test_a_log_out_of_nobody_seals_nothing() -> None:
    """No contextId is at hand, and no seal was ever seen."""
    assert Talk().forgets() == {"ps7_status": "missing"}


@pytest.mark.parametrize("asked", [True, False])
def test_a_seal_of_a_log_out_has_the_contextid_if_ps7_was_asked_about_it(asked: bool) -> None:
    """So it still counts as one that this session asked about."""
    talk = Talk()
    talk.says("ana")
    if asked:
        talk.run()
    talk.forgets()
    assert talk.seal.fingerprint == fingerprint("ana")
    assert talk.seal.context_id == ("ana" if asked else None)
    assert talk.reading.asked == ({ANA} if asked else set())


# What is left alone


@pytest.mark.parametrize(
    "before",
    [
        lambda talk: talk.meets("two words"),
        lambda talk: (talk.meets("ana", Outcome.REJECTED), talk.says(opens="rasas").run()),
        lambda talk: talk.says().run(),
    ],
    ids=["refused", "an earlier failure", "nobody"],
)
def test_what_a_form_asked_stays_while_nobody_is_known(before: Callable[[Talk], object]) -> None:
    """The run finds nothing to do, whatever the seal in the slot is about."""
    talk = Talk()
    before(talk)
    talk.writes(cpf=TYPED)
    assert talk.run() == {}


def test_what_claims_a_customer_beside_a_refusal_is_cleared() -> None:
    """The status says `ok`, and the held seal that the arrival was refused."""
    talk = Talk()
    newest = talk.meets("two words")
    talk.writes(ps7_status="ok", cpf=TYPED)
    assert talk.run() == {"ps7_status": "invalid", "cpf": None}
    assert talk.seal == newest
