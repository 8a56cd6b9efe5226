"""One connection, one customer: no answer that arrives unasked is given to the next lookup.

HTTP/1.1 pairs answers with requests by their order alone, so whatever waits on a connection that
is used again would be taken for the next customer's answer. No connection is.
"""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actions.ps7 import LookupFailed, PS7Client
from actions.ps7.lookup.http import MAX_ANSWER_BYTES
from tests.host.loopback import ANA, DIEGO, ByteGateway, Pieces, http
from tests.host.test_client import settings_for
from tests.support.waiting import within

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

GATEWAY_TIMEOUT = http(b"{}", status="504 Gateway Timeout")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
IN_CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'1a\r\n{"payload":{"u_ag":"0341"}\r\n1\r\n}\r\n0\r\n\r\n'
)
LARGEST = b'{"payload":{"u_ag":"0341"}}'.ljust(MAX_ANSWER_BYTES)
"""A body as large as may be."""
PAUSE = 0.05
"""Seconds after which an event loop has read what was sent to it."""


@asynccontextmanager
async def asked(
    *ana: bytes | float,
    **options: Any,  # noqa: ANN401 - handed on
) -> AsyncIterator[tuple[ByteGateway, PS7Client]]:
    """Yield a gateway that answers this about Ana, and a client of it that makes one attempt."""
    with ByteGateway({"ana": ana, "diego": [DIEGO]}, **options) as gateway:
        async with PS7Client(settings_for(gateway.url, attempts=1)) as client:
            yield gateway, client


async def end_of(client: PS7Client, context_id: str = "diego") -> str | None:
    """Look a customer up; return the agency, or the failure in words."""
    try:
        return (await client.lookup(context_id)).agency
    except LookupFailed as failure:
        return str(failure)


SPOILT: dict[str, Pieces] = {
    "the same answer again": [ANA + ANA],
    "the same answer again, in two": [ANA[:-5], PAUSE, ANA[-5:] + ANA],
    "in chunks, and again": [2 * IN_CHUNKS],
    "the largest, and another": [http(LARGEST) + ANA],
    "another, a moment later": [ANA, PAUSE, ANA],
}


@pytest.mark.parametrize("name", SPOILT)
async def test_what_comes_after_an_answer_is_not_the_next_customers(name: str) -> None:
    """The connection is closed, and the lookup ends as if nothing more had come."""
    async with asked(*SPOILT[name]) as (gateway, client):
        assert await end_of(client, "ana") == "0341"
        assert await end_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego")]


NO_GOOD = {
    "redirect (HTTP 308)": http(b"", "Location: /", status="308 Moved"),
    # too large, but for that
    "compressed (HTTP 200)": http(gzip.compress(LARGEST + b" "), "Content-Encoding: gzip"),
    "answer_too_large (HTTP 200)": http(LARGEST + b" "),
}


@pytest.mark.parametrize("end", NO_GOOD)
async def test_an_answer_that_is_no_good_one_ends_the_lookup(end: str) -> None:
    """No redirect is followed and no body unpacked; one byte more than may be is too large."""
    async with asked(NO_GOOD[end]) as (gateway, client):
        assert await end_of(client, "ana") == end
        assert gateway.requests == [(0, "ana")]


# Answers that come before their time


async def test_a_handful_of_interim_answers_is_passed_over() -> None:
    """100, 102 and 103 say nothing yet."""
    interim = [CONTINUE, b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"]
    async with asked(*interim, PAUSE, ANA) as (_, client):
        assert await end_of(client, "ana") == "0341"


async def test_an_answer_that_comes_before_its_request_cancels_no_turn() -> None:
    """With aiohttp 3.9 a `CancelledError` came out, although no turn was cancelled."""
    async with asked(greeting=GATEWAY_TIMEOUT) as (_, client):
        assert await end_of(client, "ana") == "server_error (HTTP 504)"


ENDLESS = {
    "headers": [b"HTTP/1.1 200 OK\r\n", *[b"X-More: 1\r\n" * 5000] * 200],
    "interim answers": [CONTINUE * 5000] * 200,
    "chunk extensions": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        *[b"a=1;" * 10000] * 200,
    ],
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_what_does_not_end_is_cut_off_at_a_size(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Some MB are ready to be sent: the connection is closed long before, on every aiohttp.

    A head, and what comes before one, is bounded as a body is: memory is not an attacker's.
    """
    async with asked(*ENDLESS[name]) as (gateway, client):
        tracemalloc.start()
        assert await end_of(client, "ana") in ("not_http", "connection_lost")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 12_000_000
        assert [record for record in caplog.records if record.name == "asyncio"] == []
        assert await end_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego")]


async def test_a_lookup_is_not_cancelled_when_all_connections_are_closed() -> None:
    """It ends as one whose connection was lost: no turn was cancelled."""
    async with asked(2.0, ANA) as (_, client):
        ends = [asyncio.create_task(end_of(client, "ana")) for _ in range(2)]
        await asyncio.sleep(4 * PAUSE)
        await client.close()
        assert await within(1.0, "both end", asyncio.gather(*ends)) == ["connection_lost"] * 2
