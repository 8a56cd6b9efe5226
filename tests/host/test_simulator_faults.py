"""The simulator's faults on the wire: the bytes that a client gets, and how its connection ends."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, get_args

import pytest
from aiohttp import ClientSession, ClientTimeout, web

from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from actions.ps7.testing.faults import Delivery
from actions.ps7.testing.simulator import delivery
from actions.ps7.testing.simulator.delivery import DELIVERIES
from actions.ps7.testing.simulator.gateway import make_reply, to_json
from tests.support.simulator_client import JSON, LOGIN, PATH, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

GOOD = FAULTS["slow"].body
assert not isinstance(GOOD, bytes)
BODY = to_json(GOOD)
HALF = BODY[: len(BODY) // 2]
SILENCE = 1.0
"""Seconds after which a test takes a connection for open and silent."""


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Give a client; what it waits for comes within seconds or never."""
    async with ClientSession(timeout=ClientTimeout(total=10)) as session:
        yield Client(session)


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Give a simulator on a free port."""
    async with Simulator() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which the server or the event loop warns of anything."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def asking(ps7: Simulator, context_id: str) -> AsyncIterator[Streams]:
    """Send a lookup over a bare connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", ps7.port)
    body = json.dumps({"contextId": context_id}).encode()
    headers = {"Host": "ps7", **LOGIN, **JSON, "Connection": "close"}
    headers["Content-Length"] = str(len(body))
    lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def heard(ps7: Simulator, context_id: str) -> tuple[bytes, str]:
    """Give every byte of an answer, and how it ended: `closed`, `reset` or `silent`."""
    data = b""
    async with asking(ps7, context_id) as (reader, _):
        try:
            while piece := await asyncio.wait_for(reader.read(2**16), SILENCE):
                data += piece
        except asyncio.TimeoutError:
            return data, "silent"
        except ConnectionResetError:
            return data, "reset"
        return data, "closed"


def declared(head: bytes) -> str:
    """Give the Content-Length that stands in a head."""
    [length] = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
    return length.split(b": ")[1].decode()


# What breaks


@pytest.mark.parametrize(("name", "end"), [("reset", "reset"), ("closed", "closed")])
async def test_a_connection_ends_before_any_answer(ps7: Simulator, name: str, end: str) -> None:
    """Not a byte comes back, though the request was read and is on record."""
    assert await heard(ps7, name) == (b"", end)
    assert [request.json for request in ps7.requests] == [{"contextId": name}]


@pytest.mark.parametrize(
    ("name", "length", "body", "end"),
    [
        ("reset-body", str(len(BODY)), HALF, "reset"),
        ("closed-body", str(len(BODY)), HALF, "closed"),
        ("slow-body", str(len(BODY)), HALF, "silent"),
        ("short-length", str(len(HALF)), BODY, "silent"),
        ("bad-length", "many", BODY, "silent"),
    ],
)
async def test_a_body_is_not_what_its_head_says(
    ps7: Simulator, name: str, length: str, body: bytes, end: str
) -> None:
    """Half of a good answer, or all of it under a wrong length."""
    data, ended = await heard(ps7, name)
    head, _, got = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert (declared(head), got, ended) == (length, body, end)


async def test_bytes_that_are_no_http(ps7: Simulator) -> None:
    """Exactly those of the fault, and a test may send any others."""
    assert await heard(ps7, "not-http") == (bytes(range(256)), "silent")
    ps7.answer("C9", body=b"220 mail.example ESMTP\r\n", delivery="bare")
    assert await heard(ps7, "C9") == (b"220 mail.example ESMTP\r\n", "silent")


async def test_slow_says_nothing(ps7: Simulator) -> None:
    """The connection stands, and stays silent."""
    assert await heard(ps7, "slow") == (b"", "silent")


@pytest.mark.parametrize("how", ["reset-body", "closed-body", "held-body"])
async def test_an_answer_without_a_body_lacks_something_too(ps7: Simulator, how: Delivery) -> None:
    """A test's own answer cannot be complete by accident, and keeps its status and headers."""
    ps7.answer("C9", status=503, headers={"Retry-After": "1"}, delivery=how)
    data, _ = await heard(ps7, "C9")
    assert data.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in data
    assert (declared(data), data[-4:]) == ("1", b"\r\n\r\n")


