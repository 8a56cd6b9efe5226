"""A gateway in front of PS7 that writes exactly the bytes that a test names, when it names them.

It runs in a thread with an event loop of its own: what it sends stands in the client's socket
before the client's event loop has had a chance to look.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from typing_extensions import Self

from tests.host.loopback import LENGTH, RESET, http, reset

END = b"\0end"
"""A piece that is not sent, as RESET: the gateway's side of the connection ends instead."""
_WAIT = 5.0
_Result = TypeVar("_Result")


def customer(cpf: str, agency: str) -> bytes:
    """Write PS7's answer about a customer."""
    body = {"code": "0", "payload": {"u_cpf": cpf, "u_ag": agency}}
    return http(json.dumps(body).encode())


ANA, DIEGO = customer("52998224725", "0341"), customer("22233366638", "0002")


@dataclass
class _Connection:
    writer: asyncio.StreamWriter
    pieces: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(eq=False)
class ByteGateway:
    """Answers a request by the contextId in it: pieces of bytes, and seconds to wait before one.

    It goes on to read while it waits, as a gateway does that has passed a request on.
    """

    answers: Mapping[str, Sequence[bytes | float]]
    tls: ssl.SSLContext | None = None
    greeting: bytes = b""
    """What is sent when a client connects."""
    requests: list[tuple[int, str]] = field(default_factory=list)
    """Each request: the number of its connection, and its contextId or else its path."""
    _connections: list[_Connection] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.SelectorEventLoop)
    _thread: threading.Thread = field(init=False)
    _server: asyncio.Server = field(init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.tls))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Where it listens, as a base URL."""
        port = self._server.sockets[0].getsockname()[1]
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{port}"

    @property
    def connections(self) -> int:
        """How many were made."""
        return len(self._connections)

    def send(self, piece: bytes, connection: int = 0) -> None:
        """Send an unasked piece; it has left when this returns."""
        self._run(self._send(self._connections[connection].writer, piece))

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT)

    async def _close(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for connection in self._connections:
            connection.writer.transport.abort()
        await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self._connections)
        connection = _Connection(writer)
        self._connections.append(connection)
        try:
            await self._send(writer, self.greeting)
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                body = json.loads(await reader.readexactly(int(length[1]) if length else 0))
                name = body.get("contextId", head.split()[1].decode())
                self.requests.append((number, name))
                task = asyncio.create_task(self._answer(writer, self.answers[name]))
                connection.pieces.add(task)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass  # the client left, or the test is over
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, pieces: Sequence[bytes | float]) -> None:
        for piece in pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                await self._send(writer, piece)

    @staticmethod
    async def _send(writer: asyncio.StreamWriter, piece: bytes) -> None:
        if writer.is_closing():
            return
        if piece is END:
            writer.write_eof()
        elif piece is RESET:
            reset(writer)
            await asyncio.sleep(0)  # asyncio closes the socket in its next round
        else:
            writer.write(piece)
