"""What a run finds in a conversation: which seal counts, what is claimed, and what arrived."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import Outcome, Reason
from actions.ps7.conversation.arrival import refused
from actions.ps7.conversation.decision import look_up
from actions.ps7.conversation.history import NONCE
from actions.ps7.conversation.state import State
from tests.support.dialogue import LOOK_UP, VERIFY
from tests.support.log import Log
from tests.support.talk import (
    SEAL_KEY,
    Snapshot,
    Talk,
    a_bot,
    signed,
)

OK_ANA = ("ok", "ana")


def test_slots_that_the_bot_fills_by_itself_are_not_ours() -> None:
    """As the domain of the call says; what stands in them claims nothing."""
    talk = Talk().set_slots(ps7_status="ok", ps7_context="text", cpf="52998224725")
    filled = {"mappings": [{"type": "from_text"}]}
    domain = {"slots": dict.fromkeys(["ps7_status", "ps7_context"], filled)}
    state = talk.found_in(talk.tracker, domain)
    assert set(state.slots.plugin) == {"cpf", "agency"}
    assert not state.says_ok
    assert not state.claims(None)
    assert not state.is_foreign


def test_a_contextid_is_read_where_the_settings_say() -> None:
    """A path has its steps between dots."""
    talk = Talk(a_bot(metadata_keys=["channel.ps7.id"]))
    talk.user(metadata={"channel": {"ps7": {"id": "ana"}}}).look_up()
    assert talk.asked == ["ana"]


def test_what_makes_a_trail_is_the_same_in_every_process_and_release() -> None:
    """Servers with one newest seal key write the same ids, also while a version is rolled out."""
    bot = a_bot(seal_keys=[SEAL_KEY, Fernet.generate_key().decode()])
    assert bot.correlation.uuid("sender-1") == "a2403437-1122-8f7e-ae06-6417fb815fb4"
    assert bot.digest("ana") == "5db4073b6495"


def test_a_process_keeps_the_slots_of_a_few_domains() -> None:
    """A bot has one or two, so what a caller makes up does not fill the memory."""
    assert a_bot().among.cache_info().maxsize == 16


def test_a_host_that_shows_no_events_is_served_by_its_latest_message() -> None:
    """The latest message came now, and the slot alone has the seal; its session is endless."""
    talk = Talk(signed())
    message, slots = {"metadata": {"contextId": talk.token("ana")}}, dict.fromkeys(talk.slots)
    talk.later(seconds=60)
    slots |= talk.decides(look_up, Snapshot(talk.sender_id, slots, message, [])).slots
    assert talk.asked == ["ana"]
    decision = talk.decides(look_up, Snapshot(talk.sender_id, slots, {}, []))
    assert (decision.slots, decision.rule) == ({}, "held")
    talk = Talk()
    talk.ps7["ana"] = Outcome.UNAVAILABLE
    slots, message = dict.fromkeys(slots), {"metadata": {"contextId": "ana"}}
    for _ in range(2):
        slots |= talk.decides(look_up, Snapshot("s", slots, message, [])).slots
    assert talk.asked == ["ana", "ana"], "no turn can be told from the next"


def test_a_seal_that_is_in_the_slot_alone_is_the_oldest() -> None:
    """No event shows when it came, so it is not what was sealed last."""
    talk = Talk().arrives("ana")
    alone = talk.slots["ps7_context"]
    newest = talk.arrives("diego").slots["ps7_context"]
    shown = [event for event in talk.events if event.get("value") != alone]
    state = talk.found_in(Snapshot(talk.sender_id, {**talk.slots, "ps7_context": alone}, {}, shown))
    assert [seal.text for seal in state.seals] == [alone, newest]


def test_a_seal_counts_only_in_the_session_in_which_its_text_first_appeared() -> None:
    """Its mark may be right: somebody can write an old one, and an event, through Rasa's API."""
    talk = Talk().arrives("ana")
    mark, older = talk.state.history.mark, talk.slots["ps7_context"]
    talk.happens("session_started", metadata={NONCE: mark})
    talk.brings().set_slots(ps7_context=older, ps7_status="ok").look_up()
    assert (talk.state.history.mark, talk.says_now) == (mark, ("expired", None))


# A rewind


