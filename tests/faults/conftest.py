"""What the tests of faults share: settings with planted secrets, and a bot whose turns are watched.

PS7's simulator is real and on this machine; waits between attempts are none, so that the number of
requests is no matter of chance.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

import pytest

from actions.ps7 import ActionPS7Context
from actions.ps7.dialogue import runtime
from actions.ps7.testing import Conversation
from tests.faults.secrets import SENDER_ID
from tests.faults.watch import Watch, left_open
from tests.host.conftest import seal_keys
from tests.support.dialogue import LOOK_UP, SLOTS


class Place(Protocol):
    """Where PS7 is: the simulator, or what stands in for it."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which the plugin finds it."""


class Bot(Protocol):
    """Makes a conversation of one user with a bot that talks to this place."""

    def __call__(
        self, ps7: Place, sender_id: str = SENDER_ID, /, **settings: object
    ) -> Conversation: ...


DEADLINE, READ_TIMEOUT, ATTEMPTS = 1.2, 0.3, 3
OWN = "balance"
"""A slot of the bot's own."""

_DOMAIN = {
    "actions": [LOOK_UP],
    "slots": {
        name: {"type": "any", "mappings": [{"type": "custom"}]} for name in (*SLOTS, "u_ag", OWN)
    },
}


@pytest.fixture(scope="session", autouse=True)
def _quick_collections() -> Iterator[None]:
    """Let each test collect its own objects alone, and not those of all modules again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
async def watch(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Watch:
    """Listen in on everything but the warning that a process logs once."""
    runtime._warn_of_open_arrival()
    return Watch(monkeypatch, caplog)


@pytest.fixture
async def bot(
    watch: Watch,  # noqa: ARG001 - it watches from before the first action
    isolated: pytest.MonkeyPatch,
) -> AsyncIterator[Bot]:
    """Yield what makes a bot that talks to a simulator; its connections end with the test."""
    isolated.setattr("actions.ps7.api.policy.uniform", lambda *_: 0.0)
    isolated.setenv("PS7_SEAL_KEYS", seal_keys())
    known = list(runtime._runtimes)

    def make(ps7: Place, sender_id: str = SENDER_ID, /, **settings: object) -> Conversation:
        limits = {"DEADLINE": DEADLINE, "READ_TIMEOUT": READ_TIMEOUT, "ATTEMPTS": ATTEMPTS}
        variables = {f"PS7_{name}": value for name, value in {**limits, **settings}.items()}
        for name, value in {**ps7.environment, **variables}.items():
            isolated.setenv(name, str(value))
        return Conversation(_DOMAIN, [ActionPS7Context], sender_id=sender_id)

    yield make
    for made in [each for each in runtime._runtimes if each not in known]:
        await made.client.close()
        runtime._runtimes.remove(made)
    assert left_open() == []
