"""What the events of a tracker tell: sessions and their marks, messages, seals, what was said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actions.ps7.dialogue.history import NONCE, SESSION_METADATA, History, Session

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


def numbers(session: Session | None) -> list[int] | None:
    if session is None:
        return None
    brought: list[Any] = [message.metadata for message in session.messages]
    return [metadata["number"] for metadata in brought]


@pytest.mark.parametrize(
    "border",
    [
        [started(2.0)],
        [{"event": "session_ended", "timestamp": 2.0}],
        [{"event": "restart", "timestamp": 2.0}],
        [action("action_session_start", 2.0)],
        [action("action_session_start", 1.9), started(2.0)],
        [{"event": "restart", "timestamp": 1.8}, START, started(2.0)],
    ],
)
def test_a_session_begins_with_what_opens_it(border: list[Any]) -> None:
    """An action and its event open one; earlier messages are not of it, reverted ones are."""
    rewound = [user(4), action("action_default_fallback"), {"event": "rewind"}]
    history = read(START, started(1.0), action(), user(1), *border, action(), user(3), *rewound)
    assert (history.session.mark, numbers(history.session)) == ("2.0", [3, 4])
    assert history.session.carried == set()


def test_the_session_before_is_known_where_it_is_shown() -> None:
    """In the turn that opens one; Rasa's note of what opens it is no session."""
    note = slot(SESSION_METADATA, {"number": 5})
    assert numbers(read(START, started(1.0), action(), user(1), START, started(2.0)).before) == [1]
    assert read(START, started(1.0), user(1)).before is None
    assert read(note, START, started(1.0), user(1)).before is None
    assert numbers(read(slot("cpf", 1), note, START, started(1.0)).before) == []
    again = read(START, started(1.0), action(), user(1), START, started(2.0), START, started(3.0))
    assert numbers(again.before) == [1]


def test_a_restart_ends_a_session_in_which_nothing_was() -> None:
    """However short it was, it lies between the next session and what was there before."""
    restart = {"event": "restart", "timestamp": 2.0}
    history = read(START, started(1.0), action(), user(1), restart, START, started(3.0))
    assert history.before is not None
    assert (history.before.mark, numbers(history.before)) == ("2.0", [])


@pytest.mark.parametrize(
    ("events", "mark"),
    [
        ([], ""),
        ([user()], ""),
        ([started(1.5), user()], "1.5"),
        ([started(1.5, other="x")], "1.5"),
        ([started(1.5, **{NONCE: "nonce"})], "nonce"),
        ([action("action_session_start", 0.5), started(1.5, **{NONCE: "nonce"})], "nonce"),
        ([started(1.5, **{NONCE: 5})], "1.5"),
        ([{"event": "session_started", "metadata": "x"}], "None"),
        ([started(1.5, **{NONCE: "nonce"}), {"event": "restart", "timestamp": 2.25}], "2.25"),
    ],
)
def test_a_session_is_known_by_its_mark(events: list[Any], mark: str) -> None:
    """The nonce that our session start writes, else the time at which Rasa wrote its event."""
    assert read(*events).session.mark == mark


def test_every_seal_is_kept_and_when_it_was_written() -> None:
    """In any session; those of this turn, and those that Rasa carried over, by themselves."""
    odd = [slot(SEALS, value) for value in (None, 5, ["list"], {"a": "b"})]
    history = read(
        *(slot(SEALS, "earlier"), *odd, user(), START, started(1.0)),
        *(slot(SEALS, "carried"), slot("cpf", "x"), {"event": "bot"}, slot(SEALS, "earlier")),
        *(action(), slot(SEALS, "first"), user(), slot(SEALS, "second"), slot("balance", "other")),
        *({"event": "user", "name": SEALS, "value": "no slot"}, slot(SEALS, "now"), "no event"),
    )
    assert list(history.seals) == ["earlier", "carried", "first", "second", "now"]
    assert history.session.carried == {"carried", "earlier"}
    assert history.sealed_this_turn == {"now"}


def test_what_was_said_in_this_turn() -> None:
    """The status that was set last since the newest message."""
    assert read().said_this_turn is None
    assert read(slot("ps7_status", "ok"), user()).said_this_turn is None
    said = read(user(), slot("ps7_status", "expired"), slot("cpf", "1"))
    assert said.said_this_turn == "expired"


def test_the_latest_message_counts_where_no_event_is_one() -> None:
    """Rasa never calls like that, other hosts might."""
    latest = {"metadata": {"number": 7}}
    assert numbers(read(latest=latest).session) == [7]
    history = read(action(at=8.0), latest=latest)
    assert [history.came_at(message) for message in history.session.messages] == [8.0]
    assert numbers(read(user(1), latest=latest).session) == [1]
    assert numbers(read(user(1), START, started(2.0), latest=latest).session) == []
    assert numbers(read(latest=["no message"]).session) == []


@pytest.mark.parametrize(
    "junk",
    [None, True, 5, 1e308, "text", [], {}, {"event": ["slot"]}, {"event": {}, "name": []}]
    + [{"event": kind, "name": [], "value": {}, "metadata": []} for kind in ("slot", "user", "x")],
)
def test_events_of_any_shape_are_survived(junk: object) -> None:
    """A tracker comes over the wire."""
    history = read(junk, started(1.0), junk, user(1), junk, START, junk)
    assert list(history.seals) == []
    assert history.session.mark in ("0.5", "None")


class Counted(list[Any]):
    """Counts how often it is walked."""

    walks = 0

    def __iter__(self) -> Iterator[Any]:
        self.walks += 1
        return super().__iter__()


def test_the_times_of_all_messages_are_read_in_one_walk() -> None:
    """A page may send an old token with each of a thousand messages.

    A time is never before one that stands in front of it, and what is no number is none.
    """
    claims = [None, 4.0, "now", 2.0, 6.0]
    events = Counted([{"event": "user", "timestamp": at} for at in claims] * 200)
    history = History(events, None, context=SEALS, status="ps7_status")
    times = [history.came_at(message) for message in history.session.messages]
    assert times == [None, 4.0, 4.0, 4.0, *[6.0] * 996]
    assert events.walks == 2
