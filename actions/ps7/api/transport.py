"""The one place that opens a socket: sessions, TLS, timeouts, the size cap, and no redirects.

Knows bytes and aiohttp; knows neither PS7's fields nor Rasa.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from cryptography.x509 import load_pem_x509_certificates

from ..errors import ConnectionFailed, LookupFailed, PS7Unavailable, Reason, UnreadableAnswer
from . import telemetry
from .connections import MAX_ANSWER_BYTES, Connector
from .wire import METHOD, Answer, Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..settings import PS7Settings

_SECONDS_IDLE = 30
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
_KINDS = {Reason.NOT_HTTP: UnreadableAnswer, Reason.INTERNAL: PS7Unavailable}
"""What is no failed connection."""


class Transport:
    """Sends requests, over one pool of connections for each running event loop."""

    def __init__(self, settings: PS7Settings) -> None:
        self._settings = settings
        self._proxy = settings.proxy.get_secret_value() if settings.proxy else None
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    async def send(self, request: Request) -> Answer:
        """Send one request and read the whole answer; or raise LookupFailed.

        Redirects are not followed: the credentials would go to another host with them.
        """
        session: aiohttp.ClientSession | None = None
        try:
            loop = asyncio.get_running_loop()
            session = self._sessions.get(loop)
            if session is None or session.closed:
                session = await self._reopen(loop)
            # No `async with`: as it ends it waits for whatever still writes the request, which
            # aiohttp 3.9 has cancelled if the answer came first.
            response = await session.request(
                METHOD,
                request.url,
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
                proxy=self._proxy,
            )
            try:
                body = await self._read(response)
            except BaseException:
                response.close()  # once the answer is whole, its connection is free already
                raise
        except LookupFailed:
            raise
        except asyncio.CancelledError:
            if _is_cancelled(session):
                raise
            reason = Reason.CONNECTION_LOST
        except Exception as error:  # noqa: BLE001 - the family is closed
            reason = _reason(error)
            if reason is Reason.INTERNAL:
                telemetry.log_bug(error)
        else:
            return Answer(response.status, response.headers, body)
        # Raised out here, it carries no foreign error along: those quote what arrived, and name the
        # headers that were sent. `from None`, since a task that is written in Python, as some test
        # runners have, wakes us while it handles that very error. Made as it is raised: a variable
        # that holds it would keep it, its traceback, and so the whole conversation in memory.
        raise _KINDS.get(reason, ConnectionFailed)(reason) from None

    @staticmethod
    async def _read(response: aiohttp.ClientResponse) -> bytes:
        body, content = bytearray(), response.content
        while not content.at_eof():
            body += await content.readany()
            if len(body) > MAX_ANSWER_BYTES:
                raise UnreadableAnswer(Reason.ANSWER_TOO_LARGE, response.status)
        return bytes(body)

    async def _reopen(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        """Open a session for this loop, and close those of loops that have ended."""
        # The new one first: while the old ones are closed, other lookups may ask for it.
        session = self._sessions[loop] = self._open()
        gone = [known for known in self._sessions if known.is_closed()]
        for old in [self._sessions.pop(known) for known in gone]:
            await old.close()
        return session

    def _open(self) -> aiohttp.ClientSession:
        keep_alive = self._settings.keep_alive
        if self._settings.client_cert is not None:
            _note_end_of(self._settings.client_cert)
        return aiohttp.ClientSession(
            connector=Connector(
                ssl=tls_context(self._settings),
                limit=self._settings.max_connections,
                force_close=not keep_alive,
                keepalive_timeout=_SECONDS_IDLE if keep_alive else None,
                ttl_dns_cache=_SECONDS_DNS,
            ),
            timeout=aiohttp.ClientTimeout(
                total=None,
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
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    def close_all(self) -> None:
        """Close all connections of event loops that no longer run, as the process ends."""
        while self._sessions:
            loop, session = self._sessions.popitem()
            if loop.is_closed():
                asyncio.run(session.close())
            elif not loop.is_running():  # one that runs in another thread ends with the process
                loop.run_until_complete(session.close())


def _is_cancelled(session: aiohttp.ClientSession | None) -> bool:
    """Whether our own task was cancelled, and not a future of aiohttp's that it waits for.

    That happens to a request that waits for a connection while all are closed.
    """
    if sys.version_info < (3, 11):  # which cannot tell
        return session is None or not session.closed
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _reason(error: Exception) -> Reason:
    """Return the word for an error that is not ours."""
    known = (reason for kinds, reason in _FOREIGN if isinstance(error, kinds))
    return tls_reason(error) or next(known)


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
        telemetry.certificate_ends["client"] = first.not_valid_after_utc.timestamp()


def tls_reason(error: BaseException) -> Reason | None:
    """Return what TLS found wrong; None if the error is not about TLS."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _VERIFY_CODES.get(getattr(cause, "verify_code", 0), Reason.TLS)
        if isinstance(cause, ssl.SSLError):
            alert = getattr(cause, "reason", None) or ""  # only OpenSSL's errors have it
            refused = "ALERT" in alert and any(word in alert for word in _CERTIFICATE_ALERTS)
            return Reason.TLS_CLIENT_REFUSED if refused else Reason.TLS
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, the errors that aiohttp carries as attributes included."""
    while error is not None:
        # aiohttp's own classes derive from those of `ssl` and lack their attributes.
        carried = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
        yield carried if isinstance(carried, BaseException) else error
        error = error.__cause__ or error.__context__
