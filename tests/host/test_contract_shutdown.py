"""The end of an action server that has connections to PS7 in its pool."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from actions.ps7.testing import Simulator
from tests.host.byte_gateway import ByteGateway
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


async def test_it_stops_without_a_word_about_a_question_that_is_under_way(
    stage: Stage, python: Path
) -> None:
    """The circuit breaker asks whether a silent PS7 is there as the signal comes."""
    with ByteGateway(defaultdict(lambda: [60.0])) as ps7:
        limits = {"READ_TIMEOUT": 5, "DEADLINE": 1, "BREAKER_FAILURES": 1}
        settings = {f"PS7_{name}": str(value) for name, value in limits.items()}
        server = await stage.start(
            python, PS7_SEAL_KEYS=seal_keys(), **settings, PS7_BASE_URL=ps7.url
        )
        user = Dialogue()
        await user.turn(server.send, metadata={"contextId": "ana"})
        assert user.slots["ps7_status"] == "unavailable"
        for _ in range(100):
            await asyncio.sleep(0.01)
            if len(ps7.requests) == 2:
                break
        assert ps7.requests[1][1].startswith("ps7-question-")

        assert await server.stop(signal.SIGTERM) == 0

    assert "PS7 question" not in server.process.output
    assert server.process.complaints == []
