"""What a run finds in a conversation: which seal counts, what is claimed, and what arrived."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from actions.ps7 import Outcome, Reason
from actions.ps7.conversation.arrival import fingerprint, refused
from actions.ps7.conversation.decision import look_up
from actions.ps7.conversation.history import NONCE
from actions.ps7.conversation.seal import Answer, Contents
from tests.support.talk import (
    ANA,
    CPF,
    DIEGO,
    ELISA,
    HOUR,
    SEAL_KEY,
    SECOND,
    Snapshot,
    Talk,
    a_bot,
    signed,
)

OK_ANA, MISSING = ("ok", "ana"), ("missing", None)


# What is read


def test_slots_that_the_bot_fills_by_itself_are_not_ours() -> None:
    """As the domain of the call says; what stands in them claims nothing."""
    talk = Talk()
    talk.writes(ps7_status="ok", ps7_context="text", cpf="52998224725")
    filled = {"mappings": [{"type": "from_text"}]}
    domain = {"slots": dict.fromkeys(["ps7_status", "ps7_context"], filled)}
    state = talk.found_in(talk.tracker, domain)
    assert set(state.slots.plugin) == {"cpf", "agency"}
    assert [state.says_ok, state.claims(None), state.is_foreign] == [False, False, False]


def test_a_contextid_is_read_where_the_settings_say() -> None:
    """A path has its steps between dots."""
    talk = Talk(bot=a_bot(metadata_keys=["channel.ps7.id"]))
    talk.happens("user", text="oi", metadata={"channel": {"ps7": {"id": "ana"}}})
    talk.run()
    assert talk.asked == ["ana"]


def test_what_makes_a_trail_is_the_same_in_every_process_and_release() -> None:
    """Servers with one seal key write the same ids, also while a new version is rolled out."""
    bot = a_bot(seal_keys=[SEAL_KEY])
    assert bot.correlation.uuid("sender-1") == "a2403437-1122-8f7e-ae06-6417fb815fb4"
    assert bot.digest("ana") == "5db4073b6495"


def test_a_process_keeps_the_slots_of_a_few_domains() -> None:
    """A bot has one or two, so what a caller makes up does not fill the memory."""
    assert a_bot().among.cache_info().maxsize == 16


def test_a_host_that_shows_no_events_is_served_by_its_latest_message() -> None:
    """The latest message came now, and the slot alone has the seal; its session is endless."""
    talk = Talk(bot=signed())
    message, slots = {"metadata": {"contextId": talk.token("ana")}}, dict.fromkeys(talk.slots)
    talk.now += 60 * SECOND
    slots |= talk.decides(look_up, Snapshot(talk.sender_id, slots, message, [])).slots
    assert talk.asked == ["ana"]
    decision = talk.decides(look_up, Snapshot(talk.sender_id, slots, {}, []))
    assert (decision.slots, decision.rule) == ({}, "held")
    talk = Talk(ps7={"ana": Outcome.UNAVAILABLE})
    slots, message = dict.fromkeys(slots), {"metadata": {"contextId": "ana"}}
    for _ in range(2):
        slots |= talk.decides(look_up, Snapshot("s", slots, message, [])).slots
    assert talk.asked == ["ana", "ana"], "no turn can be told from the next"


def test_a_seal_counts_only_in_the_session_in_which_its_text_first_appeared() -> None:
    """Its mark may be right: somebody can write an old one, and an event, through Rasa's API."""
    talk = Talk()
    talk.meets("ana")
    mark, older = talk.state.history.mark, talk.slots["ps7_context"]
    talk.happens("session_started", metadata={NONCE: mark})
    talk.says().writes(ps7_context=older, ps7_status="ok").run()
    assert talk.state.history.mark == mark
    assert talk.says_now == ("expired", None)


# A rewind


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_a_rewind_is_no_attack(
    then: Callable[[Talk], object], caplog: pytest.LogCaptureFixture
) -> None:
    """A fallback reverts the turn in which another contextId arrived: its answer still counts."""
    talk = Talk()
    talk.meets("diego")
    talk.meets("ana")
    talk.reverts()
    caplog.clear()
    then(talk)
    assert (talk.says_now, caplog.messages, talk.asked) == (OK_ANA, [], ["diego", "ana"])


@pytest.mark.parametrize(("by_rasa", "said"), [(True, "expired"), (False, "tampered")])
def test_a_rewind_and_an_attack_are_told_apart(by_rasa: bool, said: str) -> None:
    """The slot has a seal of the session before again: Rasa took an event back, or one was set."""
    talk = Talk()
    talk.meets("ana")
    older = talk.slots["ps7_context"]
    talk.says(opens="rasas").run()
    if by_rasa:
        talk.reverts()
        assert talk.slots["ps7_context"] == older
        talk.run()
    else:
        talk.says().writes(ps7_context=older).run()
    assert talk.says_now == (said, None)


# What is held


