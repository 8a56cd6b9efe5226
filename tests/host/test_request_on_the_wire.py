"""The request that PS7 gets from real actions; `tests/unit/test_wire.py` has each part of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.dialogue import runtime
from actions.ps7.testing import PERSONAS, Conversation, Simulator
from tests.host.conftest import seal_keys

pytestmark = pytest.mark.versions

PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
DOMAIN = {
    "slots": {
        "ps7_status": {
            "type": "any",
            "mappings": [{"type": "custom", "action": "action_ps7_context"}],
        },
        "ps7_context": {"type": "any", "mappings": [{"type": "custom"}]},
    },
    "actions": ["action_ps7_context", "action_ps7_verify", "action_ps7_forget"],
}


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Return a simulator that takes any contextId for a customer's."""
    async with Simulator(username="bot-user", password="bot-password") as simulator:
        simulator.api_key, simulator.app_key = "an-api-key", "an-app-key"
        simulator.answer("not-found", body=PERSONAS["ana"].answer)
        yield simulator


@pytest.fixture
async def bot(
    ps7: Simulator, isolated: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[str], Conversation]]:
    """Return a maker of conversations."""
    given = {**ps7.environment, "PS7_SEAL_KEYS": seal_keys(), "PS7_ENCODED": "1"}
    for name, value in given.items():
        isolated.setenv(name, value)
    actions = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
    yield lambda sender_id: Conversation(DOMAIN, actions, sender_id=sender_id)
    await runtime.current().client.close()


async def test_the_request_of_a_bot_with_every_setting_and_all_metadata(
    ps7: Simulator, bot: Callable[[str], Conversation]
) -> None:
    """Method, path, every header by its exact name, and the body."""
    metadata = {"contextId": "C1", "encoded": 0, "correlationId": "trail-1", "flowId": "flow.1"}
    await bot("sender-1").user("oi", metadata=metadata)
    (request,) = ps7.requests
    assert (request.method, request.path) == ("POST", PATH)
    of_http = ("Host", "User-Agent", "Content-Length")
    assert {name: request.headers[name] for name in request.headers if name not in of_http} == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "userName": "bot-user",
        "password": "bot-password",
        "x-itau-apikey": "an-api-key",
        "x-app-key": "an-app-key",
        "x-itau-correlationID": "trail-1",
        "x-itau-flowID": "flow.1",
    }
    assert request.json == {"contextId": "C1", "encoded": "0"}


async def test_a_conversation_has_one_correlation_id_and_each_lookup_a_flow_id(
    ps7: Simulator, bot: Callable[[str], Conversation]
) -> None:
    """Neither shows who is talking: the sender id may be a phone number.

    The attempts of a lookup have one flow id.
    """
    ps7.script("C2", ["reset", "ana"])
    for sender_id in ("5511900000001", "5511900000002"):
        conversation = bot(sender_id)
        for context_id in ("C1", "C2"):
            await conversation.user("oi", metadata={"contextId": context_id})
    sent = [request.headers for request in ps7.requests]
    one, again, repeated, other, last = (headers["x-itau-correlationID"] for headers in sent)
    assert one == again == repeated != other == last
    first, second, retry, *more = (headers["x-itau-flowID"] for headers in sent)
    assert (second == retry, len({first, second, *more})) == (True, 4)
    assert UUID(first).version == 4
    assert str(UUID(one)) == one
    assert not any("5511900000" in value for headers in sent for value in headers.values())
