"""What the tests of faults share: settings with planted secrets, and a bot whose turns are watched.

PS7's simulator is real and on this machine; waits between attempts are none, so that the number of
requests is no matter of chance.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from actions.ps7 import ActionPS7Context, runtime, telemetry
from actions.ps7.runtime import Runtime
from tests.faults.secrets import CONTEXT_ID, SENDER_ID
from tests.faults.watch import Watch, left_open
from tests.host.conftest import seal_keys
from tests.support.bots import PluginConversation, domain_of
from tests.support.dialogue import LOOK_UP, SLOTS

ATTEMPTS = 3
PATIENT = 50
"""Seconds of a limit that a turn does not meet, however busy the machine is."""
OWN = "balance"
"""A slot of the bot's own."""
OF_A_CUSTOMER = (*SLOTS[2:], "u_ag")
Turn = Callable[..., Awaitable[dict[str, Any]]]
"""Lets a user arrive whose slots have stale values: `turn(environment, metadata, DEADLINE=…)`.
Returns the slots afterwards."""
_DOMAIN = domain_of([LOOK_UP], (*SLOTS[:2], *OF_A_CUSTOMER, OWN))


@pytest.fixture
async def watch(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Watch:
    """Listen in on everything but the warning that a process logs once."""
    telemetry.warn_of_open_arrival()
    return Watch(monkeypatch, caplog)


@pytest.fixture
async def turn(watch: Watch, isolated: pytest.MonkeyPatch) -> AsyncIterator[Turn]:
    """Yield what lets a user arrive at a bot; its connections end with the test."""
    isolated.setattr("actions.ps7.lookup.client.uniform", lambda *_: 0.0)
    isolated.setenv("PS7_SEAL_KEYS", seal_keys())
    made: list[Runtime] = []
    isolated.setattr(runtime, "_runtimes", made)

    async def arrive(
        environment: dict[str, str], metadata: object = None, /, **settings: object
    ) -> dict[str, Any]:
        limits = dict.fromkeys(("DEADLINE", "CONNECT_TIMEOUT", "READ_TIMEOUT"), PATIENT)
        for name, value in {**limits, "ATTEMPTS": ATTEMPTS, **settings}.items():
            isolated.setenv(f"PS7_{name}", str(value))
        for name, value in environment.items():
            isolated.setenv(name, value)
        bot = PluginConversation(_DOMAIN, [ActionPS7Context], sender_id=SENDER_ID)
        sent: Any = metadata or {"contextId": CONTEXT_ID}
        await bot.user("oi", metadata=sent)
        await bot.set_slots(**dict.fromkeys((*OF_A_CUSTOMER, OWN), "stale"))
        began = time.monotonic()
        await bot.run(LOOK_UP)
        watch.seconds = time.monotonic() - began
        return bot.slots

    yield arrive
    for each in made:
        await each.client.close()
    assert left_open() == []
