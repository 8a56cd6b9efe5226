"""Small servers on this machine that answer as no simulator would: wrongly, partly, or never."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from typing_extensions import Self

RESET = b"\0reset"
"""A piece that is not sent: the connection is reset in its place."""
# Before Python 3.11 asyncio lets go of a TLS transport later than it is closed.
TLS_IN_TESTS = [
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
    *(
        [pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
        if sys.version_info < (3, 11)
        else []
    ),
]
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def http(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """Write a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@dataclass(eq=False)
class Server:
    """Answers every request with the same pieces of bytes, and remembers what it heard."""

    pieces: Sequence[bytes]
    pause: float = 0.0
    """Seconds before each piece but the first."""
    stays: bool = True
    """Whether the connection stays open after the answer; until the client leaves, if so."""
    tls: ssl.SSLContext | None = None
    heard: list[bytes] = field(default_factory=list, init=False)
    """The requests, each as it came."""
    connections: int = field(default=0, init=False)
    open: int = field(default=0, init=False)
    """Connections that are open now."""
    _server: asyncio.Server | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Where it listens, as a base URL."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        for _round in range(4):
            await asyncio.sleep(0)  # rounds that asyncio takes from a new connection to _accept
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Here and not in the task: one that is cancelled before it begins runs no line of its own.
        task.add_done_callback(lambda _: writer.close())

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while request := await _request(reader):
                self.heard.append(request)
                for number, piece in enumerate(self._next_answer()):
                    await asyncio.sleep(self.pause if number else 0)
                    if piece is RESET:
                        reset(writer)
                        return
                    writer.write(piece)
                    await writer.drain()
                if not self.stays:
                    break
        except OSError:
            pass  # the client left in the middle: some tests are about that
        finally:
            self.open -= 1

    def _next_answer(self) -> Sequence[bytes]:
        """Return the pieces that answer the request which came last."""
        return self.pieces


@dataclass(eq=False)
class Scripted(Server):
    """Answers each request with the pieces that are next in the script; the last ones stay."""

    script: Sequence[Sequence[bytes]] = ()

    def _next_answer(self) -> Sequence[bytes]:
        return self.script[min(len(self.heard), len(self.script)) - 1]


def reset(writer: asyncio.StreamWriter) -> None:
    """Drop the connection as a crash does: with a reset, not with an end."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Read one request, empty where the client leaves instead."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        return head + await reader.readexactly(int(length[1]) if length else 0)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
