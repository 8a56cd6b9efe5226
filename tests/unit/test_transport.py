"""Foreign errors: every one of aiohttp's, and whatever else, comes out as one of ours."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import client_exceptions, http_exceptions

from actions.ps7.api.transport import _KINDS, _reason
from actions.ps7.errors import ConnectionFailed, Reason

pytestmark = pytest.mark.versions

# Which classes of aiohttp lead to a reason. Not all of them exist in every version of it.
CLASSES = {
    Reason.CONNECT: "ClientConnectorDNSError ClientConnectorError UnixClientConnectorError",
    Reason.CONNECT_TIMEOUT: "ConnectionTimeoutError",
    Reason.CONNECTION_LOST: "ClientConnectionError ClientConnectionResetError ClientOSError "
    "ClientPayloadError ServerConnectionError ServerDisconnectedError",
    Reason.NOT_HTTP: "ClientError ClientResponseError ContentTypeError InvalidURL "
    "InvalidUrlClientError InvalidUrlRedirectClientError NonHttpUrlClientError "
    "NonHttpUrlRedirectClientError RedirectClientError TooManyRedirects UploadAbortedError "
    "WSServerHandshakeError",
    Reason.PROXY: "ClientHttpProxyError ClientProxyConnectionError",
    Reason.READ_TIMEOUT: "ServerTimeoutError SocketTimeoutError",
    Reason.TLS: "ClientConnectorCertificateError ClientConnectorSSLError ClientSSLError "
    "ServerFingerprintMismatch",
}
REASONS = {name: reason for reason, names in CLASSES.items() for name in names.split()}


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


CLIENT_ERRORS = sorted(family(aiohttp.ClientError), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", CLIENT_ERRORS, ids=lambda kind: kind.__name__)
def test_each_error_of_the_client_has_its_reason(kind: type[Exception]) -> None:
    """A class that a new aiohttp brings is unavailable too; its reason is to be thought about."""
    assert _reason(made(kind)) is REASONS[kind.__name__]


def test_all_that_the_client_may_raise_are_in_the_table() -> None:
    """By aiohttp's own list of public names; what it says of web sockets is not for us."""
    public = {getattr(client_exceptions, name) for name in client_exceptions.__all__}
    others = {kind.__name__ for kind in public - set(CLIENT_ERRORS)}
    assert others <= {"WSMessageTypeError"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        *((kind(), Reason.CONNECT) for kind in (OSError, TimeoutError, UnicodeError)),
        (ssl.SSLError(), Reason.TLS),
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
