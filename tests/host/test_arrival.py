"""Signed arrival, as it is set up: keys that are read, and the warning where there are none.

Which tokens are good is tested in plain values (`tests/unit/test_arrival.py`), and what becomes of
a conversation by attacks (`tests/security`).
"""

from __future__ import annotations

import json

import pytest

from actions.ps7 import telemetry, verified_context
from actions.ps7.testing import PERSONAS, Simulator, sign_arrival
from tests.support.bots import arrive, converse
from tests.support.clock import Clock, now

# The simulator lives in the session's event loop.
pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings", "clock"),
]

KEY, OLDER = "new-key-" * 4, "old-key-" * 4


@pytest.mark.parametrize("key", [KEY, OLDER])
async def test_a_signed_context_id_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, ps7: Simulator, clock: Clock, key: str
) -> None:
    """PS7 is asked about what the token says alone, and again when the token is long over."""
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY, OLDER]))
    monkeypatch.setenv("PS7_ENCODED", "0")
    bot, token = converse(now=now), sign_arrival(key, "ana", "sender-1")
    await arrive(bot, token, encoded=1)
    for again in (None, token):
        clock.move(3600)
        await arrive(bot, again)
        customer = verified_context(bot.tracker)
        assert customer is not None
        assert customer.account == bot.slots["account"] == PERSONAS["ana"].slots["account"]
    assert [request.json for request in ps7.requests] == [{"contextId": "ana", "encoded": "0"}] * 3


async def test_arrivals_that_no_key_signs_are_said_once_at_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for all the actions of a process, and none where there are keys."""
    telemetry.warn_of_open_arrival.cache_clear()
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY]))
    converse()
    assert "PS7_ARRIVAL_KEYS" not in caplog.text
    monkeypatch.delenv("PS7_ARRIVAL_KEYS")
    converse()
    converse()
    assert caplog.text.count("PS7_ARRIVAL_KEYS is not set") == 1
