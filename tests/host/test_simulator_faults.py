"""The simulator's faults on the wire: how they end. tests/faults has what each of them leads to."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Iterator
from contextlib import nullcontext
from email.utils import parsedate_to_datetime
from unittest.mock import AsyncMock, Mock, call

import pytest
from aiohttp import ClientError
from aiohttp.test_utils import make_mocked_request

from actions.ps7.settings import MAX_SECONDS
from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from actions.ps7.testing.simulator import delivery
from actions.ps7.testing.simulator.delivery import DELIVERIES
from actions.ps7.testing.simulator.gateway import make_reply, to_json
from tests.support.simulator_client import Client, own_client, own_simulator
from tests.support.waiting import within

BODY = to_json(PERSONAS["ana"].answer)


client = pytest.fixture(own_client)
ps7 = pytest.fixture(own_simulator)


@pytest.fixture(autouse=True)
def _no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which the server or the event loop warns of anything."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


@pytest.mark.parametrize(
    ("name", "breaks"),
    [
        *(("slow", False), ("drip", False), ("gzip-bomb", False)),
        *(("short-length", True), ("slow-body", True)),
    ],
)
async def test_a_held_answer_ends(
    ps7: Simulator, client: Client, name: str, breaks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a deadline keeps a client from taking it for a customer; nothing stays open for ever."""
    monkeypatch.setattr(delivery, "_HELD_FOR", 0.01)
    monkeypatch.setattr(delivery, "_DRIP", 0.001)
    monkeypatch.setattr(delivery, "_MEBIBYTES", 1)
    with pytest.raises(ClientError) if breaks else nullcontext():
        answer = await client.look_up(ps7, name)
        assert answer.json == FAULTS[name].body


def test_half_of_an_empty_answer_lacks_something_too() -> None:
    """Else it would be a whole one."""
    head, _, body = delivery._half(make_reply(200, b"")).partition(b"\r\n\r\n")
    assert b"content-length: 1" in head.lower().splitlines()
    assert body == b""


async def test_endless_ends_where_nothing_reads_any_more() -> None:
    """Also if the server does not end the handler of a client that left, even at once."""
    writer = Mock(write_headers=AsyncMock(), drain=AsyncMock())
    writer.write = AsyncMock(side_effect=[None, None, ConnectionResetError])
    request = make_mocked_request("GET", "/", writer=writer)
    await DELIVERIES["endless"](request, make_reply(200, BODY))
    assert writer.write.call_args_list[0] == call(BODY)
    gone = Mock(write_headers=AsyncMock(side_effect=ConnectionResetError))
    request = make_mocked_request("GET", "/", writer=gone)
    await DELIVERIES["endless"](request, make_reply(200, BODY))


@pytest.mark.parametrize("name", ["slow", "slow-body", "drip", "endless", "reset-body"])
@pytest.mark.parametrize("stops", [False, True])
async def test_nothing_keeps_running(
    ps7: Simulator, client: Client, name: str, stops: bool
) -> None:
    """Neither after a client that leaves, nor after a stop: a test does not hang at its end."""
    before = asyncio.all_tasks()
    asked = asyncio.create_task(client.look_up(ps7, name, {"Connection": "close"}))
    await asyncio.sleep(0.02)
    if stops:
        await within(4, "the simulator stops", ps7.stop())
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    for _ in range(500):
        await asyncio.sleep(0 if asyncio.all_tasks() == before else 0.01)
    assert asyncio.all_tasks() == before


async def test_no_client_waits_for_the_end_of_what_drips() -> None:
    """Whatever deadline it has."""
    request = Mock()
    dripping = asyncio.ensure_future(DELIVERIES["dripped"](request, make_reply(200, BODY)))
    await asyncio.sleep(0)
    dripping.cancel()
    (head,) = request.transport.write.call_args_list[0].args
    (length,) = re.findall(rb"Content-Length: (\d+)", head)
    assert int(length) * delivery._DRIP > MAX_SECONDS


async def test_echo_returns_the_credentials(ps7: Simulator, client: Client) -> None:
    """As a gateway in debug mode does: every header of the request, in the message."""
    answer = await client.look_up(ps7, "echo", {"x-app-key": "planted"})
    assert answer.status == 403
    assert "password: simulator" in answer.json["error_msg"]
    assert "x-app-key: planted" in answer.json["error_msg"]


async def test_a_wait_can_be_a_date(ps7: Simulator, client: Client) -> None:
    """As many seconds from now on as the fault has, less than one of them cut off."""
    began = time.time()
    answer = await client.look_up(ps7, "http-429-date")
    until = parsedate_to_datetime(answer.headers["Retry-After"]).timestamp()
    assert began < until <= time.time() + 1
