"""What the attacks share: servers that stand for all of them, and that no secret enters a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from actions.ps7.testing import Simulator
from tests.security.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with Simulator() as ps7:
        world = World(ps7, tmp_path_factory.mktemp("attacked"))
        try:
            await world.begin()
            yield world
        finally:
            await world.end()
        complaints = [server.process.complaints for server in world.servers.values()]
        assert not any(complaints), complaints


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    """Give the servers; whatever is done to them, no secret and no forged value enters a log."""
    yield _world
    assert _world.leaks() == []
