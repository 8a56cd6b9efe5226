"""What comes from below aiohttp, or from it at a wrong moment. What breaks is in tests/host."""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from types import SimpleNamespace
from unittest.mock import AsyncMock, Mock

import aiohttp
import pytest
from aiohttp.http_exceptions import HttpProcessingError

from actions.ps7 import LookupFailed, PS7Settings, Reason
from actions.ps7.lookup import http as module
from actions.ps7.lookup.http import MAX_ANSWER_BYTES, Http, _Limited, _reason
from actions.ps7.lookup.wire import Request

pytestmark = pytest.mark.versions

KNOWS_WHOSE = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 cannot tell")
REQUEST = Request("http://127.0.0.1:9/", {"A": "b"}, b"{}")


def http_of(**settings: object) -> Http:
    login = {"base_url": "http://127.0.0.1:9", "username": "u", "password": "p"}
    given = PS7Settings.model_validate({**login, **settings})
    return Http(given, given.tls_context())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        *((kind(), Reason.CONNECT) for kind in (OSError, TimeoutError, UnicodeError)),
        (HttpProcessingError(), Reason.NOT_HTTP),
        *((kind(), Reason.TLS) for kind in (ssl.SSLError, ssl.SSLCertVerificationError)),
        *((kind(), Reason.INTERNAL) for kind in (RuntimeError, Exception)),
    ],
    ids=repr,
)
def test_what_is_not_of_the_client_is_translated_too(error: Exception, reason: Reason) -> None:
    """The operating system's errors are the network's; all others are a mistake of ours.

    An error of TLS that is not OpenSSL's has neither a code nor an alert.
    """
    with pytest.raises(type(error)) as raised:
        raise error
    assert _reason(raised.value) == (reason, "")


@pytest.mark.parametrize(
    ("version", "closes", "ends"),
    [
        ((3, 10), True, LookupFailed(Reason.CONNECTION_LOST)),
        ((3, 10), False, asyncio.CancelledError()),
        pytest.param((3, 11), False, LookupFailed(Reason.CONNECTION_LOST), marks=KNOWS_WHOSE),
    ],
    ids=repr,
)
async def test_a_cancellation_that_is_not_ours_is_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], closes: bool, ends: BaseException
) -> None:
    """With aiohttp 3.9 an answer that comes before its request cancels a future; no turn ends.

    Python 3.10 does not know whose it is: there it is not ours only if all was closed.
    """

    async def request(*_args: object, **_options: object) -> None:
        if closes:
            await http.close()
        raise asyncio.CancelledError

    http = http_of()
    monkeypatch.setattr(module, "sys", SimpleNamespace(version_info=version))
    monkeypatch.setattr(aiohttp.ClientSession, "request", request)
    with pytest.raises(type(ends), match=f"^{ends}$") as raised:
        await http.send(REQUEST)
    assert getattr(raised.value, "detail", "") == ""
    await http.close()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("SSLV3_ALERT_BAD_CERTIFICATE", Reason.TLS_CLIENT_REFUSED),
        ("TLSV1_ALERT_UNKNOWN_CA", Reason.TLS_CLIENT_REFUSED),
        ("TLSV1_ALERT_ACCESS_DENIED", Reason.TLS_CLIENT_REFUSED),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", Reason.TLS_CLIENT_REFUSED),
        ("TLSV1_ALERT_PROTOCOL_VERSION", Reason.TLS),
        ("CERTIFICATE_VERIFY_FAILED", Reason.TLS),
        ("WRONG_VERSION_NUMBER", Reason.TLS),
    ],
)
def test_only_an_alert_about_a_certificate_refuses_ours(said: str, reason: Reason) -> None:
    """By OpenSSL's word, which goes into the log."""
    error = ssl.SSLError()
    error.reason = said
    assert _reason(error) == (reason, said)


UNKNOWN_CA, WRONG_HOST = Reason.TLS_UNKNOWN_CA, Reason.TLS_WRONG_HOST
CODES = {9: Reason.TLS, 10: Reason.TLS_EXPIRED, **dict.fromkeys((18, 19, 20, 21), UNKNOWN_CA)}
CODES |= {62: WRONG_HOST, 63: Reason.TLS, 64: WRONG_HOST}


