"""What one run finds in a conversation: whether anything is to be done, and which seals count."""

from __future__ import annotations

import pytest

from actions.ps7 import Outcome
from actions.ps7.dialogue import resolver
from actions.ps7.dialogue.seal import Sealed
from tests.support.talk import ANA, DIEGO, HOUR, NOW, SECOND, Talk, customer


def settled(*before: str) -> Talk:
    """Give a conversation in which all is in order, and known to be; `before` had come earlier."""
    talk = Talk()
    for context_id in (*before, "ana"):
        talk.looks_up(context_id)
    talk.says()
    assert talk.run() == {}
    return talk


# In order


@pytest.mark.parametrize("before", [(), ("diego",)], ids=["nobody", "somebody"])
def test_a_conversation_in_order_is_not_read_again(before: tuple[str, ...]) -> None:
    """Once one run found that nothing is to be done; earlier seals in the tracker are no reason."""
    talk = settled(*before)
    assert talk.turn().in_order()
    talk.says()
    assert talk.turn().in_order()


def test_a_contextid_that_comes_again_is_no_reason() -> None:
    """Some channels send it with every message: known from the second one on."""
    talk = settled()
    talk.says("ana")
    assert not talk.turn().in_order()
    assert talk.run() == {}
    assert talk.turn().in_order()
    talk.says("ana")
    assert talk.turn().in_order()


def test_it_is_in_order_for_as_long_as_the_customer_is_good() -> None:
    """And not a moment longer."""
    talk = settled()
    talk.now = NOW + HOUR - SECOND
    assert talk.turn().in_order()
    talk.now = NOW + HOUR
    assert not talk.turn().in_order()


def test_what_nobody_looked_at_yet_is_not_in_order() -> None:
    """After a lookup as after a start of the server: the first run is run in full."""
    talk = Talk()
    assert not talk.turn().in_order()
    talk.looks_up("ana")
    assert not talk.turn().in_order()


def test_another_contextid_is_a_reason() -> None:
    """Whether it can be used or not."""
    for other in ("diego", ["no", "text"]):
        talk = settled()
        talk.says(other)
        assert not talk.turn().in_order()


def test_another_seal_is_a_reason() -> None:
    """Something wrote it since, even if the one of before is back."""
    talk = settled()
    seal = talk.slots["ps7_context"]
    talk.writes(ps7_context="another text")
    assert not talk.turn().in_order()
    talk.writes(ps7_context=seal)
    assert not talk.turn().in_order()


def test_a_slot_that_was_written_is_a_reason() -> None:
    """It is put back."""
    talk = settled()
    talk.writes(cpf="typed")
    assert not talk.turn().in_order()


# Seals of before


def test_where_a_contextid_is_at_hand_that_one_decides() -> None:
    """The seal of before was put back, and its customer is whom the channel names."""
    talk = Talk()
    ana = talk.looks_up("ana")
    seal = talk.slots["ps7_context"]
    talk.now += SECOND
    talk.looks_up("diego")
    talk.writes(ps7_context=seal)
    talk.says("ana")
    assert talk.turn().decide() == resolver.Project(ana)
    assert talk.turn().verify() == resolver.Project(ana)


def test_where_none_is_at_hand_a_seal_of_before_is_none() -> None:
    """Another customer came after it."""
    talk = Talk()
    talk.looks_up("ana")
    seal = talk.slots["ps7_context"]
    talk.now += SECOND
    talk.looks_up("diego")
    talk.writes(ps7_context=seal)
    talk.events = [event for event in talk.events if event["event"] != "user"]
    talk.latest_message = {}
    assert talk.turn().decide() == resolver.Clear(Outcome.TAMPERED)
    assert talk.turn().verify() == resolver.Clear(Outcome.TAMPERED)


def test_a_seal_that_was_seen_says_nothing_against_a_later_one() -> None:
    """Not even where the clock of the server that made it was fast."""
    talk = Talk()
    talk.now += SECOND
    talk.looks_up("diego")
    talk.now = NOW
    ana = talk.looks_up("ana")
    talk.says()
    assert talk.turn().decide() == resolver.Project(ana)
    assert talk.turn().verify() == resolver.Project(ana)


def test_a_contextid_that_is_left_over_leaves_the_customer_alone() -> None:
    """The seal of before the last one knows it to be left over; the last one holds, or is over."""
    talk = Talk()
    known = Sealed(outcome=Outcome.OK, fingerprint=DIEGO, sealed_at=NOW, customer=customer())
    talk.seal(known.model_copy(update={"replaced": (ANA,)}))
    talk.seal(known)
    talk.writes(session_started_metadata={"contextId": "ana"})
    assert talk.turn().decide() == resolver.Project(known)
    talk.now += HOUR
    assert talk.turn().decide() == resolver.Clear(Outcome.EXPIRED)


# One too many


def test_a_contextid_too_many_is_refused() -> None:
    """After as many as a session may ask about, with nothing left of the customer before."""
    talk = Talk()
    talk.looks_up("ana")
    talk.looks_up("diego")
    talk.says("elisa")
    turn = talk.turn()
    found = turn.present.found
    assert found is not None
    assert turn.decide() == resolver.Refuse(found, outcome=Outcome.REJECTED)
