"""Every answer in tests/vectors, from bytes to slots: see the README.md there."""

from __future__ import annotations

import json

import pytest

from actions.ps7.api.wire import Answer, decode
from actions.ps7.errors import LookupFailed
from actions.ps7.slots import CUSTOMER_SLOTS, project
from tests.vectors.vector import FOLDER, NAMES, Vector, load

pytestmark = pytest.mark.versions

HOUR = 3600.0


def read(vector: Vector) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the slots that an answer leads to, and its undocumented fields.

    They are all slots that a customer has by default, and what the vector names beside them.
    """
    headers = {name.lower(): value for name, value in vector.headers.items()}
    decoded = decode(
        Answer(vector.status, headers, vector.body),
        received_at=vector.received_at,
        **{"max_age": HOUR, **vector.settings},
    )
    names = {*CUSTOMER_SLOTS, *vector.slots} - ({"ps7_payload"} - set(vector.slots))
    return project({name: name for name in names}, decoded.customer), decoded.undocumented


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_gives_what_its_vector_says(name: str) -> None:
    """Outcome, reason, slots, undocumented fields; slots that are not named are null."""
    vector = load(name)
    if vector.outcome == "ok":
        slots, undocumented = read(vector)
        assert vector.reason == "ok"
        assert not_null(slots) == not_null(vector.slots)
        assert sorted(undocumented) == sorted(vector.undocumented)
    else:
        with pytest.raises(LookupFailed) as caught:
            read(vector)
        failure = caught.value
        assert (failure.outcome.value, failure.reason.value) == (vector.outcome, vector.reason)
        assert failure.status == vector.status
        assert not vector.slots
        assert not vector.undocumented


def not_null(slots: dict[str, object]) -> dict[str, object]:
    """Leave out the slots that hold nothing."""
    return {slot: value for slot, value in slots.items() if value is not None}


@pytest.mark.parametrize("name", NAMES)
def test_what_an_answer_gives_can_be_stored_as_it_is(name: str) -> None:
    """Slots cross the wire to Rasa and its tracker store as JSON in UTF-8, without loss."""
    vector = load(name)
    if vector.outcome == "ok":
        slots, _ = read(vector)
        assert json.loads(json.dumps(slots, allow_nan=False, ensure_ascii=False).encode()) == slots


def test_every_file_here_is_a_vector() -> None:
    """A file with another ending would be forgotten without a word."""
    others = {path.name for path in FOLDER.iterdir()} - {f"{name}.json" for name in NAMES}
    assert others - {"__pycache__"} == {"README.md", "vector.py"}
    assert len(NAMES) > 200
