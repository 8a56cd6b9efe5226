"""What a run finds in a conversation: which seal counts, what is held, and what arrived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from actions.ps7 import Outcome, Reason
from actions.ps7.dialogue.context_id import fingerprint
from actions.ps7.dialogue.situation import Situation
from actions.ps7.dialogue.turn import Turn
from tests.support.talk import (
    ANA,
    DIEGO,
    ELISA,
    FIRST_FORMAT,
    HOUR,
    NOW,
    SEAL_KEY,
    SECOND,
    Snapshot,
    Talk,
    runtime,
    signed,
)

OK_ANA, MISSING, TAMPERED = ("ok", "ana"), ("missing", None), ("tampered", None)


def arrived(talk: Talk) -> str | None:
    """Return the contextId that counts now."""
    found = talk.situation.found
    return found.context_id if found else None


def seal_text(talk: Talk, context_id: str) -> str:
    """Let a customer be looked up; return the text of the seal."""
    talk.meets(context_id)
    text: str = talk.slots["ps7_context"]
    return text


# What is read


def test_slots_that_the_bot_fills_by_itself_are_not_ours() -> None:
    """As the domain of the call says; what stands in them claims nothing."""
    talk = Talk()
    talk.writes(ps7_status="ok", ps7_context="text", cpf="52998224725")
    filled = {"mappings": [{"type": "from_text"}]}
    domain = {"slots": dict.fromkeys(["ps7_status", "ps7_context"], filled)}
    for situation in (
        Situation(talk.tracker, talk.runtime, talk.now, domain),
        Turn(talk.tracker, talk.runtime, talk.now, domain).situation,
    ):
        assert set(situation.ours) == {"cpf", "agency"}
        assert (situation.says_ok, situation.seal_set) == (False, False)


def test_a_message_of_which_no_time_is_known_came_now() -> None:
    """A host may call with the latest message alone, and with no events."""
    talk = Talk(runtime=signed())
    message = {"metadata": {"contextId": talk.token("ana")}}
    situation = Situation(
        Snapshot(talk.sender_id, talk.slots, message, []), talk.runtime, talk.now + 60 * SECOND
    )
    assert situation.found is not None
    assert situation.found.context_id == "ana"


# The newest seal


def test_the_newest_seal_is_the_one_with_the_highest_number() -> None:
    """Whatever stands in the slot, and whatever the clocks of the servers said."""
    talk = Talk()
    assert talk.situation.highest is None
    older = seal_text(talk, "ana")
    talk.now -= HOUR
    newer = talk.meets("diego")
    for in_slot in (older, None, "forged", ["no", "text"]):
        talk.writes(ps7_context=in_slot)
        assert talk.situation.newest == talk.situation.highest == newer
    assert newer.number == 2


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_an_older_seal_never_brings_a_customer_back(then: Callable[[Talk], object]) -> None:
    """Nor does a wiped one: any writer of slots may wipe it, and none can make a seal."""
    for text in ("older", None):
        talk = Talk()
        older = seal_text(talk, "ana")
        talk.meets("diego")
        talk.says(opens="rasas")
        talk.writes(ps7_context=text and older)
        then(talk)
        assert talk.says_now == TAMPERED


# Whether a customer counts


@pytest.mark.parametrize("opens", ["ours", "rasas"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_seal_of_an_earlier_session_is_none_of_this_one(opens: str, when: str) -> None:
    """Only what Rasa itself carried over is; written later on it is ignored but for its number."""
    talk = Talk()
    kept = seal_text(talk, "ana")
    talk.meets("diego")
    talk.carries_over = False
    talk.says(opens=opens)
    talk.run()
    assert talk.says_now[1] is None
    if when == "after":
        talk.says()
    talk.writes(ps7_context=kept, ps7_status="ok", cpf="52998224725")
    talk.run()
    assert talk.says_now[1] is None
    assert talk.verifies() == {}


def test_in_the_turn_that_opens_a_session_the_one_that_ends_is_verified() -> None:
    """Another contextId arrived there while the action server was away."""
    for opens in ("ours", "rasas"):
        talk = Talk()
        talk.meets("ana")
        talk.says("diego")
        talk.says(opens=opens)
        talk.run()
        assert talk.says_now[1] is None, opens
        assert talk.asked == ["ana"]


def test_a_seal_must_have_counted_in_the_session_that_ends() -> None:
    """One of two sessions ago, written there, is not carried on."""
    talk = Talk()
    kept = seal_text(talk, "ana")
    talk.carries_over = False
    talk.says(opens="rasas")
    talk.says()
    talk.carries_over = True
    talk.writes(ps7_context=kept, ps7_status="ok")
    talk.says(opens="rasas")
    talk.run()
    assert talk.says_now[1] is None


# What is held


def test_a_log_out_is_held_whatever_stands_in_the_slot() -> None:
    """The newest seal is a log-out: who writes the slot cannot undo it."""
    talk = Talk()
    older = seal_text(talk, "ana")
    talk.forgets()
    for text in (older, None, "forged"):
        talk.writes(ps7_context=text)
        held = talk.situation.held
        assert held is not None
        assert (held.outcome, held.fingerprint) == (Outcome.MISSING, ANA)


def test_the_newest_is_held_where_the_slot_has_one_about_the_same_contextid() -> None:
    """An earlier answer about the same is nothing to clear: the newest one is restored."""
    talk = Talk()
    older = seal_text(talk, "ana")
    talk.now += HOUR
    newer = seal_text(talk, "ana")
    talk.writes(ps7_context=older, ps7_status="missing")
    assert talk.run() == {"ps7_context": newer, "ps7_status": "ok"}
    assert talk.says_now == OK_ANA
    talk.now += HOUR
    rejected = talk.meets("ana", Outcome.REJECTED)
    talk.writes(ps7_context=older)
    talk.run()
    assert talk.seal == rejected.model_copy(update={"number": rejected.number + 1})
    assert (talk.slots["ps7_status"], talk.slots["cpf"]) == ("rejected", None)


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_a_seal_of_another_version_in_the_slot_is_expired(then: Callable[[Talk], object]) -> None:
    """Never `tampered`, whatever this version sealed before: two of them may run side by side."""
    talk = Talk()
    talk.meets("ana")
    talk.says(opens="rasas")
    talk.writes(ps7_context=FIRST_FORMAT)
    then(talk)
    assert (talk.says_now, talk.seal.number) == (("expired", None), 2)


# What arrived


def test_the_newest_message_of_this_session_that_brought_something_counts() -> None:
    """A turn without metadata belongs to what came last; so does one that was reverted."""
    talk = Talk()
    assert arrived(talk) is None
    talk.says("ana")
    talk.says("diego")
    talk.reverts()
    talk.says(" ")
    assert arrived(talk) == "diego"
    talk.says(opens="rasas")
    assert arrived(talk) is None


def test_a_note_that_rasa_carried_over_brings_nobody() -> None:
    """It names the customer who opened some session of before."""
    for ours in (True, False):
        talk = Talk()
        talk.says("ana", opens="rasas")
        for event in ("action_restart", "restart"):
            talk.happens("action" if event != "restart" else event, name=event)
        talk.starts_session(ours=False)
        talk.writes(session_started_metadata={"contextId": "ana"})
        talk.says(text="/session_start")
        talk.starts_session(ours=ours)
        talk.says()
        talk.run()
        assert (talk.says_now, talk.asked) == (MISSING, []), ours


def test_the_newest_seal_says_last_what_arrived() -> None:
    """A failed lookup is tried again, where no message says more; `encoded` is part of it."""
    talk = Talk(runtime=runtime(encoded=1), ps7={"ana": Outcome.DENIED})
    talk.says("ana", text="/session_start", encoded=0)
    talk.starts_session()
    talk.says()
    for brought, encoded in (({}, 0), ({"context_id": "ana"}, 1)):
        talk.says(**brought)
        found = talk.situation.found
        assert found is not None
        assert (found.context_id, found.encoded) == ("ana", encoded)


# Logged out


def test_who_is_logged_out_by_any_seal_stays_out() -> None:
    """Before every other row; the log-outs of all seals that the tracker shows add up."""
    talk = Talk(runtime=runtime(max_contexts=9))
    talk.meets("ana")
    log_out = talk.forgets()["ps7_context"]
    talk.meets("diego")
    talk.forgets()
    assert list(talk.situation.logged_out) == [DIEGO, ANA]
    kept = seal_text(talk, "elisa")
    assert set(talk.seal.logged_out) == {DIEGO, ANA}
    for text in (log_out, kept, None):
        for name in ("ana", "diego"):
            talk.writes(ps7_context=text)
            talk.meets(name)
            assert talk.says_now == MISSING
            assert talk.verifies() == {}
    assert talk.asked == ["ana", "diego", "elisa"]


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_two_servers_at_once_cannot_undo_a_log_out(then: Callable[[Talk], object]) -> None:
    """The seal with the customer does not know of it, and has the same number as the one that does.

    Where another contextId was logged out, the customer stays, and the next seal knows.
    """
    for name in ("ana", "diego"):
        talk = Talk()
        talk.meets("diego")
        talk.meets("ana")
        out = (fingerprint(name, None),)
        last = talk.is_sealed_by_two(logged_out=out, customer=None)
        talk.says(opens="rasas")
        then(talk)
        assert talk.says_now == (MISSING if name == "ana" else OK_ANA)
        assert talk.seal.logged_out == out
        assert talk.seal.customer == (None if name == "ana" else last.customer)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.OK])
def test_a_log_out_that_stands_again_is_about_what_it_was_about(outcome: Outcome) -> None:
    """In the session in which that arrived, whatever the other server sealed."""
    talk = Talk()
    talk.meets("ana", outcome)
    last = talk.is_sealed_by_two(logged_out=(ANA,), customer=None)
    talk.writes(ps7_status="ok")
    run = talk.run if outcome == Outcome.OK else talk.verifies
    run()
    assert talk.says_now == MISSING
    assert (talk.seal.fingerprint, talk.seal.session) == (ANA, last.session)


@pytest.mark.parametrize(
    ("steps", "out"),
    [
        ([], []),
        (["ana"], [ANA]),
        (["ana", "session"], [ANA]),
        (["diego unavailable"], [DIEGO]),
        (["diego unavailable", "session"], []),
        (["ana", "says diego"], [DIEGO, ANA]),
        (["ana unavailable", "says diego"], [DIEGO, ANA]),
        (["ana", "diego"], [DIEGO]),
        (["ana", "says two words"], [ANA]),
        (["two words"], []),
    ],
)
def test_whom_a_log_out_logs_out(steps: list[str], out: list[str]) -> None:
    """The usable contextId at hand, and the newest seal's: a customer's, or this session's."""
    talk = Talk()
    for step in steps:
        if step == "session":
            talk.says(opens="rasas")
        elif step.startswith("says "):
            talk.says(step.removeprefix("says "))
        elif step.endswith(" unavailable"):
            talk.meets(step.partition(" ")[0], Outcome.UNAVAILABLE)
        else:
            talk.meets(step)
    talk.forgets()
    assert list(talk.situation.logged_out) == out
    assert talk.says_now == MISSING
    assert not out or talk.seal.fingerprint == out[0]


