"""`PS7Client` and the network: what breaks on the way, and what becomes of its connections."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import sys
import threading
import time
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from typing import TYPE_CHECKING

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from actions.ps7 import (
    ConnectionFailed,
    LookupFailed,
    PS7Client,
    Reason,
    UnreadableAnswer,
)
from actions.ps7.testing import Simulator
from tests.host.loopback import Server, http, unused_port
from tests.host.test_client import GOOD, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.versions

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder without a `.env`, and without a variable that a developer has set."""
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@asynccontextmanager
async def client_of(url: str, **settings: object) -> AsyncIterator[PS7Client]:
    """Give a client that waits for no byte longer than a moment."""
    timeouts = {"deadline": 5.0, "connect_timeout": 1.0, "read_timeout": 0.2}
    async with PS7Client(settings_for(url, **{**timeouts, **settings})) as client:
        yield client


async def failure_of(client: PS7Client) -> LookupFailed:
    """Look a contextId up and give the error."""
    with pytest.raises(LookupFailed) as caught:
        await client.lookup("C1")
    return caught.value


# What breaks on the way

BROKEN = {
    "closed before any answer": ([], False, ConnectionFailed, Reason.CONNECTION_LOST),
    "closed within the status line": (
        [b"HTTP/1."],
        False,
        ConnectionFailed,
        Reason.CONNECTION_LOST,
    ),
    "closed within the headers": ([HEAD[:40]], False, ConnectionFailed, Reason.CONNECTION_LOST),
    "closed before the body": ([HEAD], False, ConnectionFailed, Reason.CONNECTION_LOST),
    "closed within the body": ([HEAD, b'{"code'], False, ConnectionFailed, Reason.CONNECTION_LOST),
    "closed within a chunk": (
        [CHUNKED, b"40\r\n{"],
        False,
        ConnectionFailed,
        Reason.CONNECTION_LOST,
    ),
    "closed between chunks": (
        [CHUNKED, b"1\r\n{\r\n"],
        False,
        ConnectionFailed,
        Reason.CONNECTION_LOST,
    ),
    "silent": ([], True, ConnectionFailed, Reason.READ_TIMEOUT),
    "silent after the headers": ([HEAD], True, ConnectionFailed, Reason.READ_TIMEOUT),
    "silent within the body": ([HEAD, b'{"code'], True, ConnectionFailed, Reason.READ_TIMEOUT),
    "another protocol": (
        [b"220 mail.example ESMTP\r\n\r\n"],
        False,
        UnreadableAnswer,
        Reason.NOT_HTTP,
    ),
    "bytes of anything": (
        [bytes(range(256)) + b"\r\n\r\n"],
        False,
        UnreadableAnswer,
        Reason.NOT_HTTP,
    ),
    "a header that is none": (
        [b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"],
        False,
        UnreadableAnswer,
        Reason.NOT_HTTP,
    ),
    "a length that is none": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"],
        False,
        UnreadableAnswer,
        Reason.NOT_HTTP,
    ),
    "a header without end": (
        [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"],
        False,
        UnreadableAnswer,
        Reason.NOT_HTTP,
    ),
}


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_on_the_way_comes_out_as_one_of_our_errors(
    name: str, attempts: int
) -> None:
    """Every attempt has a connection of its own; what is no HTTP gets no second one."""
    pieces, stays, kind, reason = BROKEN[name]
    requests = attempts if kind is ConnectionFailed else 1
    async with (
        Server(pieces, stays=stays) as server,
        client_of(server.url, attempts=attempts) as client,
    ):
        failure = await failure_of(client)
        assert (type(failure), failure.reason) == (kind, reason)
        assert failure.outcome.value == "unavailable"
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


async def test_nobody_listens() -> None:
    """The port is closed."""
    async with client_of(f"http://127.0.0.1:{unused_port()}") as client:
        failure = await failure_of(client)
    assert (type(failure), failure.reason, failure.status) == (
        ConnectionFailed,
        Reason.CONNECT,
        None,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems queue differently")
async def test_nobody_picks_up() -> None:
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
    """Listen on a port whose queue is full, since nobody is ever let in."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    callers = [socket.socket() for _ in range(4)]
    for caller in callers:
        caller.setblocking(False)
        caller.connect_ex(listening.getsockname())
    return [listening, *callers]


async def test_a_server_that_speaks_no_tls_gets_no_request() -> None:
    """Nothing goes out in the clear where `https` was asked for."""
    async with Simulator() as ps7:
        async with client_of(ps7.url.replace("http:", "https:"), read_timeout=2.0) as client:
            failure = await failure_of(client)
        assert ps7.requests == []
    assert (type(failure), failure.reason) == (ConnectionFailed, Reason.TLS)


async def test_a_certificate_that_nobody_vouches_for_gets_no_request(tmp_path: Path) -> None:
    """Whoever shows it could be anybody."""
    async with Server([http(GOOD)], tls=self_signed(tmp_path)) as server:
        async with client_of(server.url, read_timeout=2.0) as client:
            failure = await failure_of(client)
        assert server.heard == []
    assert (type(failure), failure.reason) == (ConnectionFailed, Reason.TLS_UNKNOWN_CA)


def self_signed(folder: Path) -> ssl.SSLContext:
    """Give a server's side of TLS for 127.0.0.1, with a certificate made a moment ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = folder / "server.pem"
    chain.write_bytes(certificate.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


# What becomes of the connections


async def test_lookups_one_after_another_share_a_connection() -> None:
    """A new one for each would cost more than the lookup itself."""
    async with Server([http(GOOD)]) as server, client_of(server.url) as client:
        for _ in range(5):
            assert (await client.lookup("C1")).agency == "0341"
        assert (server.connections, len(server.heard)) == (1, 5)


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


async def test_a_session_that_somebody_else_closed_is_opened_again() -> None:
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


async def test_a_refused_answer_does_not_keep_its_connection() -> None:
    """What is left of an answer that was given up must not be read as the next one."""
    huge = http(b"x" * 10_000_000)
    async with Server([huge]) as server, client_of(server.url) as client:
        for _ in range(2):
            failure = await failure_of(client)
            assert failure.reason is Reason.ANSWER_TOO_LARGE
        assert server.connections == 2


async def test_an_answer_that_comes_too_late_is_nobody_elses() -> None:
    """The next lookup must not read what was meant for the one before (aiohttp 3.9.0 let it)."""
    async with (
        Server([b"", http(GOOD)], pause=0.4) as server,
        client_of(server.url, deadline=0.3, read_timeout=1.0) as client,
    ):
        for _ in range(2):
            failure = await failure_of(client)
            assert failure.reason is Reason.DEADLINE
        assert server.connections == 2


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
def ps7() -> Iterator[Simulator]:
    """Give a simulator that runs beside the test, in a thread."""
    simulator, loop = Simulator(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(5)
    yield simulator
    asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def look_up(client: PS7Client) -> str | None:
    """Look Ana up and give her agency."""
    return (await client.lookup("ana")).agency


# asyncio cannot close a connection whose loop is closed: the garbage collector does, and says so.
swept_up = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@swept_up
@pytest.mark.usefixtures("no_complaints")
def test_one_client_serves_one_event_loop_after_another(ps7: Simulator) -> None:
    """Connections belong to a loop: those of a loop that is gone are let go with the next one."""
    client = PS7Client(settings_for(ps7.url))
    for _ in range(3):
        assert asyncio.run(look_up(client)) == "0341"
        assert len(client._transport._sessions) == 1
    client.close_all()
    assert len(client._transport._sessions) == 0


@pytest.mark.usefixtures("no_complaints")
def test_one_client_serves_two_event_loops_at_once(ps7: Simulator) -> None:
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
def test_lookups_at_once_in_a_new_loop_share_one_pool(ps7: Simulator) -> None:
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
def test_a_process_ends_without_a_word_about_open_connections(ps7: Simulator, closed: bool) -> None:
    """`abandon()` is called where no event loop runs any more, whether they were closed or not."""
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


def test_a_loop_that_runs_elsewhere_is_left_alone(ps7: Simulator) -> None:
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


def test_a_client_that_asked_nothing_has_nothing_to_abandon() -> None:
    """Nothing is opened before the first lookup."""
    PS7Client(settings_for("http://127.0.0.1:9")).close_all()
