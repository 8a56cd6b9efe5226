"""A session that is about to start: what opened it, and what Rasa keeps of the one before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from actions.ps7.dialogue.context_id import SESSION_METADATA, opening, session_mark
from actions.ps7.dialogue.session import NewSession

PATHS = ["contextId"]
C1, C2 = {"contextId": "C1"}, {"contextId": "C2"}
LISTEN = {"event": "action", "name": "action_listen", "timestamp": 3.0}


def slot(name: str, value: object) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value, "timestamp": 4.0}


def said(text: object, metadata: object = None) -> dict[str, Any]:
    return {"event": "user", "text": text, "metadata": metadata, "timestamp": 2.0}


OPENED_BY_C1 = slot(SESSION_METADATA, C1)
DOMAIN = {
    "slots": {"colour": {"type": "text", "initial_value": "blue"}, "size": {"type": "any"}},
    "session_config": {"carry_over_slots_to_new_session": True},
}
KEEPS_NOTHING = {**DOMAIN, "session_config": {"carry_over_slots_to_new_session": False}}


def session(
    slots: object = None,
    events: object = (),
    domain: object = DOMAIN,
    paths: list[str] = PATHS,
) -> NewSession:
    events = list(events) if isinstance(events, tuple) else events
    tracker = SimpleNamespace(
        sender_id="sender-1", slots=slots, events=events, latest_message={"metadata": C2}
    )
    return NewSession(cast("Any", tracker), domain, paths)


# -- what opens it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before", [[], [LISTEN], [said("oi", C2), {"event": "action", "name": "utter_greet"}, LISTEN]]
)
def test_the_metadata_of_a_first_message_stand_in_a_slot(before: list[Any]) -> None:
    """Rasa sets it right before the action runs, in a first session and in later ones."""
    assert opening([*before, OPENED_BY_C1]) == C1


@pytest.mark.parametrize(
    "text", ["/session_start", " /session_start ", '/session_start{"cpf": "1"}', "/session_start {"]
)
def test_a_message_may_ask_for_a_session(text: str) -> None:
    """Its metadata open it, whatever slots were set and features noted since."""
    since = [{"event": "user_featurization"}, slot("cpf", "1"), slot("ps7_status", "ok")]
    assert opening([OPENED_BY_C1, LISTEN, said(text, C2), *since]) == C2


@pytest.mark.parametrize(
    "text", ["oi", "session_start", "/session_started", "/greet{/session_start", None, 5, ["/"]]
)
def test_any_other_message_opens_nothing(text: object) -> None:
    """It is the last one of the session before, where somebody else may have been."""
    assert opening([OPENED_BY_C1, said(text, C2), slot("ps7_status", "ok")]) is None


@pytest.mark.parametrize(
    "since",
    [LISTEN, {"event": "restart"}, {"event": "session_started"}, {"event": "session_ended"}],
)
def test_what_opened_an_earlier_session_does_not_count(since: dict[str, Any]) -> None:
    """Carried over or left over, it says nothing about who opens this one."""
    assert opening([OPENED_BY_C1, since]) is None
    assert opening([said("/session_start", C1), since, slot("size", 1)]) is None


@pytest.mark.parametrize(
    "events", [[], [None, "event", 5, {}], [{"event": ["slot"]}], [slot("a", 1)]]
)
def test_events_of_any_kind_open_nothing(events: list[Any]) -> None:
    """No event is no reason to fail."""
    assert opening(events) is None


def test_the_latest_message_is_what_opened_the_session() -> None:
    """The tracker's own is that of the session before."""
    assert session({}, (LISTEN, OPENED_BY_C1)).latest_message == {"metadata": C1}
    assert session({}, (LISTEN,)).latest_message == {"metadata": None}


def test_left_over_metadata_are_out_of_sight() -> None:
    """They stay where they are, and this session is not theirs."""
    new = session({SESSION_METADATA: C1, "size": 5}, (OPENED_BY_C1, LISTEN))
    assert new.slots == {SESSION_METADATA: None, "size": 5}
    assert new.to_set({}) == {SESSION_METADATA: C1, "size": 5}


# -- what stays of the session before -------------------------------------------------------------


@pytest.mark.parametrize("domain", [DOMAIN, {"session_config": {}}])
def test_slots_are_carried_over_unless_the_domain_says_no(domain: object) -> None:
    """That is Rasa's default; every slot that is not empty is set again."""
    new = session({"size": 5, "colour": "red", "empty": None}, (), domain)
    assert new.slots == {"size": 5, "colour": "red", "empty": None, SESSION_METADATA: None}
    assert new.to_set({}) == {"size": 5, "colour": "red"}


@pytest.mark.parametrize("domain", [None, {}, {"slots": {"size": {}}}, {"session_config": None}])
def test_where_no_domain_was_sent_nothing_is_carried_over(domain: object) -> None:
    """A domain that Rasa sends always speaks of the session; without it, nobody said yes."""
    new = session({"size": 5, "colour": "red"}, (), domain)
    assert new.slots == {"size": None, "colour": None, SESSION_METADATA: None}
    assert new.to_set({"size": 6, "colour": None}) == {"size": 6}


def test_a_session_that_carries_nothing_over_begins_with_initial_values() -> None:
    """Rasa sets those itself."""
    new = session({"size": 5, "colour": "red"}, (), KEEPS_NOTHING)
    assert new.slots == {"size": None, "colour": "blue", SESSION_METADATA: None}
    assert new.to_set({}) == {}
    assert new.to_set({"size": 6, "colour": None}) == {"size": 6, "colour": None}


