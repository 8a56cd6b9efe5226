"""How often PS7 is asked and when, as PS7 sees it; and when it is not asked at all."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

import pytest

from actions.ps7 import ContextRejected, LookupFailed, PS7Client, Reason
from actions.ps7.testing import Simulator
from tests.host.loopback import RESET, Scripted, http
from tests.host.test_client import GOOD, failure_of, lines, settings_for
from tests.support.clock import Clock
from tests.support.processes import free_port
from tests.support.simulator_client import own_simulator

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

ANSWERED = [http(GOOD, "Connection: close")]


ps7 = pytest.fixture(own_simulator)


def warnings(said: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in said.records if r.levelno >= logging.WARNING]


def client_of(url: str, **settings: Any) -> PS7Client:  # noqa: ANN401 - any setting
    """Return a client that waits for no byte longer than a moment."""
    return PS7Client(settings_for(url, **{"deadline": 5.0, "read_timeout": 0.2, **settings}))


# Which failures are repeated

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n"


async def test_each_attempt_is_judged_by_itself(said: pytest.LogCaptureFixture) -> None:
    """Failures of different kinds cost as many more requests, and the same request each time."""
    script = [[RESET], [http(status="502 Bad Gateway")], ANSWERED]
    async with Scripted([], stays=False, script=script) as server, client_of(server.url) as client:
        assert (await client.lookup("C1")).agency == "0341"
        assert len(server.heard) == 3
        assert len(set(server.heard)) == 1
    assert lines(said) == [("ok", "ok", "200", "3")]
    assert warnings(said) == []


async def test_a_lasting_failure_after_a_retryable_one_ends_the_lookup() -> None:
    """There is no third request."""
    script = [[RESET], [http(status="500 Internal Server Error")]]
    async with Scripted([], stays=False, script=script) as server, client_of(server.url) as client:
        assert type(await failure_of(client)) is ContextRejected
        assert len(server.heard) == 2


async def test_a_server_that_comes_up_meanwhile_is_found(
    monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    """A restart of PS7 that is shorter than a wait is not seen by a customer."""
    monkeypatch.setattr("actions.ps7.api.policy.uniform", lambda *_: 0.3)
    ps7 = Simulator(port=free_port())
    async with client_of(ps7.url) as client:
        looking = asyncio.create_task(client.lookup("ana"))
        await asyncio.sleep(0.1)
        async with ps7:
            assert (await looking).agency == "0341"
            assert len(ps7.requests) == 1
    assert lines(said) == [("ok", "ok", "200", "2")]


@pytest.mark.parametrize("asked", [None, 0.0])
async def test_a_pause_by_chance_doubles_up_to_a_second(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch, asked: float | None
) -> None:
    """Full jitter: any moment from none to a limit; there is none where the server asks for it."""
    limits: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        limits.append((low, round(high, 3)))
        return 0.0

    monkeypatch.setattr("actions.ps7.api.policy.uniform", uniform)
    ps7.answer("C1", status=503, headers={} if asked is None else {"Retry-After": "0"})
    async with client_of(ps7.url, attempts=7) as client:
        await failure_of(client)
    every = [(0, 0.1), (0, 0.2), (0, 0.4), (0, 0.8), (0, 1.0), (0, 1.0)]
    assert limits == (every if asked is None else [])
    assert len(ps7.requests) == 7


# Retry-After


async def waited(header: str) -> float:
    """Look up at a server that fails once with this header; return the seconds between."""
    script = [[http(b"", header, "Connection: close", status="503 Unavailable")], ANSWERED]
    async with Scripted([], stays=False, script=script) as server, client_of(server.url) as client:
        started = time.monotonic()
        assert (await client.lookup("C1")).agency == "0341"
        assert len(server.heard) == 2
        return time.monotonic() - started


@pytest.mark.parametrize(("asked", "least"), [("1", 1.0), ("Tue, 24 Nov 2026 12:00:01 GMT", 0.6)])
async def test_what_a_server_asks_for_is_waited(
    monkeypatch: pytest.MonkeyPatch, asked: str, least: float
) -> None:
    """Longer than chance alone would ever have it; a date counts from when its answer came."""
    clock = Clock(monkeypatch)
    clock.now = datetime(2026, 11, 24, 12, 0, 0, 400_000, tzinfo=timezone.utc)
    assert least <= await waited(f"Retry-After: {asked}") < least + 2.0


@pytest.mark.parametrize("asked", ["5", "9" * 400, "Fri, 31 Dec 2100 00:00:00 GMT", None])
async def test_a_wait_beyond_the_deadline_ends_the_lookup_at_once(
    ps7: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    said: pytest.LogCaptureFixture,
    asked: str | None,
) -> None:
    """No attempt is waited for that would not be made, by PS7's word or by chance."""
    monkeypatch.setattr("actions.ps7.api.policy.uniform", lambda *_: 5.0)
    ps7.answer("C1", status=503, headers={"Retry-After": asked} if asked else {})
    async with client_of(ps7.url) as client:
        started = time.monotonic()
        failure = await failure_of(client)
        assert time.monotonic() - started < 2.0
    assert (failure.status, len(ps7.requests)) == (503, 1)
    assert [line[2:] for line in lines(said)] == [("503", "1")]


