"""The simulator over TLS: the same as without, for whoever trusts its certificate."""

from __future__ import annotations

import ssl
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trustme
from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)

from actions.ps7.testing import PERSONAS, Simulator
from tests.support.simulator_client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Before Python 3.11 asyncio lets go of a TLS transport later than it is closed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
    *(
        [pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
        if sys.version_info < (3, 11)
        else []
    ),
]

AUTHORITY = trustme.CA()


def server_side(*names: str) -> ssl.SSLContext:
    """Give what a server of these names shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*names).configure_cert(context)
    return context


@asynccontextmanager
async def client_that_trusts(authority: trustme.CA) -> AsyncIterator[Client]:
    """Give a client that takes certificates of one authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    connector = TCPConnector(ssl=context)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=10)) as session:
        yield Client(session)


@pytest.mark.parametrize("name", [None, "localhost"])
async def test_it_serves_https_under_the_name_of_its_certificate(name: str | None) -> None:
    """An address, or a name for it."""
    host = name or "127.0.0.1"
    async with (
        Simulator(ssl_context=server_side(host), host_name=name) as ps7,
        client_that_trusts(AUTHORITY) as client,
    ):
        assert ps7.url == f"https://{host}:{ps7.port}"
        assert ps7.environment["PS7_BASE_URL"] == ps7.url
        assert (await client.look_up(ps7, "ana")).json == PERSONAS["ana"].answer
        await ps7.stop()
        await ps7.start()
        assert (await client.look_up(ps7, "ana")).status == 200


async def test_a_client_that_does_not_trust_it_sends_nothing() -> None:
    """The handshake ends before the request."""
    async with (
        Simulator(ssl_context=server_side("127.0.0.1")) as ps7,
        client_that_trusts(trustme.CA()) as client,
    ):
        with pytest.raises(ClientConnectorCertificateError):
            await client.look_up(ps7, "ana")
        assert ps7.requests == []


def test_the_url_without_tls_may_have_a_name_too() -> None:
    """Such as one that resolves to this machine."""
    assert Simulator(port=8077, host_name="localhost").url == "http://localhost:8077"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("reset", ClientConnectionError),
        ("closed", ClientConnectionError),
        ("reset-body", ClientPayloadError),
        ("closed-body", ClientPayloadError),
    ],
)
async def test_connections_break_as_without_tls(name: str, error: type[Exception]) -> None:
    """The faults of the connection are below the encryption."""
    async with (
        Simulator(ssl_context=server_side("127.0.0.1")) as ps7,
        client_that_trusts(AUTHORITY) as client,
    ):
        with pytest.raises(error):
            await client.look_up(ps7, name)
        assert len(ps7.requests) == 1