# Signed arrival


def test_a_token_is_held_against_the_time_of_the_message_that_brought_it() -> None:
    """Not of the run: a customer who arrived in time is renewed an hour later."""
    talk = Talk(runtime=signed(), ps7={"ana": Outcome.UNAVAILABLE})
    talk.meets(talk.token("ana"))
    talk.now += HOUR
    talk.ps7["ana"] = Outcome.OK
    for _ in range(2):
        talk.says()
        talk.run()
        assert talk.says_now == OK_ANA
        talk.now += HOUR
    assert talk.asked == ["ana", "ana", "ana"]


@pytest.mark.parametrize("opens", [None, "ours", "rasas"])
def test_a_token_that_is_over_brings_nobody(opens: str | None) -> None:
    """Nor does the session that ends."""
    talk = Talk(runtime=signed())
    over = talk.token("diego", seconds=30)
    talk.says("nothing that is signed")
    talk.now += timedelta(seconds=30)
    talk.meets(over, opens=opens)
    found = talk.situation.found
    assert found is not None
    assert (found.refused, found.context_id) == (Reason.ARRIVAL_TIME, None)
    assert (talk.slots["ps7_status"], talk.asked) == ("invalid", [])


def test_an_earlier_message_of_this_session_vouches_for_a_token_that_is_over() -> None:
    """The same contextId arrived in time: in a message whose turn failed, or in what opened it."""
    for opened in (True, False):
        talk = Talk(runtime=signed())
        token = talk.token("ana")
        talk.says(token, text="/session_start")
        if opened:
            talk.starts_session()
            talk.now += HOUR
        talk.now += timedelta(seconds=120)
        talk.meets(token)
        assert talk.says_now == OK_ANA
        talk.meets(talk.token("diego"))
        talk.meets(token)
        assert talk.slots["ps7_status"] == "invalid", "another contextId arrived in between"


