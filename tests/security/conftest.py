"""What the attacks share: servers that stand for all of them, and the account of how they went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from actions.ps7.testing import Simulator
from tests.security.ledger import Ledger
from tests.security.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_LEDGER = pytest.StashKey[Ledger]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Write down what was tried, and what came of it."""
    lines = list(config.stash.get(_LEDGER, Ledger()).lines())
    if lines:
        terminalreporter.section("attacks on the action server")
        terminalreporter.write("\n".join([*lines, ""]))


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """Give the account of this run."""
    return pytestconfig.stash.setdefault(_LEDGER, Ledger())


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
