"""A session that is about to start: what opened it, and what Rasa keeps of the one before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from actions.ps7.dialogue.history import SESSION_METADATA, History, NewSession, opening_metadata

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


def session(slots: object = None, events: object = (), domain: object = DOMAIN) -> NewSession:
    events = list(events) if isinstance(events, tuple) else events
    tracker = SimpleNamespace(
        sender_id="sender-1", slots=slots, events=events, latest_message={"metadata": C2}
    )
    return NewSession(cast("Any", tracker), domain)


# What opens it


@pytest.mark.parametrize(
    "before", [[], [LISTEN], [said("oi", C2), {"event": "action", "name": "utter_greet"}, LISTEN]]
)
def test_the_metadata_of_a_first_message_stand_in_a_slot(before: list[Any]) -> None:
    """Rasa sets it right before the action runs, in a first session and in later ones."""
    assert opening_metadata([*before, OPENED_BY_C1]) == C1


@pytest.mark.parametrize(
    "text", ["/session_start", " /session_start ", '/session_start{"cpf": "1"}', "/session_start {"]
)
def test_a_message_may_ask_for_a_session(text: str) -> None:
    """Its metadata open it, whatever slots were set and features noted since."""
    since = [{"event": "user_featurization"}, slot("cpf", "1"), slot("ps7_status", "ok")]
    assert opening_metadata([OPENED_BY_C1, LISTEN, said(text, C2), *since]) == C2
    assert opening_metadata([LISTEN, said(text, C2), None, *since]) == C2


@pytest.mark.parametrize(
    "text", ["oi", "session_start", "/session_started", "/greet{/session_start", None, 5, ["/"]]
)
def test_any_other_message_opens_nothing(text: object) -> None:
    """It is the last one of the session before, perhaps another customer's.

    Nor does what Rasa noted before it, or what was set since that note.
    """
    assert opening_metadata([OPENED_BY_C1, said(text, C2), slot("ps7_status", "ok")]) is None
    assert opening_metadata([said(text, C2), OPENED_BY_C1]) is None
    junk: list[list[Any]] = [[], [None, "event", 5, {}], [{"event": ["slot"]}]]
    for events in (*junk, [OPENED_BY_C1, slot("a", 1)]):
        assert opening_metadata(events) is None


KEEPS: tuple[object, ...] = (DOMAIN, {"session_config": {}}, {"slots": {"size": {}}})
KEEPS_NONE: tuple[object, ...] = (None, {}, [], "", KEEPS_NOTHING)


@pytest.mark.parametrize(
    "since",
    [LISTEN, {"event": "restart"}, {"event": "session_started"}, {"event": "session_ended"}],
)
def test_what_opened_an_earlier_session_does_not_count(since: dict[str, Any]) -> None:
    """Carried over or stale, it says nothing about who opens this one."""
    assert opening_metadata([OPENED_BY_C1, since]) is None
    assert opening_metadata([said("/session_start", C1), since, slot("size", 1)]) is None


@pytest.mark.parametrize("domain", [DOMAIN, KEEPS_NOTHING])
def test_it_begins_with_what_opened_it(domain: object) -> None:
    """Its only message; with the seals that Rasa carries into it, and nothing else of before."""
    seal = slot("ps7_context", "gAAAA")
    events = (said("oi", C2), seal, {"event": "rewind"}, LISTEN, OPENED_BY_C1)
    new = session({}, events, domain)
    assert new.latest_message == {}
    history = History(new.events, new.latest_message, context="ps7_context", status="ps7_status")
    new.add_to(history)
    assert [(one.metadata, history.came_at(one)) for one in history.session.messages] == [(C1, 4.0)]
    assert history.session.carried == ({"gAAAA"} if domain is DOMAIN else set())
    assert history.before is not None
    assert (history.session.mark, list(history.seals)) == (new.mark, ["gAAAA"])
    assert (len(new.mark), new.mark == session({}, events, domain).mark) == (32, False)


# What stays of the session before


@pytest.mark.parametrize(
    ("domain", "kept"),
    [
        *((domain, True) for domain in KEEPS),
        # Rasa leaves it out where the bot asks for that: then the bot did not say yes.
        *((domain, False) for domain in KEEPS_NONE),
    ],
)
def test_slots_are_carried_over_unless_the_domain_says_no(domain: object, *, kept: bool) -> None:
    """That is Rasa's default; every slot that is not empty is set again."""
    before = {"size": 5, "colour": "red", "empty": None}
    blue = "blue" if domain is KEEPS_NOTHING else None
    new = session(before, (), domain)
    assert new.carries_over is kept
    assert new.slots == (before if kept else {"size": None, "colour": blue, "empty": None})
    assert new.to_set({}) == ({"size": 5, "colour": "red"} if kept else {})


@pytest.mark.parametrize(
    ("kept", "change", "to_set"),
    [
        ("blue", {}, {}),
        ("red", {}, {"colour": "red"}),
        (None, {}, {"colour": None}),
        ("blue", {"colour": None}, {"colour": None}),
        ("red", {"colour": "blue"}, {}),
        ("blue", {"size": 6}, {"size": 6}),
    ],
)
def test_what_differs_from_an_initial_value_is_set(
    kept: object, change: dict[str, Any], to_set: dict[str, Any]
) -> None:
    """`SessionStarted` resets every slot: what Rasa puts there by itself needs no event."""
    assert session({"colour": kept}).to_set(change) == to_set


@pytest.mark.parametrize("junk", [None, True, 5, 1.5, "text", [], ["text"], [None, 5]])
def test_what_is_not_of_the_expected_type_counts_as_not_there(junk: object) -> None:
    """Of a tracker and of a domain."""
    new = session(junk, junk, junk)
    assert (new.slots, new.events) == ({}, junk if isinstance(junk, list) else [])
    assert new.to_set({"a": 1, "b": None}) == {"a": 1}
    assert session({"a": 1}, (), {"slots": junk, "session_config": {}}).to_set({}) == {"a": 1}
    domain = {"slots": {"a": junk}, "session_config": {}}
    assert session({"a": 1}, (), domain).to_set({}) == {"a": 1}