# One deadline


@pytest.mark.parametrize("script", [[], [HEAD, b"{"]], ids=["silent", "silent in the body"])
async def test_all_attempts_share_one_deadline(script: list[bytes]) -> None:
    """Ten of them would take two seconds."""
    async with (
        Scripted([], pause=0.02, script=[script]) as server,
        client_of(server.url, attempts=10, deadline=0.7) as client,
    ):
        started = time.monotonic()
        failure = await failure_of(client)
        assert time.monotonic() - started < 1.2
        assert 2 <= len(server.heard) <= 4
    assert failure.reason in (Reason.DEADLINE, Reason.READ_TIMEOUT)


async def test_a_lookup_that_is_cancelled_while_it_waits_is_over(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    """No further attempt is made for a turn that was cancelled."""
    monkeypatch.setattr("actions.ps7.api.policy.uniform", lambda *_: 0.3)
    ps7.answer("C1", status=503)
    async with client_of(ps7.url) as client:
        looking = asyncio.create_task(client.lookup("C1"))
        await asyncio.sleep(0.15)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        await asyncio.sleep(0.4)
    assert len(ps7.requests) == 1
    assert lines(said) == [("unavailable", "cancelled", "-", "1")]


async def test_a_neighbour_who_waits_for_another_attempt_holds_no_connection(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only connection is free meanwhile."""
    monkeypatch.setattr("actions.ps7.api.policy.uniform", lambda *_: 0.5)
    ps7.answer("C1", status=503)
    async with client_of(ps7.url, max_connections=1, attempts=2) as client:
        waiting = asyncio.create_task(failure_of(client, "C1"))
        await asyncio.sleep(0.1)
        assert (await client.lookup("ana")).agency == "0341"
        assert not waiting.done()
        await waiting


# What the attempts have in common


def flow_ids(ps7: Simulator) -> list[str]:
    return [request.headers["x-itau-flowID"] for request in ps7.requests]


async def test_the_attempts_of_a_lookup_have_one_flow_id(ps7: Simulator) -> None:
    """It names the lookup: an audit sees that they belong together."""
    ps7.answer("C1", status=503, headers={"Retry-After": "0"})
    async with client_of(ps7.url) as client:
        await failure_of(client)
        await client.lookup("ana")
        with pytest.raises(LookupFailed):
            await client.lookup("C1", flow_id="flow-1", correlation_id="trail-1")
    first, second, given = flow_ids(ps7)[0], *flow_ids(ps7)[3:5]
    assert flow_ids(ps7) == [first] * 3 + [second] + ["flow-1"] * 3
    assert first != second
    assert UUID(first).version == UUID(second).version == 4
    assert given == "flow-1"
    trails = [request.headers.get("x-itau-correlationID") for request in ps7.requests]
    assert trails == [None] * 4 + ["trail-1"] * 3
