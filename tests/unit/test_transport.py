"""Foreign errors: every one of aiohttp's, and whatever else, comes out as one of ours."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import http_exceptions

from actions.ps7.api.transport import _KINDS, _reason
from actions.ps7.errors import ConnectionFailed, Reason

pytestmark = pytest.mark.versions


def family(root: type[Exception]) -> Iterator[type[Exception]]:
    """Walk a class and all that derive from it, each once."""
    seen = {root: None}
    for kind in seen.copy():
        for child in kind.__subclasses__():
            seen.update(dict.fromkeys(family(child)))
    yield from seen


def made(kind: type[Exception]) -> Exception:
    """Make an instance without what its constructor wants."""
    return kind.__new__(kind)


ERRORS_OF_THE_CLIENT = {
    *(Reason.CONNECT, Reason.CONNECT_TIMEOUT, Reason.CONNECTION_LOST, Reason.NOT_HTTP),
    *(Reason.PROXY, Reason.READ_TIMEOUT, Reason.TLS),
}


@pytest.mark.parametrize("kind", family(aiohttp.ClientError), ids=lambda kind: kind.__name__)
def test_each_error_of_the_client_has_a_reason(kind: type[Exception]) -> None:
    """A class that a new aiohttp brings too; what the network does is in tests/faults."""
    assert _reason(made(kind)) in ERRORS_OF_THE_CLIENT


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        *((kind(), Reason.CONNECT) for kind in (OSError, TimeoutError, UnicodeError)),
        (ssl.SSLError(), Reason.TLS),
        (made(aiohttp.ServerTimeoutError), Reason.READ_TIMEOUT),
        (made(aiohttp.ClientPayloadError), Reason.CONNECTION_LOST),
        (made(aiohttp.ClientHttpProxyError), Reason.PROXY),
        *((kind(), Reason.INTERNAL) for kind in (RuntimeError, Exception)),
        *((made(kind), Reason.NOT_HTTP) for kind in family(http_exceptions.HttpProcessingError)),
    ],
    ids=repr,
)
def test_what_is_not_of_the_client_is_translated_too(error: Exception, reason: Reason) -> None:
    """The operating system's errors are the network's, and so are those from below the client.

    All others are a mistake of ours.
    """
    assert _reason(error) is reason
    assert _KINDS.get(reason, ConnectionFailed).outcome.value == "unavailable"