def test_a_token_that_is_over_and_repeats_who_is_held_is_no_arrival() -> None:
    """A channel may send it with every message, into the next session as well; then it is over."""
    talk = Talk(runtime=signed())
    token = talk.token("ana")
    talk.meets(token)
    talk.now += timedelta(seconds=120)
    talk.meets(token, opens="rasas")
    assert (talk.says_now, talk.situation.found) == (OK_ANA, None)
    talk.now += HOUR
    talk.meets(token)
    assert talk.says_now == ("invalid", None)
    assert talk.asked == ["ana"]


def test_what_is_refused_is_no_arrival() -> None:
    """Its seal names no session and no contextId, and no limit counts it."""
    talk = Talk(runtime=signed())
    for number in range(3):
        seal = talk.meets(talk.token("ana", key="another-" * 4) + str(number))
        assert (seal.outcome, seal.context_id, seal.session) == (Outcome.INVALID, None, None)
        assert seal.fingerprint != ANA
    talk.meets(talk.token("ana"))
    assert (talk.says_now, talk.asked) == (OK_ANA, ["ana"])


def test_a_session_that_outlives_its_keys_is_refused_and_forgets_who_logged_out() -> None:
    """Its arrival is read again with each turn. So keys go when their sessions are over."""
    talk = Talk(runtime=signed(seal_keys=[SEAL_KEY]))
    talk.meets(talk.token("ana"))
    talk.runtime = runtime(seal_keys=[SEAL_KEY], arrival_keys=["another-" * 4])
    talk.says().run()
    assert (talk.says_now, talk.rule) == (("invalid", None), "arrival-refused")

    talk = Talk()
    talk.meets("ana")
    talk.forgets()
    talk.runtime = runtime()  # with another key
    talk.says().run()
    assert (talk.says_now, talk.asked) == (OK_ANA, ["ana", "ana"])


