"""What a run finds in a conversation: which seal applies, what is held, and what arrived."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from actions.ps7 import Outcome, Reason
from actions.ps7.conversation.arrival import fingerprint, refused
from actions.ps7.conversation.decision import decide
from actions.ps7.conversation.reading import Reading
from actions.ps7.conversation.rules import CONTEXT_RULES
from tests.support.talk import (
    ANA,
    CPF,
    DIEGO,
    ELISA,
    HOUR,
    NOW,
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
    reading = Reading(talk.tracker, talk.bot, talk.now, domain)
    assert set(reading.ours) == {"cpf", "agency"}
    assert (reading.says_ok, reading.claims, reading.seal_refused) == (False,) * 3


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
    slots |= talk.decides(CONTEXT_RULES, Snapshot(talk.sender_id, slots, message, [])).slots
    assert talk.asked == ["ana"]
    decision = talk.decides(CONTEXT_RULES, Snapshot(talk.sender_id, slots, {}, []))
    assert (decision.slots, decision.rule.name) == ({}, "held")


@pytest.mark.parametrize("sees_seal", [True, False])
def test_a_host_may_show_so_few_events_that_no_session_begins_among_them(sees_seal: bool) -> None:
    """What was sealed before the first of them may be of an earlier session: it does not count."""
    talk = Talk()
    talk.events = [{"event": "action", "name": "action_listen", "timestamp": talk.now.timestamp()}]
    talk.meets("ana")
    assert talk.reading.history.mark == ""
    talk.now += 120 * SECOND
    talk.says()
    if not sees_seal:
        slots = talk.slots
        talk.events = talk.events[-1:]
        talk.writes(**{name: value for name, value in slots.items() if value is not None})
    talk.run()
    assert talk.says_now == (OK_ANA if sees_seal else ("expired", None))


# A rewind


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_a_rewind_is_no_attack(then: Callable[[Talk], object]) -> None:
    """A fallback reverts the turn in which another contextId arrived."""
    talk = Talk()
    talk.meets("diego")
    talk.meets("ana")
    talk.reverts()
    then(talk)
    assert talk.says_now == (OK_ANA if then is Talk.run else ("expired", None))


# What is held


def test_the_newest_is_held_where_the_slot_has_one_about_the_same_contextid() -> None:
    """An earlier answer about the same is nothing to clear: the newest one is restored."""
    talk = Talk()
    talk.meets("ana")
    older = talk.slots["ps7_context"]
    talk.now += HOUR
    for outcome, shown in ((Outcome.OK, "52998224725"), (Outcome.REJECTED, None)):
        newest = talk.meets("ana", outcome)
        talk.writes(ps7_context=older, ps7_status="missing", cpf="52998224725")
        talk.run()
        assert (talk.seal, talk.slots["cpf"]) == (newest, shown)
        assert talk.slots["ps7_status"] == outcome
        talk.now += HOUR


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
        seal = talk.meets(name)
        assert (talk.rule, talk.says_now) == ("failed-before", (failure, None))
        assert (seal.fingerprint, seal.outcome) == (fingerprint(name), failure)
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


def test_a_seal_that_lacks_a_log_out_waits_no_longer_for_that() -> None:
    """Sealed again, it keeps its time."""
    talk = Talk()
    talk.meets("x", Outcome.REJECTED)
    talk.is_sealed_by_two(logged_out=(ANA,))
    before = talk.seal
    talk.now += 20 * SECOND
    again = talk.meets("x")
    assert again == before.model_copy(update={"number": before.number + 1, "logged_out": (ANA,)})
    talk.now += 9 * SECOND
    talk.meets("x")
    assert talk.asked == ["x", "x"]


# What arrived


def test_the_newest_seal_says_last_what_arrived() -> None:
    """A failed lookup is tried again, where no message says more; `encoded` is part of it."""
    talk = Talk(bot=a_bot(encoded=1), ps7={"ana": Outcome.DENIED})
    talk.says("ana", text="/session_start", encoded=0)
    talk.starts_session()
    for brought, encoded in ((None, 0), ("ana", 1)):
        found = talk.says(brought).reading.found
        assert found is not None
        assert (found.context_id, found.encoded) == ("ana", encoded)


# Logged out


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_two_servers_at_once_cannot_undo_a_log_out(then: Callable[[Talk], object]) -> None:
    """The seal with the customer does not know of it, and has the same number as the one that does.

    Where another contextId was logged out, the customer stays, and the next seal knows.
    """
    for name in ("ana", "diego"):
        talk = Talk()
        talk.meets("ana")
        out = (fingerprint(name, None),)
        last = talk.is_sealed_by_two(logged_out=out, customer=None)
        talk.says().writes(ps7_status="ok" if name == "diego" else "denied")
        then(talk)
        assert talk.says_now == (MISSING if name == "ana" else OK_ANA)
        assert (talk.seal.logged_out, talk.seal.number) == (out, last.number + 1), name
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
    assert talk.reading.log_outs == ((DIEGO,), (ELISA, ANA))
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


def test_the_decoded_context_id_of_a_customer_is_logged_out_too() -> None:
    """It may be a contextId, and then names the same customer."""
    talk = Talk()
    decision = decide(CONTEXT_RULES, talk.says("ana").reading)
    customer = talk.customer("ana").model_copy(update={"decoded_context_id": "diego"})
    talk.writes(**decision.answered(Outcome.OK, customer).slots)
    talk.says(opens="rasas").forgets()
    assert talk.reading.log_outs == ((ANA,), (DIEGO,)), "it takes no customer's place"
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
        assert talk.reading.found == over, "another contextId arrived in between"
        assert talk.says_now == ("invalid", None)


def test_a_token_that_never_arrived_in_time_is_known_by_itself() -> None:
    """Two of them are two refusals, and neither is about its contextId."""
    talk = Talk(bot=signed())
    token = talk.token("ana")
    talk.now += timedelta(seconds=120)
    assert talk.says(token).reading.found == refused(token, Reason.ARRIVAL_TIME)


# Trackers of any shape


@pytest.mark.parametrize("junk", [None, True, 5, 1.5, "text", [], ["text"], {"a": []}, [None, {}]])
def test_what_is_not_of_the_expected_type_counts_as_not_there(junk: Any) -> None:  # noqa: ANN401
    """A tracker comes over the wire."""
    reading = Reading(Snapshot(junk, junk, junk, junk), a_bot(), NOW)
    assert (reading.found, reading.held, reading.sender_id) == (None, None, str(junk))
    talk = Talk()
    talk.writes(ps7_context=junk, ps7_status=junk, session_started_metadata=junk)
    talk.happens("user", metadata=junk if isinstance(junk, dict) else {})
    talk.events[-1]["timestamp"] = talk.events[-1]["metadata"] = junk
    assert talk.reading.claims is (junk is not None)
    assert talk.run()["ps7_status"] == ("missing" if junk is None else "tampered")
