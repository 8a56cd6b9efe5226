"""API Fabric tokens on the way of a lookup: they go along, are replaced once, and never hammered.

How one is fetched and shared is tested in plain values (`tests/unit/test_tokens.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.ps7 import PS7Client, Reason
from actions.ps7.testing import Simulator
from tests.host.loopback import Server
from tests.host.test_client import failure_of, lines, settings_for
from tests.host.test_one_context_id import until

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


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_second_401_is_the_end(fabric: Simulator, attempts: int) -> None:
    """The user name may be what is refused: no loop. The token is new: no replay.

    A probe with that token is answered, so nobody else is kept out.
    """
    fabric.answer("C1", status=401)
    async with client_of(fabric.url, attempts=attempts) as client:
        failure = await failure_of(client)
        assert (failure.reason, failure.status) == (Reason.UNAUTHORIZED, 401)
        assert (len(fabric.token_requests), len(fabric.requests)) == (1, 2)
        assert (await client.lookup("ana")).agency == "0341"
        assert len(fabric.token_requests) == 1


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_gateway_that_restarts_denies_nobody(
    fabric: Simulator, said: pytest.LogCaptureFixture, attempts: int
) -> None:
    """It has forgotten its tokens: while the circuit is closed, after failures, and open.

    One request more, and no probe for it; the circuit is closed by the first probe after.
    """
    limits = {"breaker_reset": 1.0, "read_timeout": 0.2, "deadline": 1.0}
    async with client_of(fabric.url, attempts=attempts, breaker_failures=3, **limits) as client:
        await client.lookup("ana")
        for _ in range(2):
            fabric.revoke_tokens()
            await client.lookup("ana")
            for _ in range(2):
                await failure_of(client, "http-503")
        fabric.revoke_tokens()
        assert (await client.lookup("ana")).agency == "0341"
        await fabric.stop()
        for _ in range(3):
            await failure_of(client)
        await until(client, "circuit_open")
        await fabric.start()
        fabric.revoke_tokens()
        assert (await failure_of(client)).reason is Reason.CIRCUIT_OPEN
        await until(client, "ok")
        assert (await client.lookup("ana")).agency == "0341"
    assert "denied" not in said.text


@pytest.mark.parametrize("wrong", ["username", "app_secret"])
async def test_refused_credentials_are_not_hammered(fabric: Simulator, wrong: str) -> None:
    """One lookup and one probe: a technical user may be locked after three refusals."""
    setattr(fabric, wrong, "another")
    async with client_of(fabric.url) as client:
        ends = [await failure_of(client) for _ in range(5)]
    assert [end.outcome.value for end in ends] == ["denied"] * 5
    assert [end.reason for end in ends[1:]] == [Reason.CIRCUIT_OPEN] * 4
    refused = fabric.requests if wrong == "username" else fabric.token_requests
    assert len(refused) == 2


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
