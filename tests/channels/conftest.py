"""A bot behind WhatsApp, and what is behind it, on this machine."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.channels import services
from tests.channels.services import Services, Somebody
from tests.conversation.talking import RunningBot
from tests.support.answering import answering
from tests.support.needs import lacking
from tests.support.processes import Process, free_port
from tests.support.waiting import until


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _services() -> AsyncIterator[Services]:
    made = Services()
    async with answering(made.answer) as services.VARIABLES["STUB"]:
        yield made


@pytest.fixture
def rasa_bots(_services: Services, rasa_bots: dict[str, RunningBot]) -> dict[str, RunningBot]:
    """Return the bots, started after the services: till then nobody holds their port."""
    return rasa_bots


@pytest_asyncio.fixture(loop_scope="session")
async def stub(_services: Services) -> Services:
    """Return the services, in good health."""
    _services.status, _services.back_end = 200, ""
    _services.asked.clear()
    return _services


@pytest.fixture
def ana(channel_bot: RunningBot, stub: Services) -> Somebody:
    """Return Ana, with a telephone that is new to the bot, and known to the back-end."""
    made = Somebody(channel_bot, stub)
    stub.known[made.user] = "ana"
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def redis(tmp_path: Path) -> AsyncIterator[str]:
    """Run a Redis; return its address."""
    if (program := shutil.which("redis-server")) is None:
        lacking("Redis", "apt-get install redis-server")
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    log = tmp_path / "redis.log"
    process = await Process.start(log, program, *options, cwd=tmp_path, variables={})
    await until("Redis is ready", lambda: "Ready to accept" in process.output, 20)
    yield f"redis://127.0.0.1:{port}/0"
    await process.kill()
