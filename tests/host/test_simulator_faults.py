"""The simulator's faults on the wire: the bytes that a client gets, and how its connection ends."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import pytest
from aiohttp import web

from actions.ps7.testing import FAULTS, Simulator
from actions.ps7.testing.simulator import delivery
from actions.ps7.testing.simulator.delivery import DELIVERIES
from actions.ps7.testing.simulator.gateway import make_reply, to_json
from tests.support.simulator_client import JSON, LOGIN, PATH, Client, own_client, own_simulator

GOOD = FAULTS["slow"].body
assert not isinstance(GOOD, bytes)
BODY = to_json(GOOD)
HALF = BODY[: len(BODY) // 2]
SILENCE = 1
"""Seconds after which a test takes a connection for open and silent."""


client = pytest.fixture(own_client)
ps7 = pytest.fixture(own_simulator)


@pytest.fixture(autouse=True)
def _no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which the server or the event loop warns of anything."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


@asynccontextmanager
async def asking(ps7: Simulator, context_id: str) -> AsyncIterator[asyncio.StreamReader]:
    """Send a lookup over a bare connection; yield what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", ps7.port)
    body = json.dumps({"contextId": context_id}).encode()
    headers = {"Host": "ps7", **LOGIN, **JSON, "Connection": "close"}
    headers["Content-Length"] = str(len(body))
    lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    try:
        yield reader
    finally:
        writer.transport.abort()


async def heard(ps7: Simulator, context_id: str) -> tuple[bytes, str]:
    """Return every byte of an answer, and how it ended: `closed`, `reset` or `silent`."""
    data = b""
    async with asking(ps7, context_id) as reader:
        try:
            while piece := await asyncio.wait_for(reader.read(2**16), SILENCE):
                data += piece
        except asyncio.TimeoutError:
            return data, "silent"
        except ConnectionResetError:
            return data, "reset"
        return data, "closed"


# What breaks, and what does not end


@pytest.mark.parametrize(
    ("name", "body", "length", "sent"),
    [
        ("reset-body", BODY, str(len(BODY)), (HALF, "reset")),
        ("closed-body", b"", "1", (b"", "closed")),  # one without a body lacks something, too
        ("bad-length", BODY, "many", (BODY, "silent")),
    ],
)
async def test_a_fault_is_of_any_answer(
    ps7: Simulator, name: str, body: bytes, length: str, sent: tuple[bytes, str]
) -> None:
    """Its status, headers and body are a test's own; tests/faults has what each fault leads to."""
    ps7.answer("C9", status=503, headers={"X-Own": "1"}, delivery=FAULTS[name].delivery, body=body)
    data, end = await heard(ps7, "C9")
    head, _, got = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nX-Own: 1\r\n" in head
    assert head.endswith(f"\r\nContent-Length: {length}".encode())
    assert (got, end) == sent
    assert [request.json for request in ps7.requests] == [{"contextId": "C9"}]


@pytest.mark.parametrize(
    ("name", "end"),
    [("slow", BODY), ("drip", b" " * 10 + BODY), ("short-length", BODY), ("slow-body", HALF)],
)
async def test_what_is_held_ends(
    ps7: Simulator, name: str, end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a deadline keeps a client from taking it for a customer; nothing stays open for ever."""
    monkeypatch.setattr(delivery, "_HELD_FOR", 0.01)
    monkeypatch.setattr(delivery, "_DRIP", 0.001)
    data, ended = await heard(ps7, name)
    assert (data.partition(b"\r\n\r\n")[2], ended) == (end, "closed")


async def test_endless_ends_where_nothing_reads_any_more() -> None:
    """A good answer, then blanks as fast as they are read; also where handlers are not ended."""
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
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head
    assert BODY in await reader.readexactly(len(BODY) + 10)
    await asyncio.wait_for(reader.readexactly(8 * 2**20), 5)
    writer.transport.abort()
    await asyncio.wait_for(ended.wait(), 5)
    await runner.cleanup()


@pytest.mark.parametrize(
    "name", ["slow", "slow-body", "drip", "endless", "short-length", "bad-length", "not-http"]
)
async def test_nothing_keeps_running(ps7: Simulator, name: str) -> None:
    """Neither after a client that leaves, nor after a stop: a test does not hang at its end."""
    before = asyncio.all_tasks()
    async with asking(ps7, name):
        await asyncio.sleep(0.1)
    for _ in range(500):
        await asyncio.sleep(0 if asyncio.all_tasks() == before else 0.01)
    assert asyncio.all_tasks() == before
    async with asking(ps7, name):
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        await ps7.stop()
        assert time.monotonic() - begun < 1


# What is HTTP, and asks something of the client


async def test_a_gzip_bomb_is_small_on_the_wire(ps7: Simulator) -> None:
    """It passes a size cap, and is a thousand times as large for who unpacks it."""
    data, _ = await heard(ps7, "gzip-bomb")
    head, _, packed = data.partition(b"\r\n\r\n")
    assert b"\r\nContent-Encoding: gzip\r\n" in head
    assert len(packed) < 64 * 1024
    unpacked = gzip.decompress(packed)
    assert len(unpacked) > 48 * 2**20
    assert json.loads(unpacked) == GOOD


async def test_when_to_come_back_may_be_a_date(ps7: Simulator, client: Client) -> None:
    """It lies a second ahead of the answer, at most: HTTP dates have whole seconds."""
    ps7.answer("C9", status=503, headers={"Retry-After": "100"}, delivery="dated")
    before = datetime.now(timezone.utc)
    for name, least, most in (("http-429-date", 0, 2), ("C9", 98, 102)):
        text = (await client.look_up(ps7, name)).headers["Retry-After"]
        assert text.endswith(" GMT")
        assert least <= (parsedate_to_datetime(text) - before).total_seconds() <= most


async def test_echo_returns_the_credentials(ps7: Simulator, client: Client) -> None:
    """As a gateway in debug mode does: every header of the request, in the message."""
    answer = await client.look_up_with({"x-app-key": "planted"}, ps7, "echo")
    assert answer.status == 403
    assert "password: simulator" in answer.json["error_msg"]
    assert "x-app-key: planted" in answer.json["error_msg"]
