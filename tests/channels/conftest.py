"""A bot behind every channel of examples/channels, and their services on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from actions.ps7.testing import Simulator
from tests.channels import services
from tests.channels.services import Services


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def _services() -> AsyncIterator[Services]:
    made = Services()
    async with TestServer(made.application(), port=int(services.URL.rpartition(":")[2])):
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def stub(_services: Services, channel_bot: object) -> Services:  # noqa: ARG001 - it has begun
    """Return the services, in good health."""
    _services.away, _services.back_end = False, ""
    _services.asked.clear()
    return _services


@pytest.fixture
def ps7(rasa_simulator: Simulator) -> Simulator:
    """Return the simulator, with no request on its record."""
    rasa_simulator.requests.clear()
    return rasa_simulator
