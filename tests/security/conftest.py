"""The servers that all attacks share; and no secret enters a log, whatever is tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from actions.ps7.testing import Simulator
from tests.security.servers import Servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    async with Simulator() as ps7:
        servers = Servers(ps7, tmp_path_factory.mktemp("attacked"))
        try:
            await servers.start()
            yield servers
        finally:
            await servers.stop()


@pytest.fixture
def servers(_servers: Servers) -> Iterator[Servers]:
    """Return the servers; afterwards no secret and no forged value stands in a log."""
    yield _servers
    assert _servers.leaks() == []
