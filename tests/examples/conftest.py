"""What the conversations with an example share: PS7's simulator, and settings that reach it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest_asyncio
from cryptography.fernet import Fernet

from actions.ps7.dialogue import runtime
from actions.ps7.testing import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    """Stand in for PS7."""
    async with Simulator() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ps7(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    """Give the simulator with no request on its record, and this process what reaches it."""
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    keys = json.dumps([Fernet.generate_key().decode()])
    for name, value in {**simulator.environment, "PS7_SEAL_KEYS": keys}.items():
        monkeypatch.setenv(name, value)
    simulator.requests.clear()
    yield simulator
    for shared in runtime._runtimes:
        await shared.client.close()
