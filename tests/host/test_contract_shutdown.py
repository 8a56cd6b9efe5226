"""The end of an action server that waits for PS7."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from tests.host.conftest import Stage, seal_keys
from tests.host.loopback import ANA, ByteGateway, http
from tests.support.dialogue import Dialogue

pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]

DOWN = http(status="503 Service Unavailable")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_without_a_word_about_a_probe_that_is_under_way(
    stage: Stage, python: Path, number: signal.Signals
) -> None:
    """As a supervisor or Ctrl+C ends it: exit code 0, and not a word about what was left open.

    The circuit breaker probes a silent PS7 as the signal comes.
    """
    limits = {"PS7_ATTEMPTS": "1", "PS7_BREAKER_FAILURES": "1"}
    with ByteGateway(defaultdict(lambda: [60.0], ana=[ANA], down=[DOWN])) as ps7:
        url = {"PS7_BASE_URL": ps7.url, "PS7_SEAL_KEYS": seal_keys()}
        server = await stage.start(python, **url, **limits)
        for context_id, status in (("ana", "ok"), ("down", "unavailable")):
            user = Dialogue()
            await user.turn(server.send, metadata={"contextId": context_id})
            assert user.slots["ps7_status"] == status
        while len(ps7.requests) < 3:  # noqa: ASYNC110 - a gateway in a thread has no event of it
            await asyncio.sleep(0.01)
        assert ps7.requests[2][1].startswith("ps7-probe-")

        assert await server.stop(number) == 0

    assert "PS7 probe" not in server.process.output
    assert server.process.complaints == []
