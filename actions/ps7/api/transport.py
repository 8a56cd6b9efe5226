"""The one place that opens a socket: sessions, timeouts, the size cap, and no redirects.

Knows bytes and aiohttp; knows neither PS7's fields nor Rasa.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from ..errors import (
    ConnectionFailed,
    LookupFailed,
    PS7Unavailable,
    Reason,
    UnreadableAnswer,
)
from . import tls
from .connections import MAX_ANSWER_BYTES, Connector
from .wire import METHOD, Answer, Request

if TYPE_CHECKING:
    from ..settings import PS7Settings

_SECONDS_IDLE = 30
_SECONDS_DNS = 60

# aiohttp 3.9 does not distinguish the two timeouts: there, both are a read timeout.
_ConnectTimeout: type[Exception] | tuple[()] = getattr(aiohttp, "ConnectionTimeoutError", ())

# First match wins: each class stands before those that it derives from.
_FOREIGN: tuple[tuple[type[Exception] | tuple[()], type[PS7Unavailable], Reason], ...] = (
    (_ConnectTimeout, ConnectionFailed, Reason.CONNECT_TIMEOUT),
    (aiohttp.ServerTimeoutError, ConnectionFailed, Reason.READ_TIMEOUT),
    (aiohttp.ClientSSLError, ConnectionFailed, Reason.TLS),
    (aiohttp.ServerFingerprintMismatch, ConnectionFailed, Reason.TLS),
    (aiohttp.ClientHttpProxyError, ConnectionFailed, Reason.PROXY),
    (aiohttp.ClientProxyConnectionError, ConnectionFailed, Reason.PROXY),
    (aiohttp.ClientConnectorError, ConnectionFailed, Reason.CONNECT),
    (aiohttp.ClientConnectionError, ConnectionFailed, Reason.CONNECTION_LOST),
    (aiohttp.ClientPayloadError, ConnectionFailed, Reason.CONNECTION_LOST),
    (aiohttp.ClientError, UnreadableAnswer, Reason.NOT_HTTP),
    (HttpProcessingError, UnreadableAnswer, Reason.NOT_HTTP),
    (OSError, ConnectionFailed, Reason.CONNECT),
)


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
        failure: type[PS7Unavailable]
        try:
            session = await self._session()
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
            finally:
                response.close()  # unless the answer is whole: then its connection is free already
        except LookupFailed:
            raise
        except asyncio.CancelledError:
            if _is_cancelled(session):
                raise
            failure, reason = ConnectionFailed, Reason.CONNECTION_LOST
        except Exception as error:  # noqa: BLE001 - the family is closed
            failure, reason = _translate(error)
        else:
            return Answer(response.status, response.headers, body)
        # Raised out here, it carries no foreign error along: those quote what arrived, and name the
        # headers that were sent. `from None`, since a task that is written in Python, as some test
        # runners have, wakes us while it handles that very error. Made as it is raised: a variable
        # that holds it would keep it, its traceback, and so the whole conversation in memory.
        raise failure(reason) from None

    @staticmethod
    async def _read(response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise UnreadableAnswer(Reason.ANSWER_TOO_LARGE, response.status)
        return bytes(body)

    async def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            # The new one first: while the old ones are closed, other lookups may ask for it.
            session = self._sessions[loop] = self._open()
            gone = [known for known in self._sessions if known.is_closed()]
            for old in [self._sessions.pop(known) for known in gone]:
                await old.close()
        return session

    def _open(self) -> aiohttp.ClientSession:
        keep_alive = self._settings.keep_alive
        return aiohttp.ClientSession(
            connector=Connector(
                ssl=tls.context(self._settings),
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
        """Close all connections where no event loop runs any more, as the process ends."""
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
    if sys.version_info < (3, 11):  # where a task does not know
        return session is None or not session.closed
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _translate(error: Exception) -> tuple[type[PS7Unavailable], Reason]:
    found_by_tls = tls.reason(error)
    if found_by_tls is not None:
        return ConnectionFailed, found_by_tls
    for foreign, ours, reason in _FOREIGN:
        if isinstance(error, foreign):
            return ours, reason
    return PS7Unavailable, Reason.INTERNAL