@pytest.mark.parametrize(("code", "reason"), CODES.items())
def test_a_certificate_is_refused_by_openssls_code(code: int, reason: Reason) -> None:
    """Its X509_V_ERR_*; its word goes into the log."""
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "its word"
    assert _reason(error) == (reason, "its word")


async def test_a_place_is_free_again_however_a_request_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever waits gets it. What needs none gives none back, and is sent where none is free."""

    async def ends(reason: Reason, patience: float | None) -> None:
        with pytest.raises(LookupFailed, match=f"^{reason.value}$"):
            await http.send(REQUEST, patience=patience)

    monkeypatch.setattr(
        aiohttp.ClientSession, "request", AsyncMock(side_effect=aiohttp.ClientPayloadError)
    )
    http = http_of(max_connections=1)
    for patience in (None, 1.0, 1.0):
        await ends(Reason.CONNECTION_LOST, patience)
    await http._places.acquire()
    await ends(Reason.CONNECTION_LOST, None)
    await ends(Reason.BUSY, 0.01)
    asyncio.get_running_loop().call_soon(http._places.release)
    await ends(Reason.CONNECTION_LOST, 1.0)
    await http._places.acquire()
    assert http._places.locked()
    assert vars(http._session)["_connector"].limit == 0, "nothing else bounds them"
    await http.close()


PS7, LOGIN = "https://ps7.example", "Proxy-Authorization"


@pytest.mark.parametrize(
    ("base", "proxy", "header", "of_proxy"),
    [
        (PS7, None, {}, (None, None)),
        (PS7, "http://px:3", {}, ("http://px:3", None)),
        (
            *(PS7, "http://us%40er:pl@nted%20w@px:3/", {}),
            ("http://px:3/", {LOGIN: "Basic dXNAZXI6cGxAbnRlZCB3"}),
        ),
        (REQUEST.url, "http://u:@[::1]:3", {LOGIN: "Basic dTo="}, ("http://[::1]:3", None)),
    ],
    ids=["no proxy", "without a password", "with one", "in clear"],
)
async def test_the_password_of_a_proxy_is_in_a_header_and_in_no_url(
    monkeypatch: pytest.MonkeyPatch,
    base: str,
    proxy: str | None,
    header: dict[str, str],
    of_proxy: object,
) -> None:
    """A connection that is left open is named by its URL. Over http the request has the header."""
    request = AsyncMock(side_effect=OSError)
    http = http_of(base_url=base, proxy=proxy)
    monkeypatch.setattr(aiohttp.ClientSession, "request", request)
    with pytest.raises(LookupFailed):
        await http.send(REQUEST)
    await http.close()
    (sent,) = (call.kwargs for call in request.mock_calls)
    assert sent["headers"] == REQUEST.headers | header
    assert (sent.get("proxy"), sent.get("proxy_headers")) == of_proxy


async def test_aiohttp_logs_nothing_while_ps7_is_asked_and_what_others_do_as_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It would quote from an answer that it cannot read: versions differ in what they read."""
    loggers = [logging.getLogger(f"aiohttp.{name}") for name in ("client", "internal")]
    for logger in loggers:
        monkeypatch.setattr(logger, "filters", [])  # those of clients before

    async def request(*_args: object, **_options: object) -> None:
        for logger in loggers:
            logger.warning("Can not load response cookies: planted")
        raise OSError

    http = http_of()
    monkeypatch.setattr(aiohttp.ClientSession, "request", request)
    with pytest.raises(LookupFailed):
        await http.send(REQUEST)
    await http.close()
    assert caplog.messages == []
    for logger in loggers:
        logger.warning("another client's")
    assert caplog.messages == ["another client's"] * 2


@pytest.mark.parametrize("more", [0, 1])
def test_a_connection_brings_128_kib_and_ends_with_one_byte_more(more: int) -> None:
    """Which is then no HTTP, however the connection ends."""
    transport, protocol = Mock(), Mock()
    limited = _Limited(transport, protocol)
    for size in (MAX_ANSWER_BYTES, MAX_ANSWER_BYTES, more):
        limited.data_received(bytes(size))
    limited.connection_lost(None)
    ((error,), _) = protocol.connection_lost.call_args
    assert transport.abort.called == isinstance(error, HttpProcessingError) == bool(more)
