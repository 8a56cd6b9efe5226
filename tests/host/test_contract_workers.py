"""Several workers behind one port: any of them serves any turn of a conversation."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.host.conftest import Stage
from tests.support.action_server import ActionServer, Connection
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.processes import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
]

DATA = Path(__file__).parent / "data"
ACCOUNT = PERSONAS["ana"].slots["account"]


async def probe(connection: Connection, user: Dialogue) -> dict[str, Any]:
    """Run the bot's own action; return what it knows."""
    answer = await connection.send(user.call("action_probe"))
    return {event["name"]: event["value"] for event in answer["events"]}


async def one_of_each(server: ActionServer, connections: AsyncExitStack) -> list[Connection]:
    """Open connections, some at a time, until there is one to each of the two workers.

    The worker that is idle takes the next connection: one after another may all end in the same.
    The second worker may start long after the first one: the limit is that of the test.
    """
    workers: dict[int, Connection] = {}
    while len(workers) < 2:
        opened = [await connections.enter_async_context(server.connect()) for _ in range(8)]
        known = await asyncio.gather(*(probe(each, Dialogue()) for each in opened))
        for answer, each in zip(known, opened, strict=True):
            if workers.setdefault(answer["pid"], each) is not each:
                await each.close()
    return list(workers.values())


async def test_a_context_sealed_by_one_worker_is_opened_by_the_other(
    stage: Stage, python: Path, ps7: Simulator
) -> None:
    """Also without `PS7_SEAL_KEYS`: no second lookup, no refused seal; and a clean end.

    What an action was made with travels too: tests/host/test_registration.py.
    """
    path = f"{ROOT}:{DATA}"
    server = await stage.start(python, actions="probe", workers=2, PYTHONPATH=path)
    async with AsyncExitStack() as connections:
        one, other = await one_of_each(server, connections)
        for sealing, opening in ((one, other), (other, one)):
            user = Dialogue()
            await user.turn(sealing.send, metadata={"contextId": "ana"})
            assert user.slots["account"] == ACCOUNT
            assert await user.turn(opening.send, LOOK_UP) == {}
            assert await user.turn(opening.send, VERIFY) == {}
            assert (await probe(opening, user))["vouched"] == ACCOUNT
            await user.turn(opening.send, FORGET)
            assert await user.turn(sealing.send, LOOK_UP) == {}

    assert [request.json["contextId"] for request in ps7.requests] == ["ana"] * 2
    assert await server.stop() == 0
    said = server.process.output
    assert said.count("PS7 lookup: outcome=ok") == 2, "each worker shows its INFO lines"
    assert said.count("PS7_SEAL_KEYS is not set") == 1
    warned = [" WARNING " in line for line in said.splitlines() if "ARRIVAL_KEYS is not" in line]
    assert set(warned) == {True}, "with time, level and logger"
    assert "seal was refused" not in said
    assert server.process.complaints == []