# How many


def test_a_session_asks_about_so_many_contextids() -> None:
    """`PS7_MAX_CONTEXTS`, here 2. One that is held as it arrives counts as if PS7 were asked."""
    talk = Talk()
    talk.meets("ana")
    talk.meets("ana", opens="rasas")
    talk.meets("diego")
    assert talk.meets("elisa").fingerprint == ELISA
    assert (talk.says_now, talk.seal.session) == (("rejected", None), None)
    assert talk.meets("ana").outcome == Outcome.OK
    assert talk.meets("elisa", opens="rasas").outcome == Outcome.OK
    assert talk.asked == ["ana", "diego", "ana", "elisa"]


# In order


def test_a_state_in_which_nothing_is_to_be_done_is_known_again() -> None:
    """By slots of ours, all seals, what came last and the session; earlier seals are no reason."""
    for names in (["ana"], ["diego", "ana"]):
        talk = Talk()
        for name in names:
            talk.meets(name)
        assert not talk.turn().in_order()
        assert talk.run() == {}
        for _ in range(2):
            assert talk.turn().in_order()
            talk.says()
        talk.says("ana")  # some channels send it with every message
        assert talk.turn().in_order()
        talk.now = NOW + HOUR
        assert talk.turn().in_order()
        talk.now += 9 * SECOND
        assert not talk.turn().in_order()


