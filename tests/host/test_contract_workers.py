"""Several workers behind one port: any of them serves any turn of a conversation."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.host.conftest import Stage, seal_keys
from tests.support.action_server import ActionServer, Connection
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY, Dialogue
from tests.support.processes import ROOT

pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]

DATA = Path(__file__).parent / "data"
ANA = PERSONAS["ana"].slots
OTHERS = ("pid", "vouched")
"""Slots that the probe sets."""


async def one_of_each(server: ActionServer, connections: AsyncExitStack) -> list[Connection]:
    """Open connections, some at a time, until there is one to each of the two workers.

    The worker that is idle takes the next connection: one after another may all end in the same.
    """
    workers: dict[int, Connection] = {}
    for _ in range(50):
        opened = [await connections.enter_async_context(server.connect()) for _ in range(8)]
        users = [Dialogue([*SLOTS, *OTHERS]) for _ in opened]
        calls = [
            user.turn(connection.send, "action_probe")
            for user, connection in zip(users, opened, strict=True)
        ]
        for connection, answer in zip(opened, await asyncio.gather(*calls), strict=True):
            workers.setdefault(answer["pid"], connection)
        if len(workers) == 2:
            return list(workers.values())
    raise AssertionError("one worker answered every call")


@pytest.mark.parametrize("given", [True, False], ids=["keys given", "keys made"])
async def test_a_context_sealed_by_one_worker_is_opened_by_the_other(
    stage: Stage, python: Path, ps7: Simulator, given: bool
) -> None:
    """With `PS7_SEAL_KEYS` or without: no second lookup, no refused seal; and a clean end."""
    server = await stage.start(
        python,
        actions="probe",
        workers=2,
        PYTHONPATH=f"{ROOT}:{DATA}",
        **({"PS7_SEAL_KEYS": seal_keys()} if given else {}),
    )
    async with AsyncExitStack() as connections:
        one, other = await one_of_each(server, connections)
        for sealing, opening in ((one, other), (other, one)):
            user = Dialogue([*SLOTS, *OTHERS])
            await user.turn(sealing.send, metadata={"contextId": "ana"})
            assert user.slots["account"] == ANA["account"]
            assert await user.turn(opening.send, LOOK_UP) == {}
            assert await user.turn(opening.send, VERIFY) == {}
            vouched = (await user.turn(opening.send, "action_probe"))["vouched"]
            assert vouched == ANA["account"]
            await user.turn(opening.send, FORGET)
            assert await user.turn(sealing.send, LOOK_UP) == {}

    assert [request.json["contextId"] for request in ps7.requests] == ["ana", "ana"]
    assert await server.stop() == 0
    said = server.process.output
    assert said.count("PS7 lookup: outcome=ok") == 2, "each worker shows its INFO lines"
    assert said.count("PS7_SEAL_KEYS is not set") == (0 if given else 1)
    assert "seal was refused" not in said
    assert server.process.complaints == []


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_killed_worker_costs_the_calls_it_had(
    stage: Stage, python: Path, ps7: Simulator, workers: int
) -> None:
    """The calls that follow are all answered: by the next worker, or the other one.

    The oldest SDK serves from one process, if it is one alone: that process ends.
    """
    server = await stage.start(
        python, actions="probe", workers=workers, PYTHONPATH=f"{ROOT}:{DATA}"
    )
    user = Dialogue([*SLOTS, *OTHERS])
    pid = (await user.turn(server.send, "action_probe"))["pid"]
    psutil.Process(pid).kill()
    if pid == server.process.pid:
        assert await server.process.exit_code(within=5) == -signal.SIGKILL
        return
    for _ in range(10):
        user = Dialogue()
        await user.turn(server.send, metadata={"contextId": "ana"})
        assert user.slots["account"] == ANA["account"]
    assert len(ps7.requests) == 10
    assert await server.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_it_can_be_stopped_while_its_workers_start(
    stage: Stage, python: Path, workers: int
) -> None:
    """From the moment on in which the first of them is there."""
    variables = {"ACTION_SERVER_SANIC_WORKERS": str(workers), **stage.settings}
    process = await stage.launch(python, variables=variables)
    for _ in range(1000):
        if "Starting worker" in process.output or _workers(process.pid):
            break
        await asyncio.sleep(0.02)
    assert await process.end() == 0
    assert process.complaints == []


def _workers(pid: int) -> list[psutil.Process]:
    """Return the processes that the SDK spawned, but for the one in which Sanic keeps states."""
    children = psutil.Process(pid).children()
    return [each for each in children if "--multiprocessing-fork" in each.cmdline()][1:]
