"""One connection, one customer: which connections may be used again.

HTTP/1.1 pairs answers with requests by their order alone. A gateway that forwards a late answer,
or sends one twice, would hand one customer's data to the next request on that connection.
"""

from __future__ import annotations

import asyncio
import logging
import select
import ssl
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from ..errors import PS7Unavailable, Reason
from . import telemetry

if TYPE_CHECKING:
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader
    from aiohttp.tracing import Trace

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 1024
"""A customer's context is one or two KiB: a larger answer is refused."""

_OK = 200
_INTERIM = frozenset(range(100, 200)) - {101}
"""Statuses after which the answer itself is still to come (RFC 9110, section 15.2)."""
_MAX_INTERIM = 5
"""Interim answers to one request: no gateway needs more, and a flood keeps a core busy."""


_NEEDED = (
    *("set_response_params", "data_received", "feed_data", "set_exception", "force_close"),
    *("should_close", "is_connected", "transport", "_parser"),
)
"""What `OneAnswer` takes over from aiohttp or asks it for. Not all of it is promised."""
_UNKNOWN = """\
aiohttp %s lacks what keeps one customer's answer from the next (%s), so no request goes out: \
install a version that rasa-ps7 allows (pip check)"""


class OneAnswer(ResponseHandler):
    """One connection, which closes on anything but one whole answer of status 200 a request."""

    _asked = False
    """Whether a request was sent on it."""
    _answer: StreamReader | None = None
    """The answer to the request that was sent last."""
    _interim = 0
    _bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, and note until when PS7's certificate is good."""
        super().connection_made(transport)
        certificate = transport.get_extra_info("peercert")
        if certificate:
            end = ssl.cert_time_to_seconds(certificate["notAfter"])
            telemetry.certificate_ends["ps7"] = end

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401 - aiohttp's own
        """Begin with a request, whose answer has not come yet."""
        self._asked, self._answer = True, None
        self._interim = self._bytes = 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and drop the connection if the answer was whole before them."""
        self._bytes += len(data)
        if self._bytes > MAX_ANSWER_BYTES:
            self.force_close()
        unasked = data and self._answer is not None and self._answer.is_eof()
        super().data_received(data)
        if unasked:
            self._drop()

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], *size: int) -> None:
        """Take the head of an answer; its body is still to come."""
        message, body = data
        if message.code in _INTERIM:
            self._interim += 1
            if self._interim > _MAX_INTERIM:
                self._drop()
                self.set_exception(HttpProcessingError())
                return
        elif self._answer is not None:
            self._drop()
        else:
            self._answer = body
            if message.code != _OK:
                self.force_close()
        super().feed_data(data, *size)

    def _drop(self) -> None:
        self.force_close()
        if self.transport is not None:
            self.transport.abort()

    @property
    def is_clean(self) -> bool:
        """Whether the next answer on it can only be that of the next request.

        Nothing may wait: neither an answer that aiohttp has read, nor the beginning of one in its
        parser, nor anything in the socket that the event loop has not looked at yet.
        """
        if not self._asked:
            return True
        return (
            self._answer is not None
            and not self.should_close
            and self.is_connected()
            and not self._has_begun()
            and not _is_readable(self.transport)
        )

    def _has_begun(self) -> bool:
        """Whether the parser has the beginning of another answer."""
        parser: Any = self._parser
        try:
            return parser.feed_eof() is not None
        except Exception:  # noqa: BLE001 - it refuses to end: something has begun
            return True


def _is_readable(transport: Any) -> bool:  # noqa: ANN401 - a transport, connected
    """Whether data, an end or an error waits in the socket, and the event loop has not read it."""
    socket = transport.get_extra_info("socket")
    if sys.platform == "win32":  # which has no poll
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


class Connector(aiohttp.TCPConnector):
    """A pool from which only clean connections are taken."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - aiohttp's own
        super().__init__(**options)
        loop = asyncio.get_running_loop()
        theirs = ResponseHandler(loop)
        missing = [name for name in _NEEDED if not hasattr(theirs, name)]
        if not hasattr(self, "_factory"):
            missing.append("_factory")
        if missing:
            logger.error(_UNKNOWN, aiohttp.__version__, ", ".join(missing))
            raise PS7Unavailable(Reason.INTERNAL)
        # aiohttp has no public way to name the class of a connection.
        self._factory: Any = partial(OneAnswer, loop=loop)

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        """Take a connection from the pool, or open a new one if none there is clean."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol: Any = connection.protocol
            if protocol.is_clean:
                return connection
            connection.close()
