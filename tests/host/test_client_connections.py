"""`PS7Client` and the network: what breaks on the way, and what becomes of its connections."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading
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
    "closed within the status line": ([b"HTTP/1."], LOST),
    "closed within the headers": ([HEAD[:40]], LOST),
    "closed before the body": ([HEAD], LOST),
    "closed within the body": ([HEAD, b'{"code'], LOST),
    "closed within a chunk": ([CHUNKED, b"40\r\n{"], LOST),
    "closed between chunks": ([CHUNKED, b"1\r\n{\r\n"], LOST),
    "reset within the headers": ([HEAD[:40], RESET], LOST),
    "reset within the body": ([HEAD, b'{"code', RESET], LOST),
    "silent": ([], SILENT),
    "silent after the headers": ([HEAD], SILENT),
    "silent within the body": ([HEAD, b'{"code'], SILENT),
    "another protocol": ([b"220 mail.example ESMTP\r\n\r\n"], NOT_HTTP),
    "bytes of anything": ([bytes(range(256)) + b"\r\n\r\n"], NOT_HTTP),
    "a header that is none": ([b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"], NOT_HTTP),
    "a length that is none": ([b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"], NOT_HTTP),
    "a header without end": ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"], NOT_HTTP),
}


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_on_the_way_comes_out_as_one_of_our_errors(
    name: str, attempts: int
) -> None:
    """Every attempt has a connection of its own; what is no HTTP gets no second one."""
    pieces, reason = BROKEN[name]
    requests = 1 if reason is NOT_HTTP else attempts
    async with (
        Server(pieces, stays=reason is SILENT) as server,
        client_of(server.url, attempts=attempts) as client,
    ):
        failure = await failure_of(client)
        assert type(failure) is (UnreadableAnswer if reason is NOT_HTTP else ConnectionFailed)
        assert (failure.reason, failure.outcome.value) == (reason, "unavailable")
        assert (server.connections, len(server.heard)) == (requests, requests)


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["at once", "after a while"])
async def test_a_chunk_that_is_none_ends_in_time(pause: float) -> None:
    """The library may wait for its end for ever, deaf to its own timeouts (aiohttp 3.9 to 3.14)."""
    async with (
        Server([CHUNKED, b"zz\r\n"], pause=pause, stays=False) as server,
        client_of(server.url, deadline=0.4) as client,
    ):
        started = time.monotonic()
        failure = await failure_of(client)
        assert time.monotonic() - started < 1.5
    assert failure.outcome.value == "unavailable"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems queue differently")
async def test_a_connection_that_is_not_accepted_in_time() -> None:
    """A host that does not answer the call at all: here its queue of callers is full."""
    loop = asyncio.get_running_loop()
    busy = await loop.run_in_executor(None, _full_house)
    try:
        port = busy[0].getsockname()[1]
        async with client_of(f"http://127.0.0.1:{port}", connect_timeout=0.2) as client:
            failure = await failure_of(client)
    finally:
        for one in busy:
            one.close()
    tells_apart = hasattr(aiohttp, "ConnectionTimeoutError")
    assert failure.reason is (Reason.CONNECT_TIMEOUT if tells_apart else Reason.READ_TIMEOUT)
    assert type(failure) is ConnectionFailed


def _full_house() -> list[socket.socket]:
    """Listen on a port whose queue is full, since no call is ever accepted."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    callers = [socket.socket() for _ in range(4)]
    for caller in callers:
        caller.setblocking(False)
        caller.connect_ex(listening.getsockname())
    return [listening, *callers]


# What becomes of the connections


async def test_no_more_connections_than_allowed() -> None:
    """`PS7_MAX_CONNECTIONS`: who finds none free waits for one."""
    async with (
        Server([b"", http(GOOD)], pause=0.02) as server,
        client_of(server.url, max_connections=2) as client,
    ):
        await asyncio.gather(*(client.lookup("C1") for _ in range(6)))
        assert (server.connections, len(server.heard)) == (2, 6)


async def test_cookies_never_come_back() -> None:
    """What PS7 sets with one customer's answer must not go along with the next one's request."""
    answer = http(GOOD, "Set-Cookie: session=ana; Path=/", "Set-Cookie: affinity=1")
    async with Server([answer]) as server, client_of(server.url) as client:
        await client.lookup("C1")
        await client.lookup("C2")
        assert len(server.heard) == 2
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


async def test_close_closes_and_the_next_lookup_opens_again() -> None:
    """Closing twice, or before anything was opened, does no harm."""
    async with Server([http(GOOD)]) as server, client_of(server.url) as client:
        await client.close()
        await client.lookup("C1")
        await client.close()
        await client.close()
        await until(lambda: server.open == 0)
        await client.lookup("C1")
        assert (server.connections, server.open) == (2, 1)


async def test_a_session_that_was_closed_elsewhere_is_opened_again() -> None:
    """As a host does that tidies up whatever it finds when it reloads."""
    async with Server([http(GOOD)]) as server, client_of(server.url) as client:
        await client.lookup("C1")
        for session in client._transport._sessions.values():
            await session.close()
        assert (await client.lookup("C1")).agency == "0341"
        assert server.connections == 2


