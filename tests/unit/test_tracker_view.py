"""What a run reads of a tracker: the contextId that counts, and how far back it has to look."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest

from actions.ps7 import CustomerContext, Outcome, clock
from actions.ps7.dialogue.arrival import Door, sign
from actions.ps7.dialogue.context_id import Found, fingerprint
from actions.ps7.dialogue.seal import UNSEEN, Sealed, Seen
from actions.ps7.dialogue.tracker_view import TrackerView

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
LATER = NOW + timedelta(hours=2)


class Unreadable(dict[str, Any]):
    """An event that nobody may look at again."""

    def get(self, *_: object) -> Any:  # noqa: ANN401 - as dict does
        raise AssertionError("an event of before the lookup was read")


def said(context_id: object = None, at: float = 1.0) -> dict[str, Any]:
    metadata = {} if context_id is None else {"contextId": context_id}
    return {"event": "user", "metadata": metadata, "timestamp": at}


def listened(at: float) -> dict[str, Any]:
    return {"event": "action", "name": "action_listen", "timestamp": at}


def view(
    events: list[Any],
    latest: object = None,
    opened_with: object = None,
    slots: object = None,
    door: Door | None = None,
) -> TrackerView:
    tracker = SimpleNamespace(
        sender_id="s1",
        slots={"session_started_metadata": opened_with} if slots is None else slots,
        latest_message={"metadata": {} if latest is None else {"contextId": latest}},
        events=events,
    )
    return TrackerView(cast("Any", tracker), door or Door([]), ["contextId"])


def sealed_in(before: TrackerView, context_id: str, outcome: Outcome = Outcome.OK) -> Sealed:
    """Seal what a lookup in this conversation gave."""
    found = before.found(None, NOW)
    assert found is not None
    customer = CustomerContext(expires_at=NOW + timedelta(hours=1))
    return Sealed(
        outcome=outcome,
        fingerprint=fingerprint(context_id),
        sealed_at=NOW,
        customer=customer if outcome == Outcome.OK else None,
        seen=before.seen(found),
    )


def named(found: Found | None) -> str | None:
    return found.context_id if found else None


BEFORE = [{"event": "session_started", "timestamp": 0.5}, listened(0.6), said("C1", 1.0)]


@pytest.fixture
def held() -> Sealed:
    """Seal what the lookup of C1 gave."""
    return sealed_in(view(BEFORE, "C1"), "C1")


def test_what_stood_there_at_the_lookup_is_not_read_again(held: Sealed) -> None:
    """Only the last event of then is looked at, to know the tracker again."""
    hidden = [Unreadable(event) for event in BEFORE[:-1]]
    events = [*hidden, BEFORE[-1], listened(2.0), said(at=3.0)]
    assert view(events).found(held, NOW) is None


def test_a_context_id_that_came_since_is_found(held: Sealed) -> None:
    """In the latest message, or in one before it whose turn failed."""
    events = [*BEFORE, listened(2.0), said("C2", 3.0), listened(4.0), said(at=5.0)]
    assert named(view(events).found(held, NOW)) == "C2"
    assert named(view(events, "C3").found(held, NOW)) == "C3"


def test_a_context_that_ran_out_is_found_where_it_always_was(held: Sealed) -> None:
    """It has to be looked up again, so its contextId is needed."""
    events = [*BEFORE, said(at=3.0)]
    assert named(view(events).found(held, LATER)) == "C1"


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.REJECTED])
def test_a_failed_lookup_saves_nothing(outcome: Outcome) -> None:
    """It is going to be tried again."""
    failed = sealed_in(view(BEFORE, "C1"), "C1", outcome)
    assert named(view([*BEFORE, said(at=3.0)]).found(failed, NOW)) == "C1"


@pytest.mark.parametrize(
    "events",
    [
        [],
        BEFORE[1:],
        [said("C0", 0.1), *BEFORE[:2], said("C1", 1.5)],
        [*BEFORE[:2], "no event", said("C1", 3.0)],
    ],
)
def test_a_tracker_that_is_not_the_one_of_then_is_read_whole(
    events: list[Any], held: Sealed
) -> None:
    """Rasa keeps only the latest session: counting its events would mean others."""
    expected = "C1" if events else "C0"
    assert named(view(events, opened_with={"contextId": "C0"}).found(held, NOW)) == expected


def test_a_new_session_is_read_on_its_own(held: Sealed) -> None:
    """What came before it no longer counts, and what opened it does."""
    events = [*BEFORE, {"event": "session_started", "timestamp": 9.0}, said(at=9.5)]
    assert view(events).found(held, NOW) is None
    assert named(view(events, opened_with={"contextId": "C9"}).found(held, NOW)) == "C9"


def test_a_context_id_that_no_message_brought_is_looked_for_every_time() -> None:
    """It stands in a slot, which something may write at any time."""
    events = [*BEFORE[:2], said(at=1.0)]
    held = sealed_in(view(events, opened_with={"contextId": "C1"}), "C1")
    assert held.seen == UNSEEN
    later = [*events, said(at=3.0)]
    assert named(view(later, opened_with={"contextId": "C1"}).found(held, NOW)) == "C1"
    assert named(view(later, opened_with={"contextId": "C7"}).found(held, NOW)) == "C7"


def test_a_host_that_does_not_keep_the_message_is_read_every_time() -> None:
    """Then the events do not say what the latest message said."""
    assert sealed_in(view([], "C1"), "C1").seen == UNSEEN
    assert sealed_in(view([said("C0")], "C1"), "C1").seen == UNSEEN


def test_junk_counts_as_not_there() -> None:
    """A tracker comes over the wire."""
    assert view(cast("Any", None), slots="x").found(None, NOW) is None
    assert view(["no event"], "C1").seen(Found("C1", "f", value="C1")) == UNSEEN
    assert named(view([said("C1"), "no event"]).found(None, NOW)) == "C1"


def test_a_conversation_of_one_event() -> None:
    """It may have brought the contextId, and be the last one."""
    first = [said("C1")]
    held = sealed_in(view(first, "C1"), "C1")
    assert view(first).found(held, NOW) is None
    assert view([*first, said(at=2.0)]).found(held, NOW) is None
    assert named(view([*first, said("C2", 2.0)]).found(held, NOW)) == "C2"


@pytest.mark.parametrize(("made_for", "among"), [("s1", False), ("s2", True)])
def test_of_tokens_only_those_for_this_conversation_count(made_for: str, among: bool) -> None:
    """A token for another one is refused without a call, so it takes nothing of the limit."""
    key = "arrival-" * 4
    before = [said(sign(key, context_id, made_for)) for context_id in ("C1", "C2")]
    now = view(before, sign(key, "C3", "s1"), door=Door([key]))
    found = now.found(None, clock.utc_now())
    assert found is not None
    assert found.context_id == "C3"
    assert now.among_the_first(2, found, None) is among


def test_events_are_known_by_the_time_of_the_last_one(held: Sealed) -> None:
    """Others, as many as there were then, are read whole."""
    events = [listened(5.0), said("C3", 6.0), listened(7.0), said(at=8.0)]
    assert named(view(events).found(held, NOW)) == "C3"


def test_which_texts_were_put_into_a_slot() -> None:
    """In any session, without what stands there now; after what was seen, if something was."""

    def slot(value: object, name: str = "ps7_context") -> dict[str, Any]:
        return {"event": "slot", "name": name, "value": value, "timestamp": 3.0}

    events = [
        slot("earlier"),
        {"event": "session_started", "timestamp": 1.0},
        slot("first"),
        said(at=2.0),
        *(slot(odd) for odd in (None, 5, ["list"], {"a": "b"})),
        slot("other", "balance"),
        {"event": "user", "name": "ps7_context", "value": "no slot"},
        "no event",
        slot("second"),
        slot("now"),
    ]
    this = view(events, slots={"ps7_context": "now", "balance": "other"})
    assert this.written_to("ps7_context") == {"earlier", "first", "second"}
    assert this.written_to("ps7_context", Seen(4, "2.0")) == {"second"}
    assert this.written_to("balance") == set()
    assert view(events, slots={}).written_to("balance") == {"other"}
