"""A client of the SDK's gRPC server, as Rasa Pro is one. Needs a rasa-sdk that has gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from tests.support.dialogue import Send

_WITHIN = 10.0
"""Seconds that an action may take."""


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Send]:
    """Yield what sends a call to the server on this port, once that server listens."""
    grpc = import_module("grpc")
    messages = import_module("rasa_sdk.grpc_py.action_webhook_pb2")
    stubs = import_module("rasa_sdk.grpc_py.action_webhook_pb2_grpc")
    json_format = import_module("google.protobuf.json_format")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = stubs.ActionServiceStub(channel)

        async def send(call: dict[str, Any]) -> dict[str, Any]:
            request = json_format.ParseDict(call, messages.WebhookRequest())
            answer = await stub.Webhook(request, timeout=_WITHIN, wait_for_ready=True)
            # A list that is empty has no place in a message.
            return {"events": [], "responses": [], **json_format.MessageToDict(answer)}

        yield send
