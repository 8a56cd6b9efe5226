"""What is between the bot and PS7, and can go dark: it forwards bytes and counts requests."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from typing_extensions import Self

How = Literal["silent", "refused"]
"""What a caller meets in the dark: no answer ever, or no connection."""
HOWS: tuple[How, ...] = get_args(How)

_REQUEST = b" HTTP/1.1\r\n"


class Gate:
    """Forwards connections to a server. While it is dark, nothing comes through."""

    def __init__(self, target: str) -> None:
        """Take the URL of the server."""
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0
        self.dark: How | None = None
        self.turned_away = 0
        """Requests that came in the dark. Of refused connections nothing is known here."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def go_dark(self, how: How) -> None:
        """Let nothing through from now on, on open connections neither."""
        self.dark = how
        if how == "refused":
            await self._end()

    async def come_back(self) -> None:
        """Let new connections through again. Those from the dark stay as they are."""
        was, self.dark = self.dark, None
        if was == "refused":
            await self._begin()

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        await self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close everything."""
        await self._end()

    async def _begin(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._forward(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.close())

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            back_reader, back_writer = await asyncio.open_connection(*self._target)
            back = asyncio.create_task(self._pump(back_reader, writer))
            try:
                await self._pump(reader, back_writer)
            finally:
                back.cancel()
                back_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.dark is None:
                    writer.write(data)
                    await writer.drain()
                else:
                    self.turned_away += data.count(_REQUEST)
