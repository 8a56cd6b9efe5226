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
import warnings
from base64 import b64encode
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from cryptography.x509 import load_pem_x509_certificates

from .. import telemetry
from ..outcomes import LookupFailed, Reason
from .wire import METHOD, Answer, Request

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..settings import PS7Settings

MAX_ANSWER_BYTES = 64 * 1024
"""A customer's context is one or two KiB: a larger answer is refused."""
_MAX_BYTES = 2 * MAX_ANSWER_BYTES
"""Of all that arrives on a connection, heads and interim answers included."""
_SECONDS_DNS = 60

# aiohttp 3.9 does not distinguish the two timeouts: there, both are a read timeout.
_CONNECT_TIMEOUT = tuple(filter(None, [getattr(aiohttp, "ConnectionTimeoutError", None)]))

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


class Pool(NamedTuple):
    """What one event loop has."""

    session: aiohttp.ClientSession
    places: asyncio.Semaphore
    """Of lookups: requests under way."""


class Http:
    """Sends requests, each over a connection of its own."""

    def __init__(self, settings: PS7Settings) -> None:
        self._settings = settings
        self._proxy, self._login = _proxy_of(settings)
        self._tls = tls_context(settings)
        if settings.client_cert is not None:
            _note_end_of(settings.client_cert)
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}

    async def send(self, request: Request, *, patience: float | None = None) -> Answer:
        """Send one request and read the whole answer; or raise LookupFailed.

        It waits so many seconds for one of the places of `PS7_MAX_CONNECTIONS`; with None, it needs
        none. Redirects are not followed: the credentials would go to another host with them.
        """
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None or pool.session.closed:
            pool = await self._new_pool(loop)
        if patience is not None:
            await _take_place(pool.places, patience)
        _asking.set(True)
        telemetry.in_use.add(1)
        try:
            # No `async with`: as it ends it waits for whatever still writes the request, which
            # aiohttp 3.9 has cancelled if the answer came first.
            response = await pool.session.request(
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
            if _is_cancelled(pool.session):
                raise
            reason = Reason.CONNECTION_LOST
        except Exception as error:  # noqa: BLE001 - the family is closed
            reason = _reason(error)
        else:
            return Answer(response.status, response.headers, body)
        finally:
            telemetry.in_use.add(-1)
            _asking.set(False)
            if patience is not None:
                pool.places.release()
        # Raised out here, it carries no foreign error along: those quote what arrived, and name the
        # headers that were sent. `from None`, since a task that is written in Python, as some test
        # runners have, wakes us while it handles that very error.
        raise LookupFailed(reason) from None

    async def _new_pool(self, loop: asyncio.AbstractEventLoop) -> Pool:
        """Open the pool of a loop, and close those of loops that have ended.

        The new one first: while the old ones are closed, other lookups may ask for it.
        """
        places = asyncio.Semaphore(self._settings.max_connections)
        pool = self._pools[loop] = Pool(self._open(), places)
        gone = [known for known in self._pools if known.is_closed()]
        for old in [self._pools.pop(known) for known in gone]:
            await old.session.close()
        return pool

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
        """Close the connections of the running loop. The next request opens new ones."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.session.close()

    def close_all(self) -> None:
        """Close all connections of event loops that no longer run, as the process ends."""
        while self._pools:
            loop, pool = self._pools.popitem()
            if loop.is_closed():
                asyncio.run(pool.session.close())
            elif not loop.is_running():  # one that runs in another thread ends with the process
                loop.run_until_complete(pool.session.close())


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

    aiohttp itself bounds each line of a head, but not on all versions how many there are.
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


def _is_cancelled(session: aiohttp.ClientSession) -> bool:
    """Whether our own task was cancelled, and not a future of aiohttp's that it waits for.

    aiohttp 3.9 cancels one if an answer comes before its request, or if all is closed.
    """
    if sys.version_info < (3, 11):  # which cannot tell
        return not session.closed
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _reason(error: Exception) -> Reason:
    """Return the word for an error that is not ours; one that nobody foresaw is logged."""
    known = (reason for kinds, reason in _FOREIGN if isinstance(error, kinds))
    reason = tls_reason(error) or next(known)
    if reason is Reason.INTERNAL:
        telemetry.log_bug(error)
    return reason


# TLS: which authorities we trust, which certificate we show, and what went wrong

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


def tls_context(settings: PS7Settings) -> ssl.SSLContext:
    """Build what a connection is checked by: TLS 1.2 at least, chain and host name verified.

    `PS7_CA_FILE` is trusted instead of the system's authorities; `PS7_CLIENT_CERT` is shown.
    """
    made = ssl.create_default_context(cafile=settings.ca_file)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_cert is not None:
        made.load_cert_chain(settings.client_cert, settings.client_key)
    return made


def _note_end_of(file: Path) -> None:
    """Note until when the client's certificate is good, the first one of its file."""
    # OpenSSL takes forms that `cryptography` refuses or warns of: the lookup goes on without.
    with suppress(ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = load_pem_x509_certificates(file.read_bytes())[0]
        telemetry.client_certificate_read(first.not_valid_after_utc)


def tls_reason(error: BaseException) -> Reason | None:
    """Return what TLS found wrong; None if the error is not about TLS."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _VERIFY_CODES.get(getattr(cause, "verify_code", 0), Reason.TLS)
        if isinstance(cause, ssl.SSLError):
            alert = str(getattr(cause, "reason", None))  # only OpenSSL's errors have it
            refused = "ALERT" in alert and any(word in alert for word in _CERTIFICATE_ALERTS)
            return Reason.TLS_CLIENT_REFUSED if refused else Reason.TLS
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, except for aiohttp's own errors.

    These derive from those of `ssl` and lack their attributes. Each has the error that aiohttp met
    as its cause.
    """
    while error is not None:
        if not isinstance(error, aiohttp.ClientError):
            yield error
        error = error.__cause__ or error.__context__
