"""PS7 as the lookups of a benchmark meet it: slow, full, failing, or behind an odd gateway.

It knows every contextId: the account that it names is the contextId itself, so that a customer who
is another one's shows.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from actions.ps7.testing import PERSONAS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from typing_extensions import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CONTEXT_ID = re.compile(rb'"contextId": *"([^"]*)"')
_TOKEN = b"tokenByAkSk"
_PAYLOAD = PERSONAS["ana"].answer["payload"]


Behaviour: TypeAlias = "Callable[[Request, Connection], Awaitable[bytes]]"
"""How a PS7 answers."""


class Request(NamedTuple):
    """One request: what it asks about, and whether it asks for a token instead."""

    context_id: str
    is_for_token: bool


class Connection(NamedTuple):
    """One connection, and the right answers to what was asked on it."""

    writer: asyncio.StreamWriter
    answers: list[bytes]

    def send(self, answer: bytes) -> None:
        """Send an answer, unless nobody is there."""
        if not self.writer.is_closing():
            self.writer.write(answer)


def answer(status: int, body: object) -> bytes:
    """Write an answer."""
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(text)}"
    return f"{head}\r\n\r\n".encode() + text


def customer(request: Request) -> bytes:
    """Name the customer, or hand out a token."""
    if request.is_for_token:
        return answer(200, {"AccessToken": "a-token", "Expires": "600"})
    return answer(200, {"code": "0", "payload": {**_PAYLOAD, "u_cc": request.context_id}})


async def at_once(request: Request, _connection: Connection) -> bytes:
    """Behave as PS7 does on a good day."""
    return customer(request)


def failing(share: float, seed: int) -> Behaviour:
    """Make a PS7 of whose answers this share is 503, by chance."""
    chance = Random(seed)  # noqa: S311 - it can be repeated

    async def behave(request: Request, _connection: Connection) -> bytes:
        return answer(503, {}) if chance.random() < share else customer(request)

    return behave


def refusing(status: int) -> Behaviour:
    """Make a PS7, or a token endpoint, that refuses every login."""

    async def behave(_request: Request, _connection: Connection) -> bytes:
        return answer(status, {})

    return behave


AT_ONCE, SOON = "each answer, at once", "each answer, up to 5 ms later"
LATE = "one answer, as the next request comes; then each is one late"
MOMENTS = (AT_ONCE, SOON, LATE)
"""What a gateway may repeat, and when."""


def repeating(moment: str) -> Behaviour:
    """Make a gateway that sends answers again on their connection."""
    chance = Random(0)  # noqa: S311 - it can be repeated

    async def behave(request: Request, connection: Connection) -> bytes:
        connection.answers.append(right := customer(request))
        if moment == AT_ONCE:
            return right + right
        if moment == SOON:
            loop = asyncio.get_running_loop()
            loop.call_later(chance.uniform(0, 0.005), connection.send, right)
            return right
        return connection.answers[-2:][0]

    return behave


class PS7:
    """A server that behaves in one way, and counts what it is asked."""

    def __init__(
        self,
        behaviour: Behaviour,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Take how it answers; `trust` is its certificate, for https."""
        self._behaviour = behaviour
        self._trust = trust
        self._connections: set[asyncio.Task[None]] = set()
        self.requests: list[float] = []
        """When each arrived, by the monotonic clock."""
        self.under_way = self.most = 0
        """Requests without an answer, those of clients that have gone included."""

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self._trust, backlog=4096
        )
        scheme = "http" if self._trust is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close everything."""
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(lambda _: writer.close())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer, [])
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = await _read(reader)
                self.requests.append(monotonic())
                self.under_way += 1
                self.most = max(self.most, self.under_way)
                try:
                    connection.send(await self._behaviour(request, connection))
                finally:
                    self.under_way -= 1


async def _read(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    found = _CONTEXT_ID.search(body)
    return Request(found[1].decode() if found else "", _TOKEN in head)
