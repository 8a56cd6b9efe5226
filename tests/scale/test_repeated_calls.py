"""A load balancer may give an action call of ours to two servers: the second one does no harm.

nginx does that with `proxy_next_upstream … non_idempotent`, and a service mesh with retries, where
a server dies before it has answered.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from actions.ps7.testing import PERSONAS, Simulator
from tests.host.conftest import seal_keys
from tests.support.action_server import ActionServer
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue

Case = tuple[dict[str, str] | None, str, dict[str, str] | None, bool, object]

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANA, BRUNO = {"contextId": "ana"}, {"contextId": "bruno"}
ANAS, BRUNOS = PERSONAS["ana"].slots["account"], PERSONAS["bruno"].slots["account"]
OF_THE_MOMENT = {"ps7_context", "ps7_expires_at"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ps7() -> AsyncIterator[Simulator]:
    """Stand in for PS7."""
    async with Simulator() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(
    ps7: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[ActionServer]]:
    """Start two action servers that share nothing but their settings."""
    logs = tmp_path_factory.mktemp("repeated")
    settings: dict[str, Any] = {**ps7.environment, "PS7_SEAL_KEYS": seal_keys()}
    started = await asyncio.gather(
        *(
            ActionServer.start(Path(sys.executable), logs / f"{name}.log", **settings)
            for name in ("one", "other")
        )
    )
    yield started
    await asyncio.gather(*(server.process.kill() for server in started))


def changes(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the slots that an answer sets."""
    return {event["name"]: event["value"] for event in answer["events"]}


CASES: dict[str, Case] = {
    "a customer arrives": (None, LOOK_UP, ANA, True, ANAS),
    "they go on": (ANA, LOOK_UP, None, False, ANAS),
    "another customer arrives": (ANA, LOOK_UP, BRUNO, True, BRUNOS),
    "they are verified": (ANA, VERIFY, None, False, ANAS),
    "they leave": (ANA, FORGET, None, False, None),
}
"""What was looked up before; the call; whether it asks PS7; whose account is known then."""


@pytest.mark.parametrize("counts", [0, 1], ids=["the first counts", "the second counts"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_call_that_two_servers_get_does_what_one_call_does(
    servers: list[ActionServer], ps7: Simulator, case: Case, counts: int
) -> None:
    """Both answer alike; and whichever answer is kept, both servers have nothing to add to it."""
    known, action, metadata, asks_ps7, account = case
    user = Dialogue()
    if known is not None:
        await user.turn(servers[0].send, LOOK_UP, known)
        user.slots["account"] = "written over"
    ps7.requests.clear()

    call = user.call(action, metadata)
    answers = [changes(await server.send(call)) for server in servers]
    one, other = ({name: each[name] for name in {*each} - OF_THE_MOMENT} for each in answers)
    assert one == other != {}
    user.slots |= answers[counts]
    assert user.slots["account"] == account
    for server in servers:
        assert await user.turn(server.send) == {}
    assert len(ps7.requests) == (2 if asks_ps7 else 0), "each server asks for itself, once"
