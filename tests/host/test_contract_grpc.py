"""The SDK's other server: gRPC, where every number is a float. Rasa Pro can call it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module

import pytest
import pytest_asyncio
from rasa_sdk.executor import ActionExecutor

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.testing import PERSONAS, Simulator
from tests.support.dialogue import LOOK_UP, VERIFY, Dialogue, Send
from tests.support.grpc_client import connected

pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]

grpc = pytest.importorskip("grpc", reason="this rasa-sdk has no gRPC server")
service = import_module("rasa_sdk.grpc_server")
stubs = import_module("rasa_sdk.grpc_py.action_webhook_pb2_grpc")


@pytest_asyncio.fixture(loop_scope="session")
async def send(settings: dict[str, str]) -> AsyncIterator[Send]:  # noqa: ARG001 - set before
    """Run the SDK's gRPC service on a loopback port, and yield a real client of it."""
    executor = ActionExecutor()
    for action in (ActionPS7Context, ActionPS7Verify, ActionPS7Forget):
        executor.register_action(action)
    server = grpc.aio.server()
    webhook = service.GRPCActionServerWebhook(executor)
    stubs.add_ActionServiceServicer_to_server(webhook, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with connected(port) as send:
        yield send
    await server.stop(None)


async def test_slots_come_back(send: Send, ps7: Simulator) -> None:
    """The documented example gives the values that it gives over HTTP, whatever their types."""
    example, user = PERSONAS["exemplo"], Dialogue()

    await user.turn(send, metadata={"contextId": "123123213"})

    assert {name: user.slots[name] for name in example.slots} == example.slots
    assert user.slots["ps7_payload"] == example.payload
    assert [request.json for request in ps7.requests] == [{"contextId": "123123213"}]


@pytest.mark.parametrize("context_id", [12345, 12345.0, "12345"])
async def test_a_number_is_a_float_here_and_its_digits_for_ps7(
    send: Send, ps7: Simulator, context_id: object
) -> None:
    """`contextId` and `encoded` alike, which go out as text."""
    ps7.answer("12345", body={"code": 0, "payload": {"u_cpf": "52998224725"}})
    user = Dialogue()

    await user.turn(send, metadata={"contextId": context_id, "encoded": 0})

    assert user.slots["cpf"] == "52998224725"
    assert [request.json for request in ps7.requests] == [{"contextId": "12345", "encoded": "0"}]


async def test_a_held_context_costs_nothing(send: Send, ps7: Simulator) -> None:
    """Slots that went over the wire and came back as floats are the same slots."""
    payload = {"u_ag": 341, "u_dseg": "Token", "u_dsok": "S", "more": {"n": [1, 2.5, True, None]}}
    ps7.answer("numbers", body={"code": 0, "payload": payload})
    user = Dialogue()
    await user.turn(send, metadata={"contextId": "numbers"})
    assert isinstance(user.slots["ps7_payload"]["u_ag"], float), "this test shows nothing"
    assert user.slots["agency"] == "341"

    for metadata in ({"contextId": "numbers"}, {}):
        for action in (LOOK_UP, VERIFY):
            assert await user.turn(send, action, metadata) == {}
    assert len(ps7.requests) == 1
