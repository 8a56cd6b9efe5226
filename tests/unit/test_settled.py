"""What a process remembers of conversations in which there is nothing to do."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from actions.ps7.dialogue import settled
from actions.ps7.dialogue.seal import UNSEEN
from actions.ps7.dialogue.settled import InOrder, Settled

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
STATE = InOrder(NOW + timedelta(hours=1), UNSEEN, None)
SLOTS = {"ps7_status": "ok", "cpf": "52998224725", "agency": None}


def test_a_conversation_is_known_in_exactly_one_state() -> None:
    """Another sender, another value, another type: another conversation."""
    memory = Settled()
    memory.note(memory.digest("s1", SLOTS), STATE)
    assert memory.get(memory.digest("s1", dict(SLOTS))) == STATE
    others: list[tuple[str, dict[str, Any]]] = [
        ("s2", SLOTS),
        ("s1", SLOTS | {"agency": ""}),
        ("s1", SLOTS | {"cpf": 52998224725}),
        ("s1", SLOTS | {"account": None}),
    ]
    assert [memory.get(memory.digest(*other)) for other in others] == [None] * 4


def test_what_is_remembered_tells_nothing() -> None:
    """Digests are keyed, and no other process has the key."""
    digest = Settled().digest("s1", SLOTS)
    assert digest is not None
    assert digest != Settled().digest("s1", SLOTS)


def test_slots_that_cannot_be_written_are_never_known() -> None:
    """A host in the same process can hand over anything: then every turn is run in full."""
    memory = Settled()
    endless: list[Any] = []
    endless.append(endless)
    for value in (object(), endless):
        digest = memory.digest("s1", {"ps7_payload": value})
        memory.note(digest, STATE)
        assert digest is None
        assert memory.get(digest) is None


def test_those_that_spoke_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs for months does not grow."""
    monkeypatch.setattr(settled, "SIZE", 2)
    memory = Settled()
    first, second, third = (memory.digest(name, {}) for name in ("s1", "s2", "s3"))
    memory.note(first, STATE)
    memory.note(second, STATE)
    assert memory.get(first) == STATE
    memory.note(third, STATE)
    assert [memory.get(one) for one in (first, second, third)] == [STATE, None, STATE]
