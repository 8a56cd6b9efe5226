"""API Fabric tokens on the way of a lookup.

How one is fetched and shared, and who is denied, is tested in plain values (tests/unit).
"""

from __future__ import annotations

import asyncio

import pytest

from actions.ps7 import PS7Client
from actions.ps7.testing import Simulator
from tests.host.loopback import Server
from tests.host.test_client import lines, settings_for
from tests.support.waiting import until

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

KEYS = {"app_key": "planted-app-key", "app_secret": "planted-app-secret"}


async def test_a_token_goes_along_and_is_replaced_once_for_all_who_hold_it(
    said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty lookups meet a 401: one token is fetched, and the log counts each replay."""
    monkeypatch.setattr("actions.ps7.lookup.client.uniform", lambda *_: 60.0)  # it is sent at once
    async with (
        Simulator(app_key=KEYS["app_key"], app_secret=KEYS["app_secret"]) as fabric,
        PS7Client(settings_for(fabric.url, **KEYS)) as client,
    ):
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
    async with Server([]) as silent:
        async with PS7Client(settings_for(silent.url, **KEYS)) as client:
            looking = asyncio.create_task(client.lookup("C1"))
            await until("PS7 is asked", lambda: silent.heard)
            looking.cancel()
            await asyncio.wait([looking])
        assert client._of_this_loop().tokens._fetching is None