@pytest.mark.parametrize(
    ("kept", "change", "to_set"),
    [
        ("blue", {}, {}),
        ("red", {}, {"colour": "red"}),
        (None, {}, {"colour": None}),
        ("blue", {"colour": None}, {"colour": None}),
        ("red", {"colour": "blue"}, {}),
    ],
)
def test_what_differs_from_an_initial_value_is_set(
    kept: object, change: dict[str, Any], to_set: dict[str, Any]
) -> None:
    """`SessionStarted` resets every slot: what Rasa puts there by itself needs no event."""
    assert session({"colour": kept}).to_set(change) == to_set


@pytest.mark.parametrize(
    ("initial", "kept", "to_set"),
    [(1, 1.0, {}), (1, True, {"size": True}), (False, 0, {"size": 0})],
)
def test_values_are_compared_as_json(initial: object, kept: object, to_set: dict[str, Any]) -> None:
    """Over gRPC 1 comes back as 1.0; `true` is not 1."""
    domain = {"slots": {"size": {"initial_value": initial}}, "session_config": {}}
    assert session({"size": kept}, (), domain).to_set({}) == to_set


# -- a contextId that `/session_start` brings -----------------------------------------------------


@pytest.mark.parametrize("domain", [DOMAIN, KEEPS_NOTHING])
@pytest.mark.parametrize("left_over", [None, C1, C2])
def test_a_context_id_of_a_session_start_stays_at_hand(domain: object, left_over: object) -> None:
    """Its message belongs to the session before, so a failed lookup could not be tried again."""
    new = session({SESSION_METADATA: left_over}, (LISTEN, said("/session_start", C2)), domain)
    assert new.slots == {SESSION_METADATA: None}
    assert new.to_set({}) == {SESSION_METADATA: C2}


def test_it_is_looked_for_where_contextids_stand() -> None:
    """`PS7_METADATA_KEYS` says where."""
    metadata = {"channel": {"contextId": "C3"}, "contextId": " "}
    events = (said("/session_start", metadata),)
    slots = {SESSION_METADATA: C1}
    assert session(slots, events).to_set({}) == {SESSION_METADATA: C1}
    new = session(slots, events, paths=["a", "channel.contextId"])
    assert new.to_set({}) == {SESSION_METADATA: metadata}


@pytest.mark.parametrize("metadata", [None, {}, {"model_id": "m"}, "C2", [C2]])
def test_a_session_start_without_one_changes_nothing(metadata: object) -> None:
    """What is there stays, as in Rasa."""
    new = session({SESSION_METADATA: C1}, (said("/session_start", metadata),))
    assert new.to_set({}) == {SESSION_METADATA: C1}


def test_what_rasa_keeps_itself_is_left_to_rasa() -> None:
    """The message of an ordinary first turn is still to come, metadata and all."""
    new = session({SESSION_METADATA: C1}, (LISTEN, OPENED_BY_C1), KEEPS_NOTHING)
    assert new.to_set({}) == {}


def test_no_slot_is_set_that_is_not_declared() -> None:
    """Also not Rasa's own."""
    assert session({}, (said("/session_start", C2),)).to_set({}) == {}


# -- the events -----------------------------------------------------------------------------------


def test_of_the_events_those_that_set_slots_are_left() -> None:
    """They are carried into the session. No message of before can be taken for one of its own."""
    seal = slot("ps7_context", "gAAAA")
    new = session({}, (said("oi", C2), seal, {"event": "rewind"}, LISTEN, OPENED_BY_C1))
    start, *rest = new.events
    assert start["event"] == "session_started"
    assert rest == [seal, OPENED_BY_C1]


def test_where_nothing_is_carried_over_no_seal_is_of_this_session() -> None:
    """They stand before its start, as where Rasa starts the session itself."""
    seal = slot("ps7_context", "gAAAA")
    new = session({}, (said("oi", C2), seal, LISTEN, OPENED_BY_C1), KEEPS_NOTHING)
    *rest, start = new.events
    assert start["event"] == "session_started"
    assert rest == [seal, OPENED_BY_C1]


def test_no_two_sessions_are_taken_for_one() -> None:
    """Neither this one and the one before, nor this one and the next."""
    started = {"event": "session_started", "timestamp": 1.0}
    first, second = session({}, (started,)), session({}, (started, said("oi"), LISTEN))
    marks = [session_mark(events) for events in (first.events, second.events, [])]
    assert len(set(marks)) == 3


@pytest.mark.parametrize("junk", [None, True, 5, 1.5, "text", [], ["text"], [None, 5]])
def test_what_is_not_of_the_expected_type_counts_as_not_there(junk: object) -> None:
    """Of a tracker and of a domain."""
    new = session(junk, junk, junk)
    assert new.slots == {SESSION_METADATA: None}
    assert new.latest_message == {"metadata": None}
    assert new.to_set({"a": 1, "b": None}) == {"a": 1}
    assert session({"a": 1}, (), {"slots": junk, "session_config": {}}).to_set({}) == {"a": 1}
    domain = {"slots": {"a": junk}, "session_config": {}}
    assert session({"a": 1}, (), domain).to_set({}) == {"a": 1}