@pytest.mark.parametrize("action", [LOOK_UP, VERIFY])
def test_a_rewind_is_no_attack(action: str, log: Log) -> None:
    """A fallback reverts the turn in which another contextId arrived: its answer still counts."""
    talk = Talk().arrives("diego").arrives("ana")
    talk.rewind()
    log()
    talk.run(action)
    assert (talk.says_now, log(), talk.asked) == (OK_ANA, [], ["diego", "ana"])


@pytest.mark.parametrize(("by_rasa", "said"), [(True, "expired"), (False, "tampered")])
def test_a_rewind_and_an_attack_are_told_apart(by_rasa: bool, said: str) -> None:
    """The slot has a seal of the session before again: Rasa took an event back, or one was set."""
    talk = Talk().arrives("ana")
    older = talk.slots["ps7_context"]
    talk.comes_back().look_up()
    if by_rasa:
        talk.rewind()
        assert talk.slots["ps7_context"] == older
    else:
        talk.brings().set_slots(ps7_context=older)
    talk.look_up()
    assert talk.says_now == (said, None)


def test_a_seal_of_another_session_beside_a_new_contextid_is_an_attack() -> None:
    """Rasa left it in no slot of this session: a verification does not take it for a change."""
    talk = Talk().arrives("ana")
    older = talk.slots["ps7_context"]
    talk.comes_back("diego").look_up()
    talk.brings("elisa").set_slots(ps7_context=older).run(VERIFY)
    assert talk.says_now == ("tampered", None)


# What arrived


def test_the_newest_seal_says_last_what_arrived() -> None:
    """A failed lookup is tried again, where no message says more; `encoded` is part of it."""
    talk = Talk(a_bot(encoded=1))
    talk.user("/session_start", metadata={"contextId": "ana", "encoded": 0})
    talk.ps7["ana"], talk.session_start = Outcome.DENIED, True
    talk.start_session()
    assert found(talk.brings().state) == ("ana", 0)
    assert found(talk.brings("ana").state) == ("ana", 1)
    talk = Talk().arrives("ana").arrives("diego")
    shown = [event for event in talk.events if event["event"] != "user"]
    assert found(talk.found_in(Snapshot(talk.sender_id, talk.slots, {}, shown))) == ("diego", None)


def found(state: State) -> tuple[str | None, int | None]:
    """Return which contextId a run finds, and how it is encoded."""
    arrival = state.arrival()
    assert arrival is not None
    return arrival.context_id, arrival.encoded


@pytest.mark.parametrize("opened", [True, False])
def test_an_earlier_message_of_this_session_vouches_for_a_token_that_is_over(opened: bool) -> None:
    """The same contextId arrived in time: in a message whose turn failed, or in what opened it."""
    talk = Talk(signed())
    token = talk.token("ana")
    talk.user("/session_start", metadata={"contextId": token})
    if opened:
        talk.session_start = True
        talk.start_session()
        talk.later(hours=1)
    talk.later(seconds=120).brings("nothing that is signed")
    for _ in range(2):
        assert talk.arrives(token).says_now == OK_ANA
    talk.arrives(talk.token("diego")).arrives(token)
    over = refused(token, Reason.ARRIVAL_TIME)
    assert talk.state.arrival() == over, "another contextId arrived in between"
    assert talk.says_now == ("invalid", None)


def test_a_token_that_never_arrived_in_time_is_known_by_itself() -> None:
    """Two of them are two refusals, and neither is about its contextId."""
    talk = Talk(signed())
    token = talk.token("ana", ago=121)
    assert talk.brings(token).state.arrival() == refused(token, Reason.ARRIVAL_TIME)


# Trackers of any shape


@pytest.mark.parametrize("junk", [None, True, 5, 1.5, "text", [], ["text"], {"a": []}, [None, {}]])
def test_what_is_not_of_the_expected_type_counts_as_not_there(junk: Any) -> None:  # noqa: ANN401
    """A tracker comes over the wire."""
    talk = Talk()
    state = talk.found_in(Snapshot(junk, junk, junk, junk))
    assert (state.arrival(), state.seals, state.sender_id) == (None, [], str(junk))
    talk.set_slots(ps7_context=junk, ps7_status=junk, session_started_metadata=junk)
    talk.happens("user", metadata=junk if isinstance(junk, dict) else {})
    talk.events[-1]["timestamp"] = talk.events[-1]["metadata"] = junk
    assert talk.state.claims(None) is (junk is not None)
    assert talk.look_up()["ps7_status"] == ("missing" if junk is None else "tampered")
