"""An action server for each transport, run with the interpreter of a cell, and its end.

Each yields what sends a call to it. At its end it must exit with 0, and have said nothing that no
server should say. Knows nothing of what is sent. `actions` among the settings is the bot's package.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.host.test_contract_in_process import host
from tests.support.action_server import ActionServer, launch
from tests.support.grpc_client import connected
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.support.dialogue import Send
    from tests.support.processes import Process

    Settings = Mapping[str, Any]  # each a text; `str` would shut out the options beside them
    Host = Callable[[Path, Path, Settings], AbstractAsyncContextManager[Send]]


@asynccontextmanager
async def ending_well(process: Process, end: Callable[[], Awaitable[int]]) -> AsyncIterator[None]:
    """Check the end of a server."""
    try:
        yield
        assert await end() == 0
        assert process.complaints == []
    finally:
        await process.kill()


@asynccontextmanager
async def over_http(python: Path, folder: Path, settings: Settings) -> AsyncIterator[Send]:
    """Run `python -m rasa_sdk`, as Rasa Open Source calls it."""
    server = await ActionServer.start(python, folder / "actions.log", **settings)
    async with ending_well(server.process, server.stop):
        yield server.send


@asynccontextmanager
async def over_grpc(python: Path, folder: Path, settings: Settings) -> AsyncIterator[Send]:
    """Run `python -m rasa_sdk --grpc`. The SDK leaves no choice of where it listens."""
    log, port = folder / "actions.log", free_port()
    variables, program = dict(settings), "rasa_sdk --grpc"
    actions = variables.pop("actions", "actions")
    process = await launch(
        python, log, actions=actions, port=port, variables=variables, program=program
    )
    async with ending_well(process, process.end), connected(port) as send:
        yield send


@asynccontextmanager
async def in_process(python: Path, folder: Path, settings: Settings) -> AsyncIterator[Send]:
    """Run the SDK's executor without a server, as `actions_module` of Rasa Pro does."""
    async with host(python, folder, **settings) as running:
        yield running.send


HOSTS: dict[str, Host] = {"HTTP": over_http, "gRPC": over_grpc, "in-process": in_process}
