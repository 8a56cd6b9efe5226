"""Signed arrival and `PS7_MAX_CONTEXTS`: what a refusal means for slots, requests and the log.

Which tokens are good is tested in plain values (`tests/unit/test_arrival.py`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from actions.ps7 import verified_context
from actions.ps7.dialogue import runtime
from actions.ps7.testing import PERSONAS, Conversation, sign_arrival
from tests.support.bots import arrive, converse
from tests.support.clock import Clock, now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actions.ps7.testing import Simulator

# The simulator lives in the session's event loop.
pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings", "clock"),
]

KEY, OLDER = "new-key-" * 4, "old-key-" * 4
SENDER = "sender-1"
ANA = PERSONAS["ana"].slots["account"]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Conversation:
    """Return a conversation whose contextIds must come in a token."""
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY, OLDER]))
    monkeypatch.setenv("PS7_ENCODED", "0")
    return converse(now=now)


async def status_after(bot: Conversation, value: object = None, **beside: object) -> str:
    """Send a message with this under the key; return the status, with which the seal agrees."""
    await arrive(bot, value, **beside)
    customer = verified_context(bot.tracker)
    status: str = bot.slots["ps7_status"]
    assert (status == "ok") == (customer is not None)
    assert bot.slots["account"] == (customer.account if customer else None)
    return status


# -- signed arrival -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY, OLDER])
async def test_a_signed_context_id_is_looked_up(
    guarded: Conversation, ps7: Simulator, clock: Clock, key: str
) -> None:
    """PS7 is asked about what the token says alone, and again when the token is long over."""
    token = sign_arrival(key, "ana", SENDER)
    assert await status_after(guarded, token, encoded=1) == "ok"
    assert guarded.slots["account"] == ANA
    clock.move(2 * 3600)
    for again in (None, token):
        assert await status_after(guarded, again) == "ok"
    assert [request.json for request in ps7.requests] == [{"contextId": "ana", "encoded": "0"}] * 2


async def test_arrivals_that_no_key_signs_are_said_once_at_start(
    fresh_warnings: None,  # noqa: ARG001 - before
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One warning for all the actions of a process, and none where there are keys."""
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY]))
    converse()
    assert "PS7_ARRIVAL_KEYS" not in caplog.text
    monkeypatch.delenv("PS7_ARRIVAL_KEYS")
    converse()
    converse()
    assert caplog.text.count("PS7_ARRIVAL_KEYS is not set") == 1


@pytest.fixture
def fresh_warnings() -> Iterator[None]:
    """Let this process warn of unsigned arrivals as if it had just started."""
    runtime._warn_of_open_arrival.cache_clear()
    yield
    runtime._warn_of_open_arrival.cache_clear()


# -- how many -------------------------------------------------------------------------------------