@pytest.mark.parametrize(
    "reason",
    [
        lambda talk: talk.says("diego"),
        lambda talk: talk.says("two words"),
        lambda talk: talk.says("ana", encoded=1),
        lambda talk: talk.writes(cpf="typed"),
        lambda talk: talk.writes(ps7_context="forged"),
        lambda talk: talk.writes(ps7_context=None),
        lambda talk: (talk.meets("diego"), talk.writes(**talk.ana), talk.says("ana")),
        lambda talk: (talk.writes(cpf="typed"), talk.run(), talk.writes(cpf="typed")),
        lambda talk: talk.says(opens="rasas"),
        lambda talk: talk.says("ana", opens="rasas"),
        lambda talk: setattr(talk, "sender_id", "sender-2"),
    ],
)
def test_whatever_a_decision_goes_by_is_a_reason_to_look_again(
    reason: Callable[[Any], object],
) -> None:
    """Even where all slots are as they were."""
    talk: Any = Talk()
    talk.meets("ana")
    assert talk.run() == {}
    talk.ana = {name: talk.slots[name] for name in ("ps7_context", "cpf")}
    assert talk.turn().in_order()
    reason(talk)
    assert not talk.turn().in_order()


def test_what_came_and_was_no_arrival_is_looked_at_again() -> None:
    """A token of a clock that is ahead repeats who is held: in its time it arrives after all."""
    talk = Talk(runtime=signed())
    talk.meets(talk.token("ana"))
    talk.now += 60 * SECOND
    ahead = talk.token("ana")
    talk.now -= 30 * SECOND
    talk.meets(ahead, opens="rasas")
    assert (talk.says_now, talk.run()) == (OK_ANA, {})
    talk.now += 30 * SECOND
    talk.says(ahead)
    assert not talk.turn().in_order()
    assert talk.run().keys() == {"ps7_context"}
    assert (talk.seal.session, talk.asked) == (talk.situation.history.session.mark, ["ana"])


# Trackers of any shape


@pytest.mark.parametrize("junk", [None, True, 5, 1.5, "text", [], ["text"], {"a": []}, [None, {}]])
def test_what_is_not_of_the_expected_type_counts_as_not_there(junk: Any) -> None:  # noqa: ANN401
    """A tracker comes over the wire."""
    situation = Situation(Snapshot(junk, junk, junk, junk), runtime(), NOW)
    assert (situation.found, situation.held, situation.sender_id) == (None, None, str(junk))
    talk = Talk()
    talk.writes(ps7_context=junk, ps7_status=junk, session_started_metadata=junk)
    talk.happens("user", metadata=junk if isinstance(junk, dict) else {})
    talk.events[-1]["timestamp"] = talk.events[-1]["metadata"] = junk
    assert talk.situation.seal_set is (junk is not None)
    assert talk.run()["ps7_status"] == ("missing" if junk is None else "tampered")
