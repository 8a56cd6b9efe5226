"""`PS7Client` and the network: what breaks on the way, and what becomes of its connections."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import Mock

import aiohttp
import pytest

from actions.ps7 import PS7Client, Reason
from actions.ps7.testing import BackgroundSimulator
from tests.host.loopback import Server, http
from tests.host.test_client import GOOD, failure_of, settings_for
from tests.support.waiting import until

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]


@asynccontextmanager
async def client_of(url: str, **settings: object) -> AsyncIterator[PS7Client]:
    """Return a client that waits for no byte longer than a moment."""
    timeouts = {"deadline": 5.0, "connect_timeout": 1.0, "read_timeout": 0.5}
    async with PS7Client(settings_for(url, **{**timeouts, **settings})) as client:
        yield client


# What breaks on the way: what the faults of the simulator (`tests/faults`) have not


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems queue differently")
async def test_a_connection_that_is_not_accepted_in_time_is_a_connect_timeout() -> None:
    """A host that does not answer the call at all: here its queue of callers is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listening.getsockname())
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with client_of(url, connect_timeout=0.2, read_timeout=100) as client:
            failure = await failure_of(client)
        for caller in callers:
            caller.close()
    tells_apart = hasattr(aiohttp, "ConnectionTimeoutError")
    assert failure.reason is (Reason.CONNECT_TIMEOUT if tells_apart else Reason.READ_TIMEOUT)


async def test_an_answer_that_does_not_go_on_in_time() -> None:
    """`PS7_READ_TIMEOUT`, here long before the deadline."""
    limits = {"deadline": 2.0, "connect_timeout": 100, "attempts": 1}
    async with Server([http(GOOD)[:-1]]) as server, client_of(server.url, **limits) as client:
        assert (await failure_of(client)).reason is Reason.READ_TIMEOUT


# What becomes of the connections


async def test_an_address_is_kept_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """PS7 may move to another: not each lookup asks DNS, and none goes by what is older."""
    counts = []
    resolve = Mock(wraps=socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with (
        Server([http(GOOD)]) as server,
        client_of(f"http://localhost:{server.port}") as client,
    ):
        for now in (1000, 1059, 1061):
            monkeypatch.setattr("aiohttp.connector.monotonic", lambda now=now: now)
            await client.lookup("C1")
            counts.append([call.args[0] for call in resolve.mock_calls].count("localhost"))
    assert counts == [1, 1, 2]


async def test_each_request_has_a_connection_of_its_own_and_no_cookie_comes_back() -> None:
    """What PS7 sets for one customer does not go with the next."""
    answer = http(GOOD, "Set-Cookie: session=ana; Path=/", "Set-Cookie: affinity=1")
    async with (
        Server([answer]) as server,
        # A client that keeps cookies keeps none of an address, so this needs a name.
        client_of(f"http://localhost:{server.port}") as client,
    ):
        for _ in range(2):
            await client.lookup("C1")
        assert (server.connections, len(server.heard)) == (2, 2)
        assert not any(b"cookie" in request.lower() for request in server.heard)
        assert all(b"connection: close" in request.lower() for request in server.heard)
        await until("no connection is open", lambda: server.open == 0)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials go where the settings say, whatever the machine is set up for."""
    async with Server([http(GOOD)]) as proxy, Server([http(GOOD)]) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with client_of(server.url) as client:
            await client.lookup("C1")
        assert (proxy.connections, server.connections) == (0, 1)


def session_of(
    client: PS7Client, loop: asyncio.AbstractEventLoop | None = None
) -> aiohttp.ClientSession:
    session = client._loops[loop or asyncio.get_running_loop()].http._session
    assert session is not None
    return session


async def test_what_is_closed_is_opened_again() -> None:
    """By us, twice or before anything was opened; or by a host that tidies up what it finds."""
    async with Server([http(GOOD)]) as server:
        async with client_of(server.url) as client:
            for _ in range(2):
                await client.close()
                await client.close()
                await client.lookup("C1")
            await session_of(client).close()
            await client.lookup("C1")
            assert server.connections == 3
        assert client._loops == {}


# Event loops and the end of a process. This test is no coroutine: it plays the host.


# asyncio cannot close a connection whose loop is closed: the garbage collector does, and says so.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_one_client_serves_several_event_loops(caplog: pytest.LogCaptureFixture) -> None:
    """Each has connections of its own, and closing those of one leaves the others alone.

    Those of loops that are closed are forgotten with the next one. `close_all()` is called if no
    event loop runs any more, closed or not: without a word.
    """
    first, second, third = (asyncio.new_event_loop() for _ in range(3))
    with BackgroundSimulator() as simulator:
        client = PS7Client(settings_for(simulator.url))
        loops = client._loops
        for loop in (first, second, third, first):
            loop.run_until_complete(client.lookup("ana"))
        first.run_until_complete(client.close())
        assert list(loops) == [second, third]
        second.close()
        first.run_until_complete(client.lookup("ana"))
        assert list(loops) == [third, first]
        third.close()
        sessions = [session_of(client, loop) for loop in loops]
        for _ in range(2):
            client.close_all()
        assert [session.closed for session in sessions] == [True, True]
        first.close()
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []
