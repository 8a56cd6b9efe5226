"""The SDK's other server: gRPC, where every number is a float. Rasa Pro can call it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module

import pytest
import pytest_asyncio
from rasa_sdk.executor import ActionExecutor

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.testing import Simulator
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


async def test_a_number_is_a_float_here_and_its_digits_for_ps7(send: Send, ps7: Simulator) -> None:
    """`contextId` and `encoded` alike; and slots that came back as floats are the same slots."""
    payload = {"u_ag": 341, "u_dseg": "Token", "u_dsok": "S", "more": {"n": [1, 2.5, True, None]}}
    ps7.answer("12345", body={"code": 0, "payload": payload})
    user = Dialogue()
    await user.turn(send, metadata={"contextId": 12345, "encoded": 0})
    assert [request.json for request in ps7.requests] == [{"contextId": "12345", "encoded": "0"}]
    assert isinstance(user.slots["ps7_payload"]["u_ag"], float), "this test shows nothing"
    assert user.slots["agency"] == "341"

    for metadata in ({"contextId": 12345, "encoded": 0}, {}):
        for action in (LOOK_UP, VERIFY):
            assert await user.turn(send, action, metadata) == {}
    assert len(ps7.requests) == 1
