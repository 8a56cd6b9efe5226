"""`PS7Client` and the network: what breaks on the way, and what becomes of its connections."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

from actions.ps7 import ConnectionFailed, PS7Client, Reason, UnreadableAnswer
from actions.ps7.api import connections
from actions.ps7.testing import BackgroundSimulator
from tests.host.loopback import RESET, Server, http
from tests.host.test_client import GOOD, failure_of, settings_for

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@asynccontextmanager
async def client_of(url: str, **settings: object) -> AsyncIterator[PS7Client]:
    """Return a client that waits for no byte longer than a moment."""
    timeouts = {"deadline": 5.0, "connect_timeout": 1.0, "read_timeout": 0.2}
    async with PS7Client(settings_for(url, **{**timeouts, **settings})) as client:
        yield client


# What breaks on the way

LOST, SILENT, NOT_HTTP = Reason.CONNECTION_LOST, Reason.READ_TIMEOUT, Reason.NOT_HTTP
BROKEN: dict[str, tuple[list[bytes], Reason]] = {
    "closed before any answer": ([], LOST),
    "closed within the headers": ([HEAD[:40]], LOST),
    "closed within the body": ([HEAD, b'{"code'], LOST),
    "closed between chunks": ([CHUNKED, b"1\r\n{\r\n"], LOST),
    "reset within the headers": ([HEAD[:40], RESET], LOST),
    "reset within the body": ([HEAD, b'{"code', RESET], LOST),
    "silent": ([], SILENT),
    "silent within the body": ([HEAD, b'{"code'], SILENT),
    "bytes of anything": ([bytes(range(256)) + b"\r\n\r\n"], NOT_HTTP),
    "a length that is none": ([b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"], NOT_HTTP),
    "a header without end": ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"], NOT_HTTP),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_on_the_way_comes_out_as_one_of_our_errors(name: str) -> None:
    """Every attempt has a connection of its own; what is no HTTP gets no second one."""
    pieces, reason = BROKEN[name]
    requests = 1 if reason is NOT_HTTP else 2
    async with (
        Server(pieces, stays=reason is SILENT) as server,
        client_of(server.url, attempts=2) as client,
    ):
        failure = await failure_of(client)
        assert type(failure) is (UnreadableAnswer if reason is NOT_HTTP else ConnectionFailed)
        assert (failure.reason, failure.outcome.value) == (reason, "unavailable")
        assert (server.connections, len(server.heard)) == (requests, requests)


async def test_a_chunk_that_is_none_ends_in_time() -> None:
    """The library may wait for its end for ever, deaf to its own timeouts (aiohttp 3.9 to 3.14)."""
    async with (
        Server([CHUNKED, b"zz\r\n"], pause=0.05, stays=False) as server,
        client_of(server.url, deadline=0.4) as client,
    ):
        started = time.monotonic()
        assert (await failure_of(client)).outcome.value == "unavailable"
        assert time.monotonic() - started < 1.5


@pytest.mark.skipif(sys.platform != "linux", reason="other systems queue differently")
async def test_a_connection_that_is_not_accepted_in_time() -> None:
    """A host that does not answer the call at all: here its queue of callers is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listening.getsockname())
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with client_of(url, connect_timeout=0.2) as client:
            failure = await failure_of(client)
        for caller in callers:
            caller.close()
    tells_apart = hasattr(aiohttp, "ConnectionTimeoutError")
    assert failure.reason is (Reason.CONNECT_TIMEOUT if tells_apart else Reason.READ_TIMEOUT)
    assert type(failure) is ConnectionFailed


# What becomes of the connections