# What does not end


async def test_drip_sends_a_byte_now_and_then(ps7: Simulator) -> None:
    """Each comes before a read timeout, and the last one after any deadline."""
    async with asking(ps7, "drip") as (reader, _):
        head = await reader.readuntil(b"\r\n\r\n")
        assert int(declared(head)) * delivery._DRIP >= 300
        started = time.monotonic()
        assert await reader.readexactly(5) == b" " * 5
        assert 4 * delivery._DRIP <= time.monotonic() - started + 0.02 < 5


async def test_drip_is_a_good_answer_in_the_end(
    ps7: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a deadline keeps a client from taking it for a customer."""
    monkeypatch.setattr(delivery, "_DRIP", 0.0001)
    monkeypatch.setattr(delivery, "_HELD_FOR", 0.001)
    answer = await client.look_up(ps7, "drip")
    assert (answer.status, answer.body) == (200, b" " * 10 + BODY)


@pytest.mark.parametrize("name", ["short-length", "slow-body"])
async def test_what_is_held_is_closed_in_the_end(
    ps7: Simulator, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection stays open for ever."""
    monkeypatch.setattr(delivery, "_HELD_FOR", 0.01)
    _, ended = await heard(ps7, name)
    assert ended == "closed"


async def test_endless_sends_as_fast_as_it_is_read(ps7: Simulator) -> None:
    """A good answer, and then blanks: many times what an answer may have, within a moment."""
    async with asking(ps7, "endless") as (reader, _):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nTransfer-Encoding: chunked\r\n" in head
        begun = await reader.readexactly(len(BODY) + 10)
        assert BODY in begun
        started = time.monotonic()
        await reader.readexactly(8 * 2**20)
        assert time.monotonic() - started < 5


async def test_endless_ends_where_nobody_reads_any_more() -> None:
    """Also in a server that does not end its handlers."""
    ended = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = await DELIVERIES["endless"](request, make_reply(200, BODY))
        ended.set()
        return response

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(b"GET / HTTP/1.1\r\nHost: ps7\r\n\r\n")
    await reader.readexactly(2**16)
    writer.transport.abort()
    await asyncio.wait_for(ended.wait(), 5)
    await runner.cleanup()


STANDING = ["slow", "slow-body", "drip", "endless", "short-length", "bad-length", "not-http"]


@pytest.mark.parametrize("name", STANDING)
async def test_a_client_that_leaves_ends_its_answer(ps7: Simulator, name: str) -> None:
    """Nothing of it keeps running, whatever else it would have sent."""
    before = asyncio.all_tasks()
    async with asking(ps7, name):
        await asyncio.sleep(0.1)
    for _ in range(100):
        if asyncio.all_tasks() == before:
            break
        await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("name", STANDING)
async def test_the_simulator_stops_at_once_whatever_is_under_way(name: str) -> None:
    """A test that forgot about a lookup does not hang at its end."""
    async with Simulator() as ps7, asking(ps7, name):
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        await ps7.stop()
        assert time.monotonic() - begun < 1


# What is too much


async def test_a_gzip_bomb_is_small_on_the_wire(ps7: Simulator) -> None:
    """It passes a size cap, and is a thousand times as large for who unpacks it."""
    data, _ = await heard(ps7, "gzip-bomb")
    head, _, packed = data.partition(b"\r\n\r\n")
    assert b"\r\nContent-Encoding: gzip\r\n" in head
    assert len(packed) < 64 * 1024
    unpacked = gzip.decompress(packed)
    assert len(unpacked) > 48 * 2**20
    assert json.loads(unpacked) == GOOD


async def test_the_huge_header_stands_before_a_good_answer(ps7: Simulator) -> None:
    """100 KiB of it, and all of it is sent."""
    data, _ = await heard(ps7, "huge-header")
    head, _, body = data.partition(b"\r\n\r\n")
    assert len(head) > 100 * 1024
    assert body == BODY


# What is HTTP, and asks something of the client


@pytest.mark.parametrize(
    ("name", "retry_after"),
    [("http-429", None), ("http-429-soon", "1"), ("http-429-far", "3600")],
)
async def test_too_many_requests_says_when_to_come_back(
    ps7: Simulator, client: Client, name: str, retry_after: str | None
) -> None:
    """In seconds, or not at all."""
    answer = await client.look_up(ps7, name)
    assert answer.status == 429
    assert answer.headers.get("Retry-After") == retry_after


async def test_when_to_come_back_may_be_a_date(ps7: Simulator, client: Client) -> None:
    """It lies a second ahead of the answer, at most: HTTP dates have whole seconds."""
    before = datetime.now(timezone.utc)
    answer = await client.look_up(ps7, "http-429-date")
    assert answer.headers["Retry-After"].endswith(" GMT")
    ahead = parsedate_to_datetime(answer.headers["Retry-After"]) - before
    assert 0 <= ahead.total_seconds() <= 1.5
    ps7.answer("C9", status=503, headers={"Retry-After": "100"}, delivery="dated")
    later = (await client.look_up(ps7, "C9")).headers["Retry-After"]
    assert 98 < (parsedate_to_datetime(later) - before).total_seconds() < 102


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_leads_where_a_test_wants_it(client: Client, status: int) -> None:
    """Somewhere that nobody listens, or to a server of the test's own."""
    async with Simulator() as nowhere, Simulator(redirect_to="http://127.0.0.1:1/x") as somewhere:
        first = await client.look_up(nowhere, f"http-{status}")
        second = await client.look_up(somewhere, f"http-{status}")
    assert (first.status, second.status) == (status, status)
    assert first.headers["Location"] == "http://127.0.0.1:9/elsewhere"
    assert second.headers["Location"] == "http://127.0.0.1:1/x"
    assert first.json == GOOD


async def test_echo_gives_the_credentials_back(ps7: Simulator, client: Client) -> None:
    """As a gateway in debug mode does: every header of the request, in the message."""
    answer = await client.look_up_with({"x-app-key": "planted"}, ps7, "echo")
    assert answer.status == 403
    assert "password: simulator" in answer.json["error_msg"]
    assert "x-app-key: planted" in answer.json["error_msg"]


async def test_a_cookie_comes_with_a_good_answer(ps7: Simulator, client: Client) -> None:
    """One that names a customer, and would go out with the next one's request."""
    answer = await client.look_up(ps7, "cookie")
    assert (answer.status, answer.json) == (200, GOOD)
    assert answer.headers["Set-Cookie"].startswith("session=")


async def test_late_is_a_good_answer_after_a_moment_that_differs(
    ps7: Simulator, client: Client
) -> None:
    """Between 50 and 250 ms, and what the machine adds."""
    waits = []
    for _ in range(4):
        started = time.monotonic()
        assert (await client.look_up(ps7, "late")).json == GOOD
        waits.append(time.monotonic() - started)
    assert all(delivery._JITTER[0] - 0.01 <= wait < 2 for wait in waits)
    assert len({round(wait, 4) for wait in waits}) > 1


async def test_flapping_fails_and_recovers(ps7: Simulator) -> None:
    """A bad status, a reset, and from then on it is well."""
    answers = [await heard(ps7, "flapping") for _ in range(4)]
    assert answers[0][0].startswith(b"HTTP/1.1 503 ")
    assert answers[1] == (b"", "reset")
    assert [data.rpartition(b"\r\n\r\n")[2] for data, _ in answers[2:]] == [BODY, BODY]


# What a test can do


def test_every_delivery_has_a_word() -> None:
    """The words that a fault may use are those that the simulator knows."""
    assert set(get_args(Delivery)) == set(DELIVERIES)


async def test_a_script_plays_broken_connections_too(ps7: Simulator, client: Client) -> None:
    """Whatever the way they are sent in."""
    ps7.script("C9", ["reset", "closed-body", "ana"])
    assert await heard(ps7, "C9") == (b"", "reset")
    data, ended = await heard(ps7, "C9")
    assert (data[-len(HALF) :], ended) == (HALF, "closed")
    answer: Any = (await client.look_up(ps7, "C9")).json
    assert answer == PERSONAS["ana"].answer
