"""Small servers on this machine that answer as no simulator would: wrongly, partly, or never."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
import threading
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from typing_extensions import Self

# Before Python 3.11 asyncio lets go of a TLS transport later than it is closed.
TLS_IN_TESTS = [
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
    *(
        [pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
        if sys.version_info < (3, 11)
        else []
    ),
]
Pieces = Sequence[bytes | float]
"""Bytes, and seconds to wait before the next ones."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WAIT = 30.0
_Result = TypeVar("_Result")


def http(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """Write a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


ANA, DIEGO = (http(b'{"payload": {"u_ag": "%s"}}' % agency) for agency in (b"0341", b"0002"))


@dataclass(eq=False)
class Server:
    """Answers every request with the same pieces of bytes, and remembers what it heard.

    It goes on to read while it answers, as a gateway does that has passed a request on.
    """

    pieces: Pieces
    stays: bool = True
    """Whether the connection stays open after the answer; until the client leaves, if so."""
    tls: ssl.SSLContext | None = None
    greeting: bytes = b""
    """What is sent when a client connects."""
    heard: list[bytes] = field(default_factory=list, init=False)
    """The requests, each as it came."""
    open: int = field(default=0, init=False)
    """Connections that are open now."""
    _writers: list[asyncio.StreamWriter] = field(default_factory=list, init=False)
    _server: asyncio.Server = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    @property
    def connections(self) -> int:
        """How many were made."""
        return len(self._writers)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Where it listens, as a base URL."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self.tls, backlog=256
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for _round in range(4):
            await asyncio.sleep(0)  # rounds that asyncio takes from a new connection to _accept
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = self._start(self._talk(reader, writer, self.connections - 1))
        # Here and not in the task: one that is cancelled before it begins runs no line of its own.
        task.add_done_callback(lambda _: writer.close())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.open += 1
        try:
            await self._send(writer, self.greeting)
            while request := await _request(reader):
                self.heard.append(request)
                answering = self._start(self._answer(writer, self._pieces_for(request, number)))
                if not self.stays:
                    await answering
                    break
        finally:
            self.open -= 1

    def _pieces_for(self, request: bytes, connection: int) -> Pieces:  # noqa: ARG002 - see below
        """Return what answers a request on the connection of this number."""
        return self.pieces

    async def _answer(self, writer: asyncio.StreamWriter, pieces: Pieces) -> None:
        for piece in pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                await self._send(writer, piece)

    @staticmethod
    async def _send(writer: asyncio.StreamWriter, piece: bytes) -> None:
        with suppress(OSError):  # the client left in the middle: some tests are about that
            if not writer.is_closing():
                writer.write(piece)
                await writer.drain()


class ByteGateway(Server):
    """Answers a request by the contextId in it, or else by its path.

    It runs in a thread with an event loop of its own: what it sends stands in the client's socket
    before the client's event loop has had a chance to look.
    """

    def __init__(self, answers: Mapping[str, Pieces], **options: Any) -> None:  # noqa: ANN401 - handed on
        """Take what it answers."""
        super().__init__((), **options)
        self.answers = answers
        self.requests: list[tuple[int, str]] = []
        """Each request: the number of its connection, and its contextId or else its path."""
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self._run(self.__aenter__())

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT)

    async def _close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        await self.__aexit__()

    def _pieces_for(self, request: bytes, connection: int) -> Pieces:
        head, _, body = request.partition(b"\r\n\r\n")
        name = json.loads(body).get("contextId", head.split()[1].decode())
        self.requests.append((connection, name))
        return self.answers[name]


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Read one request, empty where the client leaves instead."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        return head + await reader.readexactly(int(length[1]) if length else 0)
    except (asyncio.IncompleteReadError, OSError):
        return b""
