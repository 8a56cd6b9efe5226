"""What a run finds in a conversation: which seal applies, what is held, and what arrived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from actions.ps7 import Outcome, Reason
from actions.ps7.dialogue.context_id import fingerprint
from actions.ps7.dialogue.situation import Situation
from tests.support.talk import (
    ANA,
    DIEGO,
    ELISA,
    FORMAT_BEFORE,
    HOUR,
    NOW,
    SEAL_KEY,
    SECOND,
    Snapshot,
    Talk,
    runtime,
    signed,
)

OK_ANA, MISSING = ("ok", "ana"), ("missing", None)


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
    situation = Situation(talk.tracker, talk.runtime, talk.now, domain)
    assert set(situation.ours) == {"cpf", "agency"}
    assert (situation.says_ok, situation.claims, situation.seal_refused) == (False,) * 3


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
    assert talk.situation.newest is None
    older = seal_text(talk, "ana")
    talk.now -= HOUR
    newer = talk.meets("diego")
    for in_slot in (older, None, "forged", ["no", "text"]):
        talk.writes(ps7_context=in_slot)
        assert talk.situation.newest == newer
    assert newer.number == 2


def test_a_host_that_shows_no_events_has_the_slot_only() -> None:
    """Its session is endless."""
    talk = Talk()
    message = {"metadata": {"contextId": "ana"}}
    slots = dict.fromkeys(talk.slots)
    for _ in range(2):
        run = talk.new_run(Snapshot(talk.sender_id, slots, message, []))
        found = run.context()
        if not isinstance(found, dict):
            found = run.looked_up(Outcome.OK, talk.customer("ana"))
        slots = slots | found
        message = {"metadata": {}}
    assert (run.rule.name, slots["ps7_status"]) == ("held", "ok")


# A rewind


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_a_rewind_is_no_attack(then: Callable[[Talk], object]) -> None:
    """The slots show somebody again, and a seal of before.

    A fallback reverts the turn that cleared what Rasa had carried over, or in which another
    contextId arrived.
    """
    talk = Talk()
    talk.meets("ana")
    talk.says(opens="rasas")
    talk.run()
    talk.reverts()
    assert talk.slots["ps7_status"] == "ok", "Rasa did not rewind"
    for _ in range(2):
        then(talk)
        assert talk.says_now == ("expired", None)

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
    older = seal_text(talk, "ana")
    talk.now += HOUR
    newer = seal_text(talk, "ana")
    talk.writes(ps7_context=older, ps7_status="missing")
    assert talk.run() == {"ps7_context": newer, "ps7_status": "ok"}
    assert talk.says_now == OK_ANA
    talk.now += HOUR
    rejected = talk.meets("ana", Outcome.REJECTED)
    talk.writes(ps7_context=older, cpf="52998224725")
    talk.run()
    assert talk.seal == rejected
    assert (talk.slots["ps7_status"], talk.slots["cpf"]) == ("rejected", None)


@pytest.mark.parametrize("then", [Talk.run, Talk.verifies])
def test_a_seal_of_another_version_in_the_slot_is_expired(then: Callable[[Talk], object]) -> None:
    """Never `tampered`, whatever this version sealed before: two of them may run side by side."""
    talk = Talk()
    talk.meets("ana")
    talk.says(opens="rasas")
    talk.writes(ps7_context=FORMAT_BEFORE)
    then(talk)
    assert (talk.says_now, talk.seal.number) == (("expired", None), 2)


# What arrived


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
        talk.says()
        then(talk)
        assert talk.says_now == (MISSING if name == "ana" else OK_ANA)
        assert (talk.seal.logged_out, talk.seal.number) == (out, last.number + 1), name
        assert talk.seal.customer == (None if name == "ana" else last.customer)


@pytest.mark.parametrize(
    ("steps", "out"),
    [
        ([], []),
        (["ana"], [ANA]),
        (["ana", "session"], [ANA]),
        (["diego unavailable", "session"], [DIEGO]),
        (["ana", "says diego"], [DIEGO, ANA]),
        (["ana unavailable", "says diego"], [DIEGO, ANA]),
        (["ana", "diego"], [DIEGO, ANA]),
        (["ana", "diego", "elisa"], [ELISA, DIEGO, ANA]),
        (["ana", "two words"], [ANA]),
        (["ana", "says two words"], [ANA]),
        (["two words"], []),
    ],
)
def test_whom_a_log_out_logs_out(steps: list[str], out: list[str]) -> None:
    """The usable contextId at hand, and every one that a seal shown is about; each by its text.

    What was refused or not usable hides nobody.
    """
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
    assert list(talk.situation.log_outs) == out
    assert talk.says_now == MISSING
    for name in ("ana", "diego"):
        talk.meets(name, encoded=0)
        assert (talk.rule == "logged-out") is (fingerprint(name) in out)


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
        talk.says("nothing that is signed")
        for _ in range(2):
            talk.meets(token)
            assert talk.says_now == OK_ANA
        talk.meets(talk.token("diego"))
        talk.meets(token)
        found = talk.situation.found
        assert found is not None
        assert found.refused is Reason.ARRIVAL_TIME, "another contextId arrived in between"
        assert talk.slots["ps7_status"] == "invalid"


def test_what_is_refused_is_no_arrival() -> None:
    """Its seal names no contextId, and uses up no limit.

    An arrival is read again with each turn: so keys go when their sessions are over.
    """
    talk = Talk(runtime=signed(seal_keys=[SEAL_KEY]))
    for number in range(3):
        seal = talk.meets(talk.token("ana", key="another-" * 4) + str(number))
        assert (seal.outcome, seal.context_id, seal.fingerprint == ANA) == ("invalid", None, False)
    talk.meets(talk.token("ana"))
    assert (talk.says_now, talk.asked) == (OK_ANA, ["ana"])
    talk.runtime = runtime(seal_keys=[SEAL_KEY], arrival_keys=["another-" * 4])
    talk.says().run()
    assert (talk.says_now, talk.rule) == (("invalid", None), "arrival-refused")


# How many


def test_a_session_asks_about_so_many_contextids() -> None:
    """`PS7_MAX_CONTEXTS`, here 2; one of those may be asked about again."""
    talk = Talk()
    talk.meets("ana")
    talk.meets("diego")
    for _ in range(2):
        seal = talk.meets("elisa")
        assert (talk.says_now, seal.fingerprint, seal.context_id) == (
            ("rejected", None),
            ELISA,
            None,
        )
        talk.now += HOUR
    assert talk.meets("ana").outcome == Outcome.OK
    assert talk.meets("elisa", opens="rasas").outcome == Outcome.OK
    assert talk.asked == ["ana", "diego", "ana", "elisa"]


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
    assert talk.situation.claims is (junk is not None)
    assert talk.run()["ps7_status"] == ("missing" if junk is None else "tampered")