def test_the_newest_answer_about_a_contextid_counts_whatever_the_slot_has() -> None:
    """An earlier answer about the same is nothing to clear: the newest one is restored."""
    talk = Talk()
    talk.meets("ana")
    older = talk.slots["ps7_context"]
    talk.now += HOUR
    for outcome, shown in ((Outcome.OK, "52998224725"), (Outcome.REJECTED, None)):
        talk.meets("ana", outcome)
        newest = talk.seal
        talk.writes(ps7_context=older, ps7_status="missing", cpf="52998224725")
        talk.run()
        assert (talk.seal, talk.slots["cpf"]) == (newest, shown)
        assert talk.slots["ps7_status"] == outcome
        talk.now += HOUR


def test_order_is_where_a_seal_first_appeared() -> None:
    """Neither its time nor where it was written last makes an older answer count."""
    talk = Talk()
    talk.meets("ana")
    older = talk.slots["ps7_context"]
    talk.now -= HOUR
    talk.ps7["ana"] = Outcome.REJECTED
    talk.bot.settings = talk.bot.settings.model_copy(update={"max_contexts": 9})
    talk.writes(ps7_context=talk.bot.sealer.close(rejected(talk), talk.sender_id))
    talk.writes(ps7_context=older, ps7_status="ok").run()
    assert talk.says_now == ("rejected", None)


def rejected(talk: Talk) -> Contents:
    """Return the seal of a later answer about ana, by a server whose clock is an hour behind."""
    answer = Answer(context_id="ana")
    return Contents(
        outcome=Outcome.REJECTED,
        sealed_at=talk.now,
        session=talk.state.history.mark,
        answer=answer,
    )


# Failures


@pytest.mark.parametrize("failure", [Outcome.DENIED, Outcome.UNAVAILABLE])
def test_a_failure_costs_one_lookup_a_turn(failure: Outcome) -> None:
    """However many runs the turn has; the next message asks again."""
    talk = Talk()
    talk.meets("ana", failure)
    assert (talk.run(), talk.rule) == ({}, "failed-before")
    talk.meets("ana")
    assert talk.asked == ["ana", "ana"]


@pytest.mark.parametrize("failure", [Outcome.REJECTED, Outcome.INVALID])
def test_each_contextid_of_a_session_that_ps7_refused_waits(failure: Outcome) -> None:
    """30 s from its own answer, also if others were asked about between, or its seal is wiped."""
    talk = Talk(bot=a_bot(max_contexts=9))
    talk.meets("x", failure)
    first = talk.now
    talk.meets("y", failure)
    talk.meets("ana")
    talk.writes(balance="12")
    for name in ("x", "y", "x"):
        talk.meets(name)
        seal = talk.seal
        assert (talk.rule, talk.says_now) == ("failed-before", (failure, None))
        assert seal.answer is not None
        assert (seal.answer.context_id, seal.outcome) == (name, failure)
        assert talk.run() == {}
    assert talk.slots["balance"] is None
    talk.says("x").writes(ps7_context=None, ps7_status="ok", cpf=CPF["ana"]).run()
    assert (talk.rule, talk.says_now) == ("failed-before", (failure, None))
    assert talk.asked == ["x", "y", "ana"]
    talk.now = first + 29 * SECOND  # and a second for the message
    talk.meets("x")
    assert talk.asked == ["x", "y", "ana", "x"]
    talk.says("y", opens="rasas").run()
    assert talk.asked[-1] == "y", "what another session was told does not wait in this one"


# What arrived


def test_the_newest_seal_says_last_what_arrived() -> None:
    """A failed lookup is tried again, where no message says more; `encoded` is part of it."""
    talk = Talk(bot=a_bot(encoded=1), ps7={"ana": Outcome.DENIED})
    talk.says("ana", text="/session_start", encoded=0)
    talk.starts_session()
    for brought, encoded in ((None, 0), ("ana", 1)):
        found = talk.says(brought).state.arrival()
        assert found is not None
        assert (found.context_id, found.encoded) == ("ana", encoded)


# Logged out


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_two_servers_at_once_cannot_undo_a_log_out(then: Callable[[Talk], object]) -> None:
    """The seal with the customer does not know of it, and appears after the one that does.

    Where another contextId was logged out, the customer stays, and the next seal knows.
    """
    for name in ("ana", "diego"):
        talk = Talk()
        talk.meets("ana")
        out = (fingerprint(name, None),)
        last = talk.is_sealed_by_two(logged_out=out, answer=None, outcome=Outcome.MISSING)
        talk.says().writes(ps7_status="ok" if name == "diego" else "denied")
        then(talk)
        assert talk.says_now == (MISSING if name == "ana" else OK_ANA)
        assert talk.seal.logged_out == out, name
        assert talk.seal.customer == (None if name == "ana" else last.customer)


