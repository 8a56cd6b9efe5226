"""The simulator in a thread of its own: for any test, whatever event loop that runs in."""

from __future__ import annotations

import asyncio
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientError, ClientSession

from actions.ps7.testing import FAULTS, PERSONAS, BackgroundSimulator
from tests.support.simulator_client import LOGIN, PATH, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def ps7() -> Iterator[BackgroundSimulator]:
    """Give a simulator on a free port, in a thread that ends with the test."""
    threads = threading.enumerate()
    with BackgroundSimulator() as simulator:
        yield simulator
    assert threading.enumerate() == threads


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with ClientSession() as session:
        yield Client(session)


def test_it_serves_a_client_without_an_event_loop(ps7: BackgroundSimulator) -> None:
    """One that blocks; and what was asked is on record by the time that it has its answer."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        ps7.url + PATH,
        b'{"contextId": "ana"}',
        {**LOGIN, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.headers["Connection"] == "close"
    assert ps7.asked == ["ana"]
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(  # noqa: S310 - our own server
            urllib.request.Request(ps7.url + PATH, b"{}"),  # noqa: S310 - our own server
            timeout=10,
        )
    refused.value.close()
    assert ps7.asked == ["ana"], "the gateway refused it: PS7 was not asked"
    assert [request.status for request in ps7.requests] == [200, 401]


async def test_a_fault_is_everybodys_for_a_while(ps7: BackgroundSimulator, client: Client) -> None:
    """Whoever is asked about; then each has their own answer again, also after an error."""
    ps7.script("C9", ["bruno", "ana"])
    with ps7.failing("http-503"):
        for context_id in ("ana", "C9", "nobody"):
            assert (await client.look_up(ps7, context_id)).status == 503
    assert (await client.look_up(ps7, "ana")).json == PERSONAS["ana"].answer
    with pytest.raises(ZeroDivisionError), ps7.failing("http-404"):
        raise ZeroDivisionError
    answers = [await client.look_up(ps7, "C9") for _ in range(2)]
    assert [answer.json for answer in answers] == [
        PERSONAS["bruno"].answer,
        PERSONAS["ana"].answer,
    ], "none of the script was used up meanwhile"


async def test_a_fault_of_several_answers_plays_them_in_turn(
    ps7: BackgroundSimulator, client: Client
) -> None:
    """Each time anew."""
    for _ in range(2):
        with ps7.failing("flapping"):
            assert (await client.look_up(ps7, "ana")).status == 503
            with pytest.raises(ClientError):
                await client.look_up(ps7, "ana")
            for _ in range(2):
                assert (await client.look_up(ps7, "ana")).json == FAULTS["flapping"].body


@pytest.mark.parametrize("name", ["nothing", "ana"])
def test_only_a_fault_can_happen_to_everybody(ps7: BackgroundSimulator, name: str) -> None:
    """A slip of the pen is an error at once; it says which there are."""
    with pytest.raises(ValueError, match=rf"'{name}' is no fault; those are not-found, .*http-503"):
        ps7.failing(name).__enter__()


async def test_it_goes_down_and_comes_up_again(ps7: BackgroundSimulator, client: Client) -> None:
    """For a block, or from one call to another; on the same port, its record kept."""
    url = ps7.url
    assert (await client.look_up(ps7, "ana")).status == 200
    with ps7.down(), pytest.raises(ClientError):
        await client.look_up(ps7, "ana")
    assert (await client.look_up(ps7, "ana")).status == 200
    await ps7.stop()
    with pytest.raises(ClientError):
        await client.look_up(ps7, "ana")
    await ps7.start()
    assert (await client.look_up(ps7, "ana")).status == 200
    assert (ps7.url, ps7.asked) == (url, ["ana"] * 3)


def test_a_port_that_is_taken_is_an_error(ps7: BackgroundSimulator) -> None:
    """At the `with`; and no thread stays behind."""
    with (
        pytest.raises(OSError, match="address already in use"),
        BackgroundSimulator(port=ps7.port),
    ):
        pass


def test_an_answer_under_way_does_not_hold_up_its_end(ps7: BackgroundSimulator) -> None:
    """A client still waits for a slow answer when the test is over."""

    async def wait() -> None:
        async with ClientSession() as session:
            asked = asyncio.ensure_future(Client(session).look_up(ps7, "slow"))
            while not ps7.requests:  # noqa: ASYNC110 - they come from another thread
                await asyncio.sleep(0.01)
            await ps7.stop()
            with pytest.raises(ClientError):
                await asked

    asyncio.run(asyncio.wait_for(wait(), 10))