async def test_leaving_the_context_closes() -> None:
    """`async with PS7Client(…)` leaves nothing behind, after an error neither."""
    async with Server([http(GOOD)]) as server:
        with suppress(ZeroDivisionError):
            async with PS7Client(settings_for(server.url)) as client:
                await client.lookup("C1")
                raise ZeroDivisionError
        await until(lambda: server.open == 0)


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so, for two seconds at most."""
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.01)
    assert true()


# Event loops and the end of a process. These tests are no coroutines: they play the host.


@pytest.fixture
def no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test that leaves an unclosed session or an error of an event loop in the log."""
    yield
    gc.collect()
    records = [*caplog.get_records("call"), *caplog.get_records("teardown")]
    assert [record.getMessage() for record in records if record.name == "asyncio"] == []


@pytest.fixture
def ps7() -> Iterator[BackgroundSimulator]:
    """Yield a simulator that runs beside the test, in a thread."""
    with BackgroundSimulator() as simulator:
        yield simulator


async def look_up(client: PS7Client) -> str | None:
    """Look Ana up and give her agency."""
    return (await client.lookup("ana")).agency


# asyncio cannot close a connection whose loop is closed: the garbage collector does, and says so.
swept_up = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@swept_up
@pytest.mark.usefixtures("no_complaints")
def test_one_client_serves_one_event_loop_after_another(ps7: BackgroundSimulator) -> None:
    """Connections belong to a loop: those of a loop that is gone are closed with the next one."""
    client = PS7Client(settings_for(ps7.url))
    for _ in range(3):
        assert asyncio.run(look_up(client)) == "0341"
        assert len(client._transport._sessions) == 1
    client.close_all()
    assert len(client._transport._sessions) == 0


@pytest.mark.usefixtures("no_complaints")
def test_one_client_serves_two_event_loops_at_once(ps7: BackgroundSimulator) -> None:
    """Each has connections of its own, and closing those of one leaves the other alone."""
    client = PS7Client(settings_for(ps7.url))
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    for loop in (first, second, first):
        assert loop.run_until_complete(look_up(client)) == "0341"
    assert len(client._transport._sessions) == 2
    first.run_until_complete(client.close())
    assert list(client._transport._sessions) == [second]
    for loop in (second, first):
        assert loop.run_until_complete(look_up(client)) == "0341"
        loop.run_until_complete(client.close())
        loop.close()


@swept_up
@pytest.mark.usefixtures("no_complaints")
def test_lookups_at_once_in_a_new_loop_share_one_pool(ps7: BackgroundSimulator) -> None:
    """From the start, however many loops are gone and have left something to sweep up."""
    client = PS7Client(settings_for(ps7.url))

    async def look_up_at_once() -> list[str | None]:
        return await asyncio.gather(*(look_up(client) for _ in range(5)))

    loops = [asyncio.new_event_loop() for _ in range(3)]
    for loop in loops:
        assert loop.run_until_complete(look_up_at_once()) == ["0341"] * 5
    for loop in loops:
        loop.close()
    assert asyncio.run(look_up_at_once()) == ["0341"] * 5
    assert len(client._transport._sessions) == 1
    client.close_all()


@swept_up
@pytest.mark.usefixtures("no_complaints")
@pytest.mark.parametrize("closed", [True, False], ids=["loop closed", "loop not closed"])
def test_a_process_ends_without_a_word_about_open_connections(
    ps7: BackgroundSimulator, closed: bool
) -> None:
    """`close_all()` is called where no event loop runs any more, closed or not."""
    client = PS7Client(settings_for(ps7.url))
    loops = [asyncio.new_event_loop(), asyncio.new_event_loop()]
    for loop in loops:
        loop.run_until_complete(look_up(client))
        if closed:
            loop.close()
    sessions = list(client._transport._sessions.values())
    client.close_all()
    client.close_all()
    assert [session.closed for session in sessions] == [True] * len(sessions)
    assert len(client._transport._sessions) == 0
    for loop in loops:
        loop.close()


def test_a_loop_that_runs_elsewhere_is_left_alone(ps7: BackgroundSimulator) -> None:
    """A thread that still serves turns keeps its connections; the process ends with them."""
    client, loop = PS7Client(settings_for(ps7.url)), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert asyncio.run_coroutine_threadsafe(look_up(client), loop).result(5) == "0341"
    (session,) = client._transport._sessions.values()
    client.close_all()
    assert not session.closed
    asyncio.run_coroutine_threadsafe(session.close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
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
    said = f"aiohttp {aiohttp.__version__} lacks what keeps one customer's answer from the next "
    assert [text.startswith(f"{said}({gone}), so") for text in caplog.messages] == [True]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_what_is_unexpected_in_the_transport_is_one_error_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its class and place, and nothing that it quotes."""

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(connections.Connector, "connect", broken)
    async with client_of("http://127.0.0.1:9") as client:
        assert (await failure_of(client)).reason is Reason.INTERNAL
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("ZeroDivisionError at test_client_connections.py:")
