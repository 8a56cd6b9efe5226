"""An action server that is stopped under load: every lookup that reached PS7 is answered."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import seal_keys
from tests.host.loopback import ANA, Server
from tests.support.action_server import ActionServer
from tests.support.dialogue import Dialogue
from tests.support.waiting import until, within

pytestmark = pytest.mark.slow

USERS = 24
SLOWLY = 0.6
"""Seconds that PS7 takes for an answer: long enough that the signal comes in the middle."""


async def test_no_turn_is_lost(tmp_path: Path) -> None:
    """SIGTERM comes while PS7 takes its time: every turn that waits for it ends in an answer."""
    login: dict[str, Any] = {"PS7_USERNAME": "u", "PS7_PASSWORD": "p", "PS7_SEAL_KEYS": seal_keys()}
    users = [Dialogue() for _ in range(USERS)]
    async with Server([SLOWLY, ANA]) as ps7:
        server = await ActionServer.start(
            Path(sys.executable), tmp_path / "server.log", PS7_BASE_URL=ps7.url, **login
        )
        sent = {"contextId": "ana"}
        turns = [asyncio.create_task(user.turn(server.send, metadata=sent)) for user in users]
        try:
            await until("PS7 is asked by all", lambda: len(ps7.heard) >= USERS)
            server.process.signal(signal.SIGTERM)
            await within(20, "every turn ends", asyncio.gather(*turns))
        finally:
            # Sanic's manager may outlive its workers: a platform ends it after a grace period.
            await server.process.kill()
    assert server.process.complaints == []
    assert [user.slots["ps7_status"] for user in users] == ["ok"] * USERS