def test_whom_a_log_out_logs_out() -> None:
    """The usable contextId at hand, and every one that a seal shown is about; each by its text.

    What was refused or not usable hides nobody.
    """
    talk = Talk()
    talk.meets("ana", Outcome.UNAVAILABLE)
    talk.meets("diego", encoded=1)
    talk.meets("two words")
    talk.says("elisa").forgets()
    assert talk.state.log_outs == (ELISA, DIEGO, ANA)
    for name in ("ana", "diego", "elisa"):
        talk.meets(name, encoded=0)
        assert (talk.rule, talk.says_now) == ("logged-out", MISSING)


def test_a_log_out_goes_by_what_ps7_receives() -> None:
    """The text, and its Base64 with `encoded` 0, in whichever spelling: the gateway makes one."""
    text = "açaí?~~é"
    plain = base64.b64encode(text.encode()).decode()
    url_safe = plain.rstrip("=").translate(str.maketrans("+/", "-_"))
    for setting in (None, 0, 1):
        for (out, encoded), (then, then_encoded) in (
            ((text, None), (plain, 0)),
            ((text, None), (url_safe, "0")),
            ((text, 0), (plain, 0)),
            ((plain, 0), (text, 1)),
        ):
            talk = Talk(bot=a_bot(encoded=setting))
            talk.meets(out, encoded=encoded)
            talk.forgets()
            talk.meets(then, encoded=then_encoded)
            assert talk.rule == "logged-out", (setting, out, then)
    talk = Talk(bot=a_bot(max_contexts=9))
    talk.says("ana").forgets()
    others = (("YW5h", 1), ("YW5hYQ==", 0), ("bruno", 0), ("%", 0), ("YW!5h", 0), ("/w==", 0))
    for other, encoded in others:
        talk.meets(other, encoded=encoded)
        assert talk.asked[-1:] == [other]


def test_what_is_refused_as_logged_out_is_logged_out_by_its_own_text() -> None:
    """Else it would come back with another `encoded`, which PS7 receives as something else."""
    talk = Talk(bot=a_bot(max_contexts=9))
    talk.meets("YW5h", encoded=0).forgets()
    talk.meets("ana")
    assert talk.state.log_outs == (ANA, fingerprint("YW5h"))
    talk.meets("ana", encoded=0)
    assert (talk.rule, talk.asked) == ("logged-out", ["YW5h"])
    assert talk.run() == {}


def test_the_decoded_context_id_of_a_customer_is_logged_out_too() -> None:
    """It may be a contextId, and then names the same customer."""
    talk = Talk()
    talk.says("ana").hears(talk.customer("ana").model_copy(update={"decoded_context_id": "diego"}))
    talk.says(opens="rasas").forgets()
    assert talk.state.log_outs == (ANA, DIEGO)
    for name in ("diego", "ana"):
        talk.meets(name)
        assert (talk.rule, talk.asked) == ("logged-out", [])


# Signed arrival


def test_an_earlier_message_of_this_session_vouches_for_a_token_that_is_over() -> None:
    """The same contextId arrived in time: in a message whose turn failed, or in what opened it."""
    for opened in (True, False):
        talk = Talk(bot=signed())
        token = talk.token("ana")
        talk.says(token, text="/session_start")
        if opened:
            talk.starts_session()
            talk.now += HOUR
        talk.now += timedelta(seconds=120)
        talk.says("nothing that is signed")
        for _ in range(2):
            talk.meets(token)
            assert talk.says_now == OK_ANA
        talk.meets(talk.token("diego"))
        talk.meets(token)
        over = refused(token, Reason.ARRIVAL_TIME)
        assert talk.state.arrival() == over, "another contextId arrived in between"
        assert talk.says_now == ("invalid", None)


def test_a_token_that_never_arrived_in_time_is_known_by_itself() -> None:
    """Two of them are two refusals, and neither is about its contextId."""
    talk = Talk(bot=signed())
    token = talk.token("ana")
    talk.now += timedelta(seconds=120)
    assert talk.says(token).state.arrival() == refused(token, Reason.ARRIVAL_TIME)


# Trackers of any shape


@pytest.mark.parametrize("junk", [None, True, 5, 1.5, "text", [], ["text"], {"a": []}, [None, {}]])
def test_what_is_not_of_the_expected_type_counts_as_not_there(junk: Any) -> None:  # noqa: ANN401
    """A tracker comes over the wire."""
    talk = Talk()
    state = talk.found_in(Snapshot(junk, junk, junk, junk))
    assert (state.arrival(), state.seals, state.sender_id) == (None, [], str(junk))
    talk.writes(ps7_context=junk, ps7_status=junk, session_started_metadata=junk)
    talk.happens("user", metadata=junk if isinstance(junk, dict) else {})
    talk.events[-1]["timestamp"] = talk.events[-1]["metadata"] = junk
    assert talk.state.claims(None) is (junk is not None)
    assert talk.run()["ps7_status"] == ("missing" if junk is None else "tampered")
