"""Whatever Rasa, a channel or an attacker puts into a tracker: an answer comes, and no HTTP 500.

A 500 of the action server holds the whole tracker, which Rasa then logs.
"""

from __future__ import annotations

from typing import Any, cast

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.testing import Simulator
from tests.support.action_server import ActionServer
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY, Dialogue

NO_DOMAIN = cast("DomainDict", {})
STATUSES = {None, "ok", "missing", "invalid", "rejected", "unavailable", "tampered"}


def nested(depth: int) -> Any:  # noqa: ANN401 - JSON
    """Return lists in lists."""
    value: Any = "C1"
    for _ in range(depth):
        value = [value]
    return value


JUNK: dict[str, Any] = {
    "null": None,
    "true": True,
    "number": 12345,
    "real": 1.5,
    "negative": -1,
    "huge-int": 10**400,
    "huge-real": 1e308,
    "text": "C 1",
    "blank": "  ",
    "control": "C\x00\n1",
    "surrogate": "C\ud800",
    "long": "9" * 5000,
    "list": [{"contextId": "C1"}],
    "empty-list": [],
    "object": {"contextId": {"contextId": "C1"}},
    "empty-object": {},
    "deep": nested(300),
}
"""Values of every JSON type, usable as nothing in particular."""

pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK),
]

# rasa-sdk 3.21 itself answers 500, after the action ran, where `latest_message` is no object.
FIELDS = ("sender_id", "slots", "events", "active_loop", "paused")


async def survives(server: ActionServer, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run every action on each of these calls; return the slots that each of them set."""
    answers = []
    before = len(server.process.output)
    async with server.connect() as connection:
        for call in calls:
            for action in (LOOK_UP, VERIFY, FORGET):
                status, answer = await connection.post({**call, "next_action": action})
                assert status == 200, answer
                assert answer["responses"] == []
                answers.append({event["name"]: event["value"] for event in answer["events"]})
    # Not merely caught: such trackers are expected.
    assert "ERROR" not in server.process.output[before:]
    assert {slots.get("ps7_status") for slots in answers} <= STATUSES
    return answers


@pytest.mark.parametrize("field", FIELDS)
async def test_a_tracker_may_hold_anything(server: ActionServer, field: str, junk: object) -> None:
    """Each field of it, of any type: what is not of the expected type counts as not there."""
    call = Dialogue().call(LOOK_UP, {})
    call["tracker"][field] = junk
    await survives(server, [call])


@pytest.mark.usefixtures("settings")
async def test_a_message_may_be_anything(
    caplog: pytest.LogCaptureFixture, ps7: Simulator, junk: object
) -> None:
    """Straight into `run`, past an SDK that would trip over it: nothing is found there."""
    for action in (ActionPS7Context(), ActionPS7Verify(), ActionPS7Forget()):
        tracker = Tracker.from_dict(Dialogue().call(LOOK_UP, {})["tracker"])
        vars(tracker)["latest_message"] = junk
        events = await action.run(CollectingDispatcher(), tracker, NO_DOMAIN)
        assert {event["value"] for event in events} <= {"missing"}
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert ps7.requests == []


async def test_metadata_may_be_anything(server: ActionServer, junk: object) -> None:
    """In the message, in an event, and where the session's metadata are kept."""
    message, event, session = (Dialogue().call(LOOK_UP, {}) for _ in range(3))
    message["tracker"]["latest_message"]["metadata"] = junk
    event["tracker"]["latest_message"]["metadata"] = {}
    event["tracker"]["events"] = [{"event": "user", "metadata": junk}, {"event": junk}, junk]
    session["tracker"]["slots"]["session_started_metadata"] = junk
    await survives(server, [message, event, session])


async def test_a_context_id_and_its_companions_may_be_anything(
    server: ActionServer, ps7: Simulator, junk: object
) -> None:
    """Usable or not, and whatever stands beside it: at most what is text goes to PS7."""
    alone = {"contextId": junk}
    beside = {"contextId": "ana", "encoded": junk, "correlationId": junk, "flowId": junk}

    await survives(server, [Dialogue().call(LOOK_UP, metadata) for metadata in (alone, beside)])

    sent = [request.json["contextId"] for request in ps7.requests]
    assert sent
    assert all(isinstance(context_id, str) and context_id for context_id in sent)
    assert {request.status for request in ps7.requests} == {200}


async def test_slots_of_ours_may_hold_anything(server: ActionServer, junk: object) -> None:
    """In every slot at once: with no seal of ours behind them, nothing of it is left."""
    call = Dialogue().call(LOOK_UP, {})
    call["tracker"]["slots"] = dict.fromkeys(SLOTS, junk)

    look_up, verify, forget = await survives(server, [call])

    if junk is None:
        assert (look_up, verify) == ({"ps7_status": "missing"}, {})
    else:
        cleared = dict.fromkeys(SLOTS) | {"ps7_status": "tampered"}
        assert (look_up, verify) == (cleared, cleared)
        assert forget == dict.fromkeys(SLOTS) | {"ps7_status": "missing"}
