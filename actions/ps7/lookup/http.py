"""The one place that opens a socket: sessions, TLS, timeouts, the size cap, and no redirects.

**No connection is used twice.** HTTP/1.1 pairs answers with requests by their order alone: a
gateway that forwards a late answer, or sends one twice, would hand one customer's data to the next
request on that connection. Knows bytes and aiohttp; knows neither PS7's fields nor Rasa.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from base64 import b64encode
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from .. import telemetry
from ..outcomes import LookupFailed, Reason
from .wire import METHOD, Answer, Request

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..settings import PS7Settings

MAX_ANSWER_BYTES = 64 * 1024
"""A customer's context is one or two KiB: a larger answer is refused."""
_MAX_BYTES = 2 * MAX_ANSWER_BYTES
"""Of all that arrives on a connection, heads and interim answers included."""
_SECONDS_DNS = 60

# What aiohttp 3.9 needs, which Rasa's own environment has

# It does not tell the two timeouts apart: there, both are a read timeout.
_CONNECT_TIMEOUT = tuple(filter(None, [getattr(aiohttp, "ConnectionTimeoutError", None)]))


def _is_cancelled(session: aiohttp.ClientSession) -> bool:
    """Whether our own task was cancelled, and not a future of aiohttp's that it waits for.

    aiohttp 3.9 cancels one if an answer comes before its request, or if all is closed.
    """
    if sys.version_info < (3, 11):  # which cannot tell
        return not session.closed
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


# A request

# First match wins: each class comes before those that it derives from.
_FOREIGN: tuple[tuple[tuple[type[Exception], ...], Reason], ...] = (
    (_CONNECT_TIMEOUT, Reason.CONNECT_TIMEOUT),
    ((aiohttp.ServerTimeoutError,), Reason.READ_TIMEOUT),
    ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), Reason.TLS),
    ((aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError), Reason.PROXY),
    ((aiohttp.ClientConnectorError,), Reason.CONNECT),
    ((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError), Reason.CONNECTION_LOST),
    ((aiohttp.ClientError, HttpProcessingError), Reason.NOT_HTTP),
    ((OSError, UnicodeError), Reason.CONNECT),  # the second: a name that cannot be one
    ((Exception,), Reason.INTERNAL),
)


