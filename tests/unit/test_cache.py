"""What a process remembers of states in which there is nothing to do."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from actions.ps7.dialogue import cache
from actions.ps7.dialogue.cache import StateCache

UNTIL = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
STATE = ["s1", ["ok", "52998224725", None], ["seal"], "1.5", None]


BEFORE = UNTIL - timedelta(seconds=1)


def test_a_state_is_known_by_all_that_it_says() -> None:
    """Another value or another type: another state. A later moment replaces an earlier one."""
    states = StateCache()
    states.remember(states.digest(STATE), UNTIL)
    assert states.in_order(states.digest(list(STATE)), BEFORE)
    assert not states.in_order(states.digest(STATE), UNTIL)
    others: list[object] = [
        ["s2", *STATE[1:]],
        [*STATE[:4], ""],
        [*STATE, None],
        ["s1", ["ok", 52998224725, None], *STATE[2:]],
    ]
    assert not any(states.in_order(states.digest(other), BEFORE) for other in others)
    states.remember(states.digest(STATE), UNTIL + timedelta(hours=1))
    assert states.in_order(states.digest(STATE), UNTIL)


def test_what_is_remembered_tells_nothing() -> None:
    """Digests are keyed, and no other process has the key."""
    one, other = StateCache(), StateCache()
    one.remember(one.digest(STATE), UNTIL)
    other.remember(other.digest(STATE), UNTIL)
    assert one._known.keys() != other._known.keys()
    assert "52998224725" not in repr(vars(one))


def test_a_state_that_cannot_be_written_is_never_known() -> None:
    """A host in the same process can hand over anything: then every turn is run in full."""
    states = StateCache()
    endless: list[Any] = []
    endless.append(endless)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (object(), endless, deep, {(): 1}):
        states.remember(states.digest([value]), UNTIL)
        assert not states.in_order(states.digest([value]), BEFORE)


def test_those_that_were_used_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs for months does not grow."""
    monkeypatch.setattr(cache, "SIZE", 2)
    states = StateCache()
    states.remember(states.digest("s1"), UNTIL)
    states.remember(states.digest("s2"), UNTIL)
    assert states.in_order(states.digest("s1"), BEFORE)
    states.remember(states.digest("s3"), UNTIL)
    assert [states.in_order(states.digest(name), BEFORE) for name in ("s1", "s2", "s3")] == [
        True,
        False,
        True,
    ]
