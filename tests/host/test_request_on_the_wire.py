"""The request that PS7 gets, from each setting and each form of metadata, through real actions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.dialogue import runtime
from actions.ps7.testing import PERSONAS, Conversation, RecordedRequest, Simulator

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
HTTP_HEADERS = {"Host", "User-Agent", "Content-Length"}
"""What belongs to HTTP itself, and not to the interface."""


@pytest.fixture(autouse=True)
def _seal_key(isolated: pytest.MonkeyPatch) -> None:
    """Work without what a developer has set, and with a seal key of this test's own."""
    isolated.setenv("PS7_SEAL_KEYS", f'["{Fernet.generate_key().decode()}"]')


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Return a simulator that takes any contextId for a customer's."""
    async with Simulator(username="bot-user", password="bot-password") as simulator:
        simulator.answer("not-found", body=PERSONAS["ana"].answer)
        yield simulator


@pytest.fixture
async def bot(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Conversation]]:
    """Return a maker of conversations, whose action server has these settings."""

    def make(sender_id: str | None = None, **settings: str) -> Conversation:
        for name, value in {**ps7.environment, **settings}.items():
            monkeypatch.setenv(name, value)
        actions = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
        return Conversation(DOMAIN, actions, sender_id=sender_id)

    yield make
    await runtime.current().client.close()


def ours(request: RecordedRequest) -> dict[str, str]:
    """Return the headers of the interface, by the names under which they were sent."""
    return {name: value for name, value in request.headers.items() if name not in HTTP_HEADERS}


# The whole of it


async def test_the_request_of_a_bot_with_the_required_settings_alone(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """Method, path, every header by its exact name, and the body."""
    await bot().user("oi", metadata={"contextId": "C1"})
    (request,) = ps7.requests
    headers = ours(request)
    flow_id, correlation_id = headers.pop("x-itau-flowID"), headers.pop("x-itau-correlationID")
    assert (request.method, request.path) == ("POST", PATH)
    assert headers == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "userName": "bot-user",
        "password": "bot-password",
    }
    assert request.json == {"contextId": "C1"}
    assert UUID(flow_id).version == 4
    assert str(UUID(correlation_id)) == correlation_id


async def test_the_request_of_a_bot_with_every_setting_and_all_metadata(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """Method, path, every header by its exact name, and the body."""
    metadata = {"contextId": "C1", "encoded": 0, "correlationId": "trail-1", "flowId": "flow.1"}
    ps7.api_key, ps7.app_key = "an-api-key", "an-app-key"
    await bot(PS7_ENCODED="1").user("oi", metadata=metadata)
    (request,) = ps7.requests
    assert (request.method, request.path) == ("POST", PATH)
    assert ours(request) == {
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


# Correlation and flow


async def test_a_conversation_has_one_correlation_id_and_each_lookup_a_flow_id(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """Neither shows who is talking: the sender id may be a phone number."""
    for sender_id in ("5511900000001", "5511900000002"):
        conversation = bot(sender_id)
        for context_id in ("C1", "C2"):
            await conversation.user("oi", metadata={"contextId": context_id})
    trails = [request.headers["x-itau-correlationID"] for request in ps7.requests]
    flows = [request.headers["x-itau-flowID"] for request in ps7.requests]
    assert trails[0] == trails[1] != trails[2] == trails[3]
    assert len(set(flows)) == 4
    sent = [value for request in ps7.requests for value in request.headers.values()]
    assert not any("5511900000" in value for value in sent)
