"""The end of an action server that has connections to PS7 in its pool."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from actions.ps7.testing import Simulator
from tests.host.conftest import Stage, seal_keys
from tests.support.dialogue import Dialogue

pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_without_a_complaint(
    stage: Stage, python: Path, ps7: Simulator, number: signal.Signals
) -> None:
    """As a supervisor or Ctrl+C ends it: exit code 0, and not a word about what was left open."""
    server = await stage.start(python, PS7_SEAL_KEYS=seal_keys())
    users = [Dialogue() for _ in range(4)]
    await asyncio.gather(*(user.turn(server.send, metadata={"contextId": "ana"}) for user in users))
    assert len(ps7.requests) == len(users)

    assert await server.stop(number) == 0

    assert server.process.output.count("PS7 lookup: outcome=ok") == len(users)
    assert server.process.complaints == []
