"""One connection, one customer: no answer that arrives unasked is given to the next lookup.

HTTP/1.1 pairs answers with requests by their order alone, so whatever waits on a connection that
is used again would be taken for the next customer's answer.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from actions.ps7 import LookupFailed, PS7Client, Reason
from actions.ps7.api.connections import MAX_ANSWER_BYTES, OneAnswer
from tests.host.byte_gateway import ANA, DIEGO, END, ByteGateway
from tests.host.conftest import Stage, seal_keys
from tests.host.loopback import RESET, http
from tests.host.test_client import settings_for
from tests.support.dialogue import Dialogue

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

Pieces = Sequence[bytes | float]
GATEWAY_TIMEOUT = http(b"{}", status="504 Gateway Timeout")
REQUEST_TIMEOUT = http(b"", "Connection: close", status="408 Request Timeout")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PAUSE = 0.05
"""Seconds after which an event loop has read what was sent to it."""


@pytest.fixture
def secured(tmp_path: Path) -> ssl.SSLContext:
    """Return the gateway's side of TLS; the authority to trust is in `ca.pem`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def client_of(gateway: ByteGateway, **settings: object) -> PS7Client:
    """Make a client that makes one attempt."""
    limits = {"deadline": 3.0, "read_timeout": 2.0, "attempts": 1}
    return PS7Client(settings_for(gateway.url, **{**limits, **settings}))


async def agency_of(client: PS7Client, context_id: str = "diego") -> str | None:
    """Look a customer up; return the agency."""
    return (await client.lookup(context_id)).agency


async def reason_of(client: PS7Client, context_id: str = "ana") -> Reason:
    """Look a customer up in vain; return the reason."""
    with pytest.raises(LookupFailed) as caught:
        await client.lookup(context_id)
    return caught.value.reason


# What arrives on a connection that waits for the next request

UNASKED = {
    "the same answer again": ANA,
    "408": REQUEST_TIMEOUT,
    "half an answer": ANA[:40],
    "an interim answer": CONTINUE,
    "an end": END,
    "a reset": RESET,
}


@pytest.mark.parametrize("pause", [0.0, PAUSE], ids=["unread", "read"])
@pytest.mark.parametrize("name", UNASKED)
async def test_a_connection_on_which_something_waits_is_not_used_again(
    name: str, pause: float
) -> None:
    """Whether it still stands in the socket, or the event loop has read it meanwhile."""
    with ByteGateway({"ana": [ANA], "diego": [DIEGO]}) as gateway:
        async with client_of(gateway) as client:
            assert await agency_of(client, "ana") == "0341"
            gateway.send(UNASKED[name])
            if pause:
                await asyncio.sleep(pause)
            assert await agency_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego")]


async def test_a_parser_that_refuses_to_end_holds_the_beginning_of_something() -> None:
    """What cannot be told counts against a connection."""

    def refuse() -> None:
        raise ValueError

    connection: Any = OneAnswer(asyncio.get_running_loop())
    for feed_eof, begun in ((lambda: None, False), (lambda: "message", True), (refuse, True)):
        connection._parser = SimpleNamespace(feed_eof=feed_eof)
        assert connection._has_begun() is begun


IN_CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'1a\r\n{"payload":{"u_ag":"0341"}\r\n1\r\n}\r\n0\r\n\r\n'
)
AT_ONCE = {
    "the same answer again": ANA + ANA,
    "half of another answer": ANA + ANA[:40],
    "in chunks, and again": 2 * IN_CHUNKS,
}


@pytest.mark.parametrize("cut", [None, len(ANA) - 5], ids=["one segment", "two"])
@pytest.mark.parametrize("name", AT_ONCE)
async def test_a_connection_whose_answer_brought_more_is_not_used_again(
    name: str, cut: int | None
) -> None:
    """Bytes beyond the end of an answer, in the segment that ends it."""
    sent = AT_ONCE[name]
    pieces: Pieces = [sent] if cut is None else [sent[:cut], PAUSE, sent[cut:]]
    with ByteGateway({"ana": pieces, "diego": [DIEGO]}) as gateway:
        async with client_of(gateway) as client:
            assert await agency_of(client, "ana") == "0341"
            assert await agency_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego")]


async def test_over_tls_too(tmp_path: Path, secured: ssl.SSLContext) -> None:
    """What waits is encrypted, so its first byte is enough."""
    answers = {"ana": [ANA], "diego": [DIEGO]}
    for pause in (0.0, PAUSE):
        with ByteGateway(answers, tls=secured) as gateway:
            async with client_of(gateway, ca_file=tmp_path / "ca.pem") as client:
                assert await agency_of(client, "ana") == "0341"
                assert await agency_of(client) == "0002"
                gateway.send(ANA)
                await asyncio.sleep(pause)
                assert await agency_of(client) == "0002"
            assert gateway.requests == [(0, "ana"), (0, "diego"), (1, "diego")]


async def test_without_keep_alive_no_connection_is_used_again() -> None:
    """`PS7_KEEP_ALIVE=false`: for a gateway that one does not trust."""
    with ByteGateway({"ana": [ANA], "diego": [DIEGO]}) as gateway:
        async with client_of(gateway, keep_alive=False) as client:
            assert await agency_of(client, "ana") == "0341"
            assert await agency_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego")]


# What ends with anything but a whole answer of status 200