async def test_no_more_connections_than_allowed_and_no_cookie_comes_back() -> None:
    """Who finds none free waits. What PS7 sets for one customer does not go with the next one."""
    answer = http(GOOD, "Set-Cookie: session=ana; Path=/", "Set-Cookie: affinity=1")
    async with (
        Server([b"", answer], pause=0.02) as server,
        # A client that keeps cookies keeps none of an address, so this needs a name.
        client_of(f"http://localhost:{server.port}", max_connections=2) as client,
    ):
        await asyncio.gather(*(client.lookup("C1") for _ in range(6)))
        assert (server.connections, len(server.heard)) == (2, 6)
        await client.lookup("C2")
        assert not any(b"cookie" in request.lower() for request in server.heard)


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


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so, for two seconds at most."""
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.01)
    assert true()


async def test_what_is_closed_is_opened_again() -> None:
    """By us, twice or before anything was opened; or by a host that tidies up what it finds.

    `async with` leaves nothing behind, after an error neither.
    """
    async with Server([http(GOOD)]) as server:
        with suppress(ZeroDivisionError):
            async with client_of(server.url) as client:
                await client.close()
                await client.lookup("C1")
                await client.close()
                await client.close()
                await until(lambda: server.open == 0)
                await client.lookup("C1")
                for session in client._transport._sessions.values():
                    await session.close()
                await client.lookup("C1")
                assert server.connections == 3
                raise ZeroDivisionError
        await until(lambda: server.open == 0)


# Event loops and the end of a process. These tests are no coroutines: they play the host.


@pytest.fixture
def no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test that leaves an unclosed session or an error of an event loop in the log."""
    yield
    gc.collect()
    records = [*caplog.get_records("call"), *caplog.get_records("teardown")]
    assert [record.getMessage() for record in records if record.name == "asyncio"] == []


@pytest.fixture
def client(no_complaints: None) -> Iterator[PS7Client]:  # noqa: ARG001 - it ends last
    """Yield a client of a simulator that runs beside the test, in a thread."""
    with BackgroundSimulator() as simulator:
        yield PS7Client(settings_for(simulator.url))


async def look_up(client: PS7Client) -> None:
    """Look Ana up five times at once."""
    known = await asyncio.gather(*(client.lookup("ana") for _ in range(5)))
    assert {customer.agency for customer in known} == {"0341"}


# asyncio cannot close a connection whose loop is closed: the garbage collector does, and says so.
swept_up = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@swept_up
def test_one_client_serves_one_event_loop_after_another(client: PS7Client) -> None:
    """Each has one pool; connections of loops that are gone are closed with the next one."""
    loops = [asyncio.new_event_loop() for _ in range(3)]
    for loop in loops:
        loop.run_until_complete(look_up(client))
    for loop in loops:
        loop.close()
    for _ in range(2):
        asyncio.run(look_up(client))
        assert len(client._transport._sessions) == 1
    client.close_all()
    assert len(client._transport._sessions) == 0


def test_one_client_serves_two_event_loops_at_once(client: PS7Client) -> None:
    """Each has connections of its own, and closing those of one leaves the other alone."""
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    for loop in (first, second, first):
        loop.run_until_complete(look_up(client))
    assert len(client._transport._sessions) == 2
    first.run_until_complete(client.close())
    assert list(client._transport._sessions) == [second]
    for loop in (second, first):
        loop.run_until_complete(look_up(client))
        loop.run_until_complete(client.close())
        loop.close()


@swept_up
@pytest.mark.parametrize("closed", [True, False], ids=["loop closed", "loop not closed"])
def test_a_process_ends_without_a_word_about_open_connections(
    client: PS7Client, closed: bool
) -> None:
    """`close_all()` is called where no event loop runs any more, closed or not."""
    loops = [asyncio.new_event_loop(), asyncio.new_event_loop()]
    for loop in loops:
        loop.run_until_complete(look_up(client))
        if closed:
            loop.close()
    sessions = list(client._transport._sessions.values())
    client.close_all()
    client.close_all()
    assert {session.closed for session in sessions} == {True}
    for loop in loops:
        loop.close()


# What an aiohttp that is not known may do


@pytest.mark.parametrize("gone", ["_factory", "of_another_version"])
async def test_an_aiohttp_that_has_changed_is_sent_nothing_over(
    gone: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection rule rests on names of its own: one ERROR line says which, and what to do."""
    original = aiohttp.TCPConnector.__init__

    def another(connector: aiohttp.TCPConnector, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        original(connector, **options)
        if gone == "_factory":
            del connector._factory

    monkeypatch.setattr(aiohttp.TCPConnector, "__init__", another)
    if gone != "_factory":
        monkeypatch.setattr(connections, "_NEEDED", (*connections._NEEDED, gone))
    async with Server([http(GOOD)]) as server, client_of(server.url) as client:
        failure = await failure_of(client)
        assert (failure.reason, server.connections) == (Reason.INTERNAL, 0)
    ((level, text),) = [(record.levelname, record.getMessage()) for record in caplog.records]
    said = f"aiohttp {aiohttp.__version__} lacks what keeps one customer's answer from the next "
    assert (level, text.startswith(f"{said}({gone}), so")) == ("ERROR", True)
