"""Whatever Rasa, a channel or an attacker puts into a tracker: an answer comes, and no HTTP 500.

A 500 of the action server holds the whole tracker, which Rasa then logs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from actions.ps7.testing import Simulator
from tests.support.action_server import ActionServer
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY, Dialogue

STATUSES = {None, "ok", "missing", "invalid", "rejected", "unavailable", "tampered"}
JUNK: dict[str, Any] = {
    "null": None,
    "true": True,
    "number": 12345,
    "huge-real": 1e308,
    "text": "C 1",
    "surrogate": "C\ud800",
    "long": "9" * 5000,
    "list": [{"contextId": "C1"}],
    "object": {"contextId": {"contextId": "C1"}},
    "deep": json.loads("[" * 300 + "]" * 300),
}
"""Values of every JSON type, usable as nothing in particular."""

pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK),
]


def calls_with(junk: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Yield calls that have it in one place each."""
    # rasa-sdk 3.21 itself answers 500, after the action ran, where `latest_message` is no object.
    for field in ("sender_id", "slots", "events", "active_loop", "paused"):
        call = Dialogue().call(LOOK_UP, {})
        call["tracker"][field] = junk
        yield call
    message, event, session, slots = (Dialogue().call(LOOK_UP, {}) for _ in range(4))
    message["tracker"]["latest_message"]["metadata"] = junk
    event["tracker"]["events"] = [{"event": "user", "metadata": junk}, {"event": junk}, junk]
    session["tracker"]["slots"]["session_started_metadata"] = junk
    slots["tracker"]["slots"] = dict.fromkeys(SLOTS, junk)
    yield from (message, event, session, slots)
    yield Dialogue().call(LOOK_UP, {"contextId": junk})
    beside = dict.fromkeys(("encoded", "correlationId", "flowId"), junk)
    yield Dialogue().call(LOOK_UP, {"contextId": "ana", **beside})


async def test_a_tracker_may_hold_anything(
    server: ActionServer, ps7: Simulator, junk: object
) -> None:
    """In each field, in metadata, in slots; at most what is text goes to PS7."""
    before = len(server.process.output)
    async with server.connect() as connection:
        for call in calls_with(junk):
            for action in (LOOK_UP, VERIFY, FORGET):
                status, answer = await connection.post({**call, "next_action": action})
                assert (status, answer.get("responses")) == (200, []), answer
                slots = {event["name"]: event["value"] for event in answer["events"]}
                assert slots.get("ps7_status") in STATUSES
    # Not merely caught: such trackers are expected.
    assert "ERROR" not in server.process.output[before:]
    sent = [request.json["contextId"] for request in ps7.requests]
    assert "ana" in sent
    assert all(isinstance(context_id, str) and context_id for context_id in sent)
    assert {request.status for request in ps7.requests} == {200}
