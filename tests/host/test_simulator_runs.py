"""Where the simulator runs: over TLS, and in a thread of its own for any test."""

from __future__ import annotations

import ssl
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
import trustme
from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)

from actions.ps7.testing import PERSONAS, BackgroundSimulator, Simulator
from tests.host.loopback import TLS_IN_TESTS
from tests.support.simulator_client import Client

pytestmark = TLS_IN_TESTS
AUTHORITY = trustme.CA()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Yield a client that trusts one authority; what it waits for comes within seconds or never."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    connector = TCPConnector(ssl=context)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=10)) as session:
        yield Client(session)


@pytest.fixture
def ps7() -> Iterator[BackgroundSimulator]:
    """Yield a simulator on a free port, in a thread that ends with the test."""
    threads = threading.enumerate()
    with BackgroundSimulator() as simulator:
        yield simulator
    assert threading.enumerate() == threads


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_it_serves_https_under_the_name_of_its_certificate(client: Client, host: str) -> None:
    """An address, or a name for it; and the faults of the connection are below the encryption."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(host).configure_cert(context)
    async with Simulator(ssl_context=context, host_name=host) as ps7:
        assert ps7.url == ps7.environment["PS7_BASE_URL"] == f"https://{host}:{ps7.port}"
        assert (await client.look_up(ps7, "ana")).json == PERSONAS["ana"].answer
        for name, error in (("reset", ClientConnectionError), ("closed-body", ClientPayloadError)):
            with pytest.raises(error):
                await client.look_up(ps7, name)
        assert len(ps7.requests) == 3


async def test_a_fault_is_everyones_for_a_while(ps7: BackgroundSimulator, client: Client) -> None:
    """Whatever is asked about; then each has its own answer again, also after an exception."""
    with ps7.failing("http-503"):
        for context_id in ("ana", "unknown"):
            assert (await client.look_up(ps7, context_id)).status == 503
        assert (await client.look_up(ps7, "ana", {"password": "x"})).status == 401
        assert ps7.asked == ["ana", "unknown"], "one was refused: PS7 was not asked"
    with ps7.failing("flapping"):
        assert (await client.look_up(ps7, "ana")).status == 503
        with pytest.raises(ClientError):
            await client.look_up(ps7, "ana")
    with pytest.raises(ClientError), ps7.failing("reset"):
        await client.look_up(ps7, "ana")
    answer = await client.look_up(ps7, "ana")
    assert (answer.json, answer.headers["Connection"]) == (PERSONAS["ana"].answer, "close")
    with pytest.raises(ValueError, match=r"'ana' is no fault; those are not-found, .*http-503"):
        ps7.failing("ana").__enter__()


async def test_it_goes_down_and_comes_up_again(ps7: BackgroundSimulator, client: Client) -> None:
    """For a block, or from one call to another; on the same port, its record kept."""
    url = ps7.url
    with pytest.raises(ClientError), ps7.down():
        await client.look_up(ps7, "ana")
    assert (await client.look_up(ps7, "ana")).status == 200
    await ps7.stop()
    with pytest.raises(ClientError):
        await client.look_up(ps7, "ana")
    for _ in range(2):
        await ps7.start()
    assert (await client.look_up(ps7, "ana")).status == 200
    assert (ps7.url, ps7.asked) == (url, ["ana"] * 2)
    taken = pytest.raises(OSError, match="address already in use")
    with taken, BackgroundSimulator(port=ps7.port):
        pass