BEFORE_IT: dict[str, Pieces] = {
    "with the end": [GATEWAY_TIMEOUT[:-1], PAUSE, GATEWAY_TIMEOUT[-1:] + ANA],
    "204": [http(status="204 No Content"), PAUSE, ANA],
    "500": [http(b"{}", status="500 No"), PAUSE, ANA],
    "too large": [http(b" " * (MAX_ANSWER_BYTES + 1)), PAUSE, ANA],
}


@pytest.mark.parametrize("name", BEFORE_IT)
async def test_a_connection_that_answered_anything_else_is_closed(name: str) -> None:
    """A gateway that answers 504 may still forward the late answer, even in the same segment.

    An answer that is too large may be whole before anybody looked at its size.
    """
    with ByteGateway({"ana": BEFORE_IT[name], "diego": [DIEGO]}) as gateway:
        async with client_of(gateway) as client:
            await reason_of(client)
            assert await agency_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego")]


async def test_the_answer_that_comes_after_a_cancelled_turn_is_not_used() -> None:
    """Whether the turn was cancelled before the answer began, or in the middle of it."""
    answers: dict[str, Pieces] = {
        "ana": [PAUSE, ANA],
        "bia": [ANA[:-9], PAUSE, ANA[-9:]],
        "diego": [DIEGO],
    }
    with ByteGateway(answers) as gateway:
        async with client_of(gateway) as client:
            assert await agency_of(client) == "0002"
            for name in ("ana", "bia"):
                turn = asyncio.create_task(client.lookup(name))
                await asyncio.sleep(PAUSE / 2)
                turn.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await turn
                assert await agency_of(client) == "0002"
                await asyncio.sleep(PAUSE)
                assert await agency_of(client) == "0002"
        assert [number for number, _ in gateway.requests] == [0, 0, 1, 1, 1, 2, 2]


# Answers that come before their time


async def test_a_handful_of_interim_answers_is_passed_over() -> None:
    """100, 102 and 103 say nothing yet; the connection is as good as before."""
    interim = [CONTINUE, b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"]
    with ByteGateway({"ana": [*interim, PAUSE, ANA], "diego": [DIEGO]}) as gateway:
        async with client_of(gateway) as client:
            assert await agency_of(client, "ana") == "0341"
            assert await agency_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (0, "diego")]


async def test_a_flood_of_interim_answers_ends_the_lookup() -> None:
    """It would keep a core busy until the deadline: the connection is closed instead."""
    with ByteGateway({"ana": [*[CONTINUE * 5000] * 20, ANA], "diego": [DIEGO]}) as gateway:
        async with client_of(gateway) as client:
            began, busy = time.monotonic(), time.thread_time()
            assert await reason_of(client) is Reason.NOT_HTTP
            assert time.monotonic() - began < 1.0
            await asyncio.sleep(PAUSE)
            assert time.thread_time() - busy < 0.5
            assert await agency_of(client) == "0002"
        assert gateway.requests == [(0, "ana"), (1, "diego")]


async def test_an_answer_that_comes_before_its_request_cancels_no_turn() -> None:
    """With aiohttp 3.9 a `CancelledError` came out, although no turn was cancelled."""
    with ByteGateway({"diego": []}, greeting=GATEWAY_TIMEOUT) as gateway:
        async with client_of(gateway) as client:
            assert await reason_of(client, "diego") is Reason.SERVER_ERROR


async def test_a_lookup_that_waits_for_a_connection_when_all_are_closed_is_not_cancelled() -> None:
    """It ends as one whose connection was lost: no turn was cancelled.

    aiohttp 3.9 forgets that it waits: there it ends at its deadline.
    """
    with ByteGateway({"ana": [2.0, ANA]}) as gateway:
        async with client_of(gateway, max_connections=1, deadline=0.6) as client:
            ends = [asyncio.create_task(reason_of(client)) for _ in range(2)]
            await asyncio.sleep(4 * PAUSE)
            await client.close()
            first, second = await asyncio.wait_for(asyncio.gather(*ends), 1.0)
        assert first is Reason.CONNECTION_LOST
        assert second in (Reason.CONNECTION_LOST, Reason.DEADLINE)


# Through the action server's webhook: two conversations, Ana and then Diego

LATE: dict[str, Pieces] = {
    "after_504": [GATEWAY_TIMEOUT, PAUSE, ANA],
    "after_a_read_timeout": [0.3, ANA],
    "again_in_one_segment": [ANA + ANA],
    "again_later": [ANA, PAUSE, ANA],
}
"""What the gateway does with the answer about Ana, by the contextId that she arrives with."""


@pytest.mark.asyncio(loop_scope="session")
async def test_diego_is_never_ana(stage: Stage, python: Path) -> None:
    """Whatever the gateway does with Ana's answer, with the newest aiohttp and the oldest."""
    with ByteGateway({**LATE, "diego": [DIEGO]}) as ps7:
        limits = {"PS7_READ_TIMEOUT": "0.2", "PS7_ATTEMPTS": "1"}
        address = {"PS7_BASE_URL": ps7.url, "PS7_SEAL_KEYS": seal_keys()}
        server = await stage.start(python, **address, **limits)
        for name in LATE:
            ana, diego = Dialogue(), Dialogue()
            await ana.turn(server.send, metadata={"contextId": name})
            expected = (None, "unavailable") if "after" in name else ("52998224725", "ok")
            assert (ana.slots["cpf"], ana.slots["ps7_status"]) == expected, name
            await asyncio.sleep(3 * PAUSE)
            await diego.turn(server.send, metadata={"contextId": "diego"})
            assert (diego.slots["cpf"], diego.slots["ps7_status"]) == ("22233366638", "ok"), name
