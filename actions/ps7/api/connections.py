"""One connection, one customer: which connections may be used again.

HTTP/1.1 pairs answers with requests by their order alone. A gateway that forwards a late answer,
or sends one twice, would hand one customer's data to the next request on that connection.
"""

from __future__ import annotations

import asyncio
import select
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader
    from aiohttp.tracing import Trace

MAX_ANSWER_BYTES = 64 * 1024
"""A customer's context is one or two KiB: a larger answer is none."""

_OK = 200
_INTERIM = frozenset(range(100, 200)) - {101}
"""Statuses after which the answer itself is still to come (RFC 9110, section 15.2)."""
_MAX_INTERIM = 5
"""Interim answers to one request: no gateway needs more, and a flood keeps a core busy."""


class OneAnswer(ResponseHandler):
    """One connection, which closes on anything but one whole answer of status 200 a request."""

    _answer: StreamReader | None = None
    """The answer to the request that was sent last."""
    _interim = 0
    _bytes = 0

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401 - aiohttp's own
        """Begin with a request, whose answer has not come yet."""
        self._answer = None
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
        new = self._answer is None
        return new or (
            not self.should_close
            and self.is_connected()
            and not self._has_begun()
            and not _is_readable(cast("asyncio.Transport", self.transport))
        )

    def _has_begun(self) -> bool:
        """Whether the parser holds the beginning of another answer."""
        begun: object = True  # also where the parser refuses to end
        with suppress(Exception):
            begun = cast("Any", self._parser).feed_eof()
        return begun is not None


def _is_readable(transport: asyncio.Transport) -> bool:
    """Whether data, an end or an error waits in the socket, and the event loop has not read it."""
    socket = transport.get_extra_info("socket")
    if sys.platform == "win32":  # which has no poll
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


class Connector(aiohttp.TCPConnector):
    """A pool from which clean connections alone are taken."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - aiohttp's own
        super().__init__(**options)
        # aiohttp has no public way to name the class. If a version drops this attribute, its
        # connections have no `is_clean`, and no request goes out.
        self._factory = cast("Any", partial(OneAnswer, loop=asyncio.get_running_loop()))

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        """Take a connection from the pool, or open a new one if none there is clean."""
        while True:
            connection = await super().connect(req, traces, timeout)
            if cast("OneAnswer", connection.protocol).is_clean:
                return connection
            connection.close()
