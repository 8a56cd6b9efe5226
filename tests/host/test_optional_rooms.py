"""`cli/` and `testing/` are optional: a copy of the plugin without them serves its customers.

An action server imports every module below `actions/`, so whatever a remaining module needs has to
be there at its start.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from actions.ps7.testing import Simulator
from tests.host.conftest import seal_keys
from tests.support.action_server import ActionServer
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.processes import ROOT

ROOMS = (("cli",), ("testing",), ("cli", "testing"))
COPIES = [(*rooms, *main) for rooms, main in product(ROOMS, ((), ("__main__.py",)))]
"""What each copy is without."""


def copy_without(left_out: Sequence[str], folder: Path) -> Path:
    """Copy the plugin into a bot's folder, leaving out some of it; return the bot's folder."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "actions", folder / "actions", ignore=ignore)
    for name in left_out:
        path = folder / "actions" / "ps7" / name
        (shutil.rmtree if path.is_dir() else Path.unlink)(path)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ps7() -> AsyncIterator[Simulator]:
    """Run the simulator of the whole plugin."""
    async with Simulator() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def servers(
    ps7: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[Sequence[str], ActionServer]]:
    """Start one for each copy, side by side."""

    async def start(left_out: Sequence[str]) -> ActionServer:
        home = copy_without(left_out, tmp_path_factory.mktemp("bot"))
        variables: dict[str, Any] = {**ps7.environment, "PS7_SEAL_KEYS": seal_keys()}
        return await ActionServer.start(
            Path(sys.executable), home / "server.log", cwd=home, PYTHONPATH="", **variables
        )

    started = await asyncio.gather(*map(start, COPIES))
    yield dict(zip(COPIES, started, strict=True))
    await asyncio.gather(*(server.process.kill() for server in started))


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("left_out", COPIES, ids=" ".join)
async def test_a_copy_without_a_room_knows_its_customer(
    servers: dict[Sequence[str], ActionServer], left_out: Sequence[str]
) -> None:
    """The three actions are registered, a customer is looked up, and no line complains."""
    server, user = servers[left_out], Dialogue()
    async with server.connect() as connection:
        assert sorted(await connection.actions()) == sorted((LOOK_UP, VERIFY, FORGET))
        changes = await user.turn(connection.send, metadata={"contextId": "ana"})
    assert (changes["ps7_status"], changes["account"]) == ("ok", "00123456")
    assert server.process.complaints == []
