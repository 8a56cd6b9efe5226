"""What events tell: the session, its messages and seals; and a session that is about to start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from actions.ps7.conversation.history import (
    NONCE,
    SESSION_METADATA,
    History,
    NewSession,
    opening_metadata,
)

SEALS = "ps7_context"


def user(number: int = 0) -> dict[str, Any]:
    return {"event": "user", "metadata": {"number": number}, "timestamp": 9.0}


def slot(name: str, value: object) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value, "timestamp": 9.0}


def action(name: str = "action_listen", at: float = 8.0) -> dict[str, Any]:
    return {"event": "action", "name": name, "timestamp": at}


def started(at: object, **metadata: object) -> dict[str, Any]:
    return {"event": "session_started", "timestamp": at, "metadata": metadata}


START = action("action_session_start", 0.5)


def read(*events: object, latest: object = None) -> History:
    return History(events, latest, context=SEALS, status="ps7_status")


def numbers(history: History) -> list[int]:
    brought: list[Any] = [message.metadata for message in history.messages]
    return [metadata["number"] for metadata in brought]


@pytest.mark.parametrize(
    "border",
    [
        [{"event": "session_ended", "timestamp": 2.0}],
        [{"event": "restart", "timestamp": 2.0}],
        [action("action_session_start", 2.0)],
        [{"event": "restart", "timestamp": 1.8}, START, started(2.0)],
    ],
)
def test_a_session_begins_with_what_opens_it(border: list[Any]) -> None:
    """An action and its event open one; earlier messages are not of it, reverted ones are."""
    rewound = [user(4), action("action_default_fallback"), {"event": "rewind"}]
    history = read(START, started(1.0), action(), user(1), *border, action(), user(3), *rewound)
    assert (history.mark, numbers(history)) == ("2.0", [3, 4])


@pytest.mark.parametrize(
    ("events", "mark"),
    [
        ([user()], ""),
        ([started(1.5, other="x")], "1.5"),
        ([started(1.5, **{NONCE: "nonce"})], "nonce"),
        ([started(1.5, **{NONCE: 5})], "1.5"),
        ([{"event": "session_started", "metadata": "x"}], "None"),
    ],
)
def test_a_session_is_known_by_its_mark(events: list[Any], mark: str) -> None:
    """The nonce that our session start writes, else the time at which Rasa wrote its event."""
    assert read(*events).mark == mark


def test_the_latest_message_counts_where_no_event_is_one() -> None:
    """Rasa never calls like that, other hosts might."""
    latest = {"metadata": {"number": 7}}
    assert numbers(read(latest=latest)) == [7]
    history = read(action(at=8.0), latest=latest)
    assert [message.came_at for message in history.messages] == [8.0]
    assert numbers(read(user(1), latest=latest)) == [1]
    assert numbers(read(user(1), START, started(2.0), latest=latest)) == []
    assert numbers(read(latest=["no message"])) == []


def test_a_message_came_at_its_time_and_not_before_an_event_in_front_of_it() -> None:
    """A client that writes events through Rasa's API may claim an earlier time."""
    claims = [None, True, 4.0, "now", 2.0, 6.0, float("nan")]
    history = read(*({"event": "user", "timestamp": at} for at in claims))
    came = [message.came_at for message in history.messages]
    assert came == [None, None, 4.0, 4.0, 4.0, 6.0, 6.0]


def test_what_our_session_start_said_is_known_with_the_first_message_only() -> None:
    """What Rasa carried over, or set before any session, was not said in it."""
    said, ours = slot("ps7_status", "invalid"), started(1.0, **{NONCE: "nonce"})
    assert read(ours, said, user()).status_at_start == "invalid"
    later = [(ours, said, user(), user()), (ours, user(), said, user())]
    for events in ((said, user()), (said, ours, user()), (started(1.0), said, user()), *later):
        assert read(*events).status_at_start is None


# A session that is about to start


C1, C2 = {"contextId": "C1"}, {"contextId": "C2"}
LISTEN = {"event": "action", "name": "action_listen", "timestamp": 3.0}


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


@pytest.mark.parametrize("text", [" /session_start ", '/session_start{"cpf": "1"}'])
def test_a_message_may_ask_for_a_session(text: str) -> None:
    """Its metadata open it, whatever slots were set and features noted since."""
    since = [{"event": "user_featurization"}, slot("cpf", "1"), slot("ps7_status", "ok")]
    assert opening_metadata([OPENED_BY_C1, LISTEN, said(text, C2), *since]) == C2
    assert opening_metadata([LISTEN, said(text, C2), None, *since]) == C2


@pytest.mark.parametrize("text", ["session_start", "/session_started", "/a{/session_start", None])
def test_any_other_message_opens_nothing(text: object) -> None:
    """It is the last one of the session before, perhaps another customer's.

    Nor does what Rasa noted before it, or what was set since that note.
    """
    assert opening_metadata([OPENED_BY_C1, said(text, C2), slot("ps7_status", "ok")]) is None
    assert opening_metadata([said(text, C2), OPENED_BY_C1]) is None
    nothing: list[list[Any]] = [[], [None, "event", {}], [{"event": ["slot"]}]]
    for events in (*nothing, [OPENED_BY_C1, slot("a", 1)]):
        assert opening_metadata(events) is None


@pytest.mark.parametrize(
    "since",
    [LISTEN, {"event": "restart"}, {"event": "session_started"}, {"event": "session_ended"}],
)
def test_what_opened_an_earlier_session_does_not_count(since: dict[str, Any]) -> None:
    """Carried over or stale, it says nothing about who opens this one."""
    assert opening_metadata([OPENED_BY_C1, since]) is None
    assert opening_metadata([said("/session_start", C1), since, slot("size", 1)]) is None


# What stays of the session before


@pytest.mark.parametrize("domain", [DOMAIN, {"session_config": {}}, {"slots": {"size": {}}}])
def test_slots_are_carried_over_unless_the_domain_says_no(domain: object) -> None:
    """That is Rasa's default; every slot that is not empty is set again."""
    before = {"size": 5, "colour": "red", "empty": None}
    new = session(before, (), domain)
    assert new.slots == before
    assert new.to_set({}) == {"size": 5, "colour": "red"}


@pytest.mark.parametrize("domain", [None, {}, [], "", KEEPS_NOTHING])
def test_slots_are_left_where_the_domain_says_so_or_is_not_there(domain: object) -> None:
    """Rasa leaves it out if the bot asks for that: then the bot did not say yes."""
    new = session({"size": 5, "colour": "red"}, (), domain)
    assert new.slots == {"size": None, "colour": "blue" if domain is KEEPS_NOTHING else None}
    assert new.to_set({}) == {}


def test_what_differs_from_an_initial_value_is_set() -> None:
    """`SessionStarted` resets every slot: what Rasa puts there by itself needs no event."""
    for kept, to_set in (("blue", {}), ("red", {"colour": "red"}), (None, {"colour": None})):
        assert session({"colour": kept}).to_set({}) == to_set
    assert session({"colour": "red"}).to_set({"colour": "blue"}) == {}


@pytest.mark.parametrize("junk", [None, 5, "text", ["text"], [None, 5]])
def test_what_is_not_of_the_expected_type_counts_as_not_there(junk: object) -> None:
    """Of a tracker and of a domain."""
    new = session(junk, junk, junk)
    assert (new.slots, new.events[:-1]) == ({}, junk if isinstance(junk, list) else [])
    assert read(*new.events).mark == new.mark
    domain = {"slots": {"a": junk}, "session_config": {}}
    assert session({"a": 1}, (), domain).to_set({}) == {"a": 1}
