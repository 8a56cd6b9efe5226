"""API Fabric tokens on the way of a lookup: they go along, are replaced once, and never hammered.

How one is fetched and shared is tested in plain values (`tests/unit/test_tokens.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.ps7 import PS7Client
from actions.ps7.testing import Simulator
from tests.host.loopback import Server
from tests.host.test_client import lines, settings_for

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

KEYS = {"app_key": "planted-app-key", "app_secret": "planted-app-secret"}


@pytest.fixture
async def fabric() -> AsyncIterator[Simulator]:
    """Return a gateway that wants tokens."""
    async with Simulator(app_key=KEYS["app_key"], app_secret=KEYS["app_secret"]) as running:
        yield running


def client_of(url: str, **settings: Any) -> PS7Client:  # noqa: ANN401 - any setting
    """Return a client with a key and a secret."""
    return PS7Client(settings_for(url, **{"deadline": 5.0, **KEYS, **settings}))


async def test_a_token_goes_along_and_is_replaced_once_for_all_who_hold_it(
    fabric: Simulator, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty lookups meet a 401: one token is fetched, and the log counts each replay."""
    monkeypatch.setattr("actions.ps7.lookup.client.uniform", lambda *_: 60.0)  # it is sent at once
    async with client_of(fabric.url) as client:
        await client.lookup("ana")
        (bearer,) = [request.headers["Authorization"] for request in fabric.requests]
        assert bearer.removeprefix("Bearer ") in fabric.tokens
        fabric.revoke_tokens()
        known = await asyncio.gather(*(client.lookup("ana") for _ in range(20)))
        assert {customer.agency for customer in known} == {"0341"}
    assert len(fabric.token_requests) == 2
    assert [request.status for request in fabric.requests].count(401) == 20
    assert lines(said)[1:] == [("ok", "ok", "200", "2")] * 20


async def test_a_client_that_is_closed_leaves_no_fetch_behind() -> None:
    """Not even one for which no lookup waits any more."""
    async with Server([b"", b""], pause=100) as silent:
        async with client_of(silent.url, read_timeout=100) as client:
            looking = asyncio.create_task(client.lookup("C1"))
            while not silent.heard:  # noqa: ASYNC110 - a server has no event of it
                await asyncio.sleep(0.01)
            looking.cancel()
            await asyncio.wait([looking])
        assert client._tokens._fetches == {}