class Http:
    """Sends the requests of one event loop, each over a connection of its own."""

    def __init__(self, settings: PS7Settings, tls: ssl.SSLContext) -> None:
        """Take what a connection is checked by, read once for a process."""
        self._settings, self._tls = settings, tls
        self._proxy, self._login = _proxy_of(settings)
        self._places = asyncio.Semaphore(settings.max_connections)
        """Of lookups: requests under way."""
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request, *, patience: float | None = None) -> Answer:
        """Send one request and read the whole answer; or raise LookupFailed.

        It waits so many seconds for one of the places of `PS7_MAX_CONNECTIONS`; with None, it needs
        none. Redirects are not followed: the credentials would go to another host with them.
        """
        session = self._session
        if session is None or session.closed:
            session = self._session = self._open()
        if patience is not None:
            await _take_place(self._places, patience)
        _asking.set(True)
        telemetry.in_use.add(1)
        try:
            # No `async with`: as it ends it waits for whatever still writes the request, which
            # aiohttp 3.9 has cancelled if the answer came first.
            response = await session.request(
                METHOD,
                request.url,
                data=request.body,
                headers=request.headers | self._login,
                allow_redirects=False,
                **self._proxy,
            )
            try:
                body = await _read(response)
            except BaseException:
                response.close()  # once the answer is whole, its connection is closed already
                raise
        except LookupFailed:
            raise
        except asyncio.CancelledError:
            if _is_cancelled(session):
                raise
            reason, detail = Reason.CONNECTION_LOST, ""
        except Exception as error:  # noqa: BLE001 - the family is closed
            reason, detail = _reason(error)
        else:
            return Answer(response.status, response.headers, body)
        finally:
            telemetry.in_use.add(-1)
            _asking.set(False)
            if patience is not None:
                self._places.release()
        # Raised out here, it carries no foreign error along: those quote what arrived, and name the
        # headers that were sent. `from None`, since a task that is written in Python, as some test
        # runners have, wakes us while it handles that very error.
        raise LookupFailed(reason, detail=detail) from None

    def _open(self) -> aiohttp.ClientSession:
        for name in ("aiohttp.client", "aiohttp.internal"):
            logging.getLogger(name).addFilter(_may_be_logged)
        return aiohttp.ClientSession(
            connector=_OneRequestEach(
                ssl=self._tls,
                limit=0,
                force_close=True,
                ttl_dns_cache=_SECONDS_DNS,
            ),
            timeout=aiohttp.ClientTimeout(
                sock_connect=self._settings.connect_timeout,
                sock_read=self._settings.read_timeout,
            ),
            # One customer's answer must not set a cookie for the next customer's request.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections. The next request opens new ones."""
        if self._session is not None:
            await self._session.close()

    def detach(self) -> None:
        """Leave the connections to their event loop, which runs no more: none stays open long."""
        if self._session is not None:
            self._session.detach()


async def _take_place(places: asyncio.Semaphore, patience: float) -> None:
    """Take a place, at once or as soon as one is free; LookupFailed if none is in time."""
    if not places.locked():
        await places.acquire()
        return
    telemetry.waiting.add(1)
    try:
        async with timeout(patience):
            await places.acquire()
    except asyncio.TimeoutError:
        raise LookupFailed(Reason.BUSY) from None
    finally:
        telemetry.waiting.add(-1)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body, content = bytearray(), response.content
    while not content.at_eof():
        body += await content.readany()
        if len(body) > MAX_ANSWER_BYTES:
            raise LookupFailed(Reason.ANSWER_TOO_LARGE, response.status)
    return bytes(body)


def _proxy_of(settings: PS7Settings) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what aiohttp has to know of the proxy, and a header of requests that it reads itself.

    User and password go into a header: aiohttp shows the URL if a connection is left open.
    """
    if settings.proxy is None:
        return {}, {}
    parts = urlsplit(settings.proxy.get_secret_value())
    url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.username is None:
        return {"proxy": url}, {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    header = {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"}
    if settings.base_url.startswith("http:"):
        return {"proxy": url}, header
    return {"proxy": url, "proxy_headers": header}, {}


def _reason(error: Exception) -> tuple[Reason, str]:
    """Return the word for an error that is not ours, and what OpenSSL says; log an unforeseen one.

    OpenSSL's words are constants of its own: no text of the server's is among them.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = getattr(cause, "verify_message", "")
            return _VERIFY_CODES.get(getattr(cause, "verify_code", 0), Reason.TLS), said
        if isinstance(cause, ssl.SSLError):
            said = getattr(cause, "reason", None) or ""  # only OpenSSL's errors have one
            refused = "ALERT" in said and any(word in said for word in _CERTIFICATE_ALERTS)
            return Reason.TLS_CLIENT_REFUSED if refused else Reason.TLS, said
    reason = next(reason for kinds, reason in _FOREIGN if isinstance(error, kinds))
    if reason is Reason.INTERNAL:
        telemetry.log_bug(error)
    return reason, ""


# X509_V_ERR_* of OpenSSL, from openssl/x509_vfy.h.
_VERIFY_CODES = {
    10: Reason.TLS_EXPIRED,
    **dict.fromkeys((18, 19), Reason.TLS_UNKNOWN_CA),  # self-signed, or so further up the chain
    **dict.fromkeys((20, 21), Reason.TLS_UNKNOWN_CA),  # its issuer is not trusted, or not there
    **dict.fromkeys((62, 64), Reason.TLS_WRONG_HOST),  # a name, or an address
}
_CERTIFICATE_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE")
"""Words of a server's alert if it does not accept the client's certificate, or the lack of one.
TLS 1.2 servers send the last if none was shown; a lack of common ciphers looks alike."""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, except for aiohttp's own errors.

    These derive from those of `ssl` and lack their attributes. Each has the error that aiohttp met
    as its cause.
    """
    while error is not None:
        if not isinstance(error, aiohttp.ClientError):
            yield error
        error = error.__cause__ or error.__context__


# What no aiohttp does by itself: bound all that arrives, and keep answers out of its log


class _OneRequestEach(aiohttp.TCPConnector):
    """Opens a connection for each request, and bounds what arrives on it."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        transport: Any = connection.transport  # it is there: it was opened just now
        transport.set_protocol(_Limited(transport, connection.protocol))
        return connection


class _Limited(asyncio.Protocol):
    """Hands what arrives on to aiohttp, and ends the connection if it is too much.

    aiohttp itself bounds each line of a head, but neither interim answers nor extensions of chunks;
    3.9 not how many lines there are either.
    """

    def __init__(self, transport: asyncio.Transport, protocol: Any) -> None:  # noqa: ANN401
        self._transport = transport
        self._protocol = protocol
        self._left = _MAX_BYTES

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        self._protocol.data_received(data)
        if self._left < 0:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._protocol.connection_lost(HttpProcessingError() if self._left < 0 else error)


_asking: ContextVar[bool] = ContextVar("ps7_asking", default=False)
"""Whether this task asks PS7 at this moment."""


def _may_be_logged(_record: logging.LogRecord) -> bool:
    """Whether aiohttp may log a line: not while PS7 is asked, since it may quote the answer."""
    return not _asking.get()
