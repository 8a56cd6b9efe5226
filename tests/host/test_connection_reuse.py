"""One connection, one customer: no answer that arrives unasked is given to the next lookup.

HTTP/1.1 pairs answers with requests by their order alone, so whatever waits on a connection that
is used again would be taken for the next customer's answer. No connection is.
"""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actions.ps7 import PS7Client
from actions.ps7.lookup.http import MAX_ANSWER_BYTES
from tests.host.loopback import ANA, DIEGO, END, RESET, ByteGateway, Pieces, http
from tests.host.test_client import settings_for

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

GATEWAY_TIMEOUT = http(b"{}", status="504 Gateway Timeout")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
IN_CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'1a\r\n{"payload":{"u_ag":"0341"}\r\n1\r\n}\r\n0\r\n\r\n'
)
PAUSE, LATE = 0.05, 0.3
"""Seconds after which an event loop has read what was sent to it, and more than enough."""


@asynccontextmanager
async def asked(
    *ana: bytes | float, greeting: bytes = b"", **settings: object
) -> AsyncIterator[tuple[ByteGateway, PS7Client]]:
    """Yield a gateway that answers this about Ana, and a client of it that makes one attempt."""
    answers = {"ana": ana, "diego": [DIEGO]}
    limits = {"deadline": 3.0, "read_timeout": 2.0, "attempts": 1}
    with ByteGateway(answers, greeting=greeting) as gateway:
        async with PS7Client(settings_for(gateway.url, **{**limits, **settings})) as client:
            yield gateway, client


async def end_of(client: PS7Client, context_id: str = "diego") -> str | None:
    """Look a customer up; return the agency, or the reason why there is none."""
    lookup = await client.ask(context_id)
    return lookup.customer.agency if lookup.customer else str(lookup.report.reason)


SPOILT: dict[str, tuple[Pieces, str]] = {
    "the same answer again": ([ANA + ANA], "0341"),
    "half of another answer": ([ANA[:-5], PAUSE, ANA[-5:] + ANA[:40]], "0341"),
    "in chunks, and again": ([IN_CHUNKS[:-5], PAUSE, IN_CHUNKS[-5:] + IN_CHUNKS], "0341"),
    "an end": ([ANA, END], "0341"),
    "a reset": ([ANA, PAUSE, RESET], "0341"),
    # A gateway may still forward the late answer. One that is too large may be whole before anybody
    # looked at its size.
    "504 and the late answer": ([GATEWAY_TIMEOUT, PAUSE, ANA], "server_error"),
    "204 and an answer": ([http(status="204 No Content"), PAUSE, ANA], "undocumented_status"),
    "too large": ([http(b" " * (MAX_ANSWER_BYTES + 1)), PAUSE, ANA], "answer_too_large"),
}


@pytest.mark.parametrize("name", SPOILT)
async def test_what_comes_after_an_answer_is_not_the_next_customers(name: str) -> None:
    """Whether it comes at once or later: the lookup ends as if nothing more had come."""
    pieces, end = SPOILT[name]
    async with asked(*pieces) as (gateway, client):
        assert await end_of(client, "ana") == end
        assert await end_of(client) == "0002"
        await asyncio.sleep(2 * PAUSE)
        assert await end_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego"), (2, "diego")]


@pytest.mark.parametrize(
    "pieces", [[LATE, ANA], [ANA[:-9], LATE, ANA[-9:]]], ids=["before", "within"]
)
async def test_the_answer_that_comes_after_a_cancelled_turn_is_not_used(pieces: Pieces) -> None:
    """Whether the turn was cancelled before the answer began, or in the middle of it."""
    async with asked(*pieces) as (gateway, client):
        assert await end_of(client) == "0002"
        turn = asyncio.create_task(client.lookup("ana"))
        while len(gateway.requests) < 2:  # noqa: ASYNC110 - a gateway in a thread has no event of it
            await asyncio.sleep(PAUSE / 5)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        assert await end_of(client) == "0002"
        await asyncio.sleep(LATE)
        assert await end_of(client) == "0002"
        assert [number for number, _ in gateway.requests] == [0, 1, 2, 3]


# Answers that come before their time


async def test_a_handful_of_interim_answers_is_passed_over() -> None:
    """100, 102 and 103 say nothing yet."""
    interim = [CONTINUE, b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"]
    async with asked(*interim, PAUSE, ANA) as (_, client):
        assert await end_of(client, "ana") == "0341"


async def test_an_answer_that_comes_before_its_request_cancels_no_turn() -> None:
    """With aiohttp 3.9 a `CancelledError` came out, although no turn was cancelled."""
    async with asked(greeting=GATEWAY_TIMEOUT) as (_, client):
        assert await end_of(client, "ana") == "server_error"


ENDLESS = {
    "headers": [b"HTTP/1.1 200 OK\r\n", *[b"X-More: 1\r\n" * 5000] * 200],
    "interim answers": [CONTINUE * 5000] * 200,
    "chunk extensions": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        *[b"a=1;" * 10000] * 200,
    ],
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_what_does_not_end_is_cut_off_at_a_size(name: str) -> None:
    """Some MB are ready to be sent: the connection is closed long before, on every aiohttp.

    A head, and what comes before one, is bounded as a body is: memory is not an attacker's.
    """
    async with asked(*ENDLESS[name]) as (gateway, client):
        tracemalloc.start()
        began = time.monotonic()
        ended = await end_of(client, "ana")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert ended in ("not_http", "connection_lost")
        assert time.monotonic() - began < 2.5  # the deadline is 3 s
        assert most < 12_000_000
        assert await end_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego")]
