"""PS7 and a bot that are attacked; and no secret enters a log, whatever is tried."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from actions.ps7 import runtime
from actions.ps7.runtime import Runtime
from actions.ps7.testing import Simulator
from tests.faults.secrets import found
from tests.security.attacking import SECRETS, Bank


@pytest.fixture
async def bank(
    isolated: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Bank]:
    """Yield PS7 and the bot's settings; afterwards no secret and no forged value is in the log."""
    caplog.set_level(logging.DEBUG, "actions")
    made: list[Runtime] = []
    isolated.setattr(runtime, "_runtimes", made)
    async with Simulator() as ps7:
        yield Bank(ps7, isolated)
        for each in made:
            await each.client.close()
    lines = [record.getMessage() for record in caplog.get_records("call")]
    assert lines
    assert found(SECRETS, "\n".join(lines)) == []
