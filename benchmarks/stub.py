"""PS7 as a process that costs next to nothing: whatever it is asked, it knows the customer.

    python -m benchmarks.stub PORT

A contextId says when the answer comes: `100ms-…` after 100 ms. The simulator in
`actions.ps7.testing` reads and checks what it is asked; here the action server is measured, and
what is behind it must not be the slower of the two.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import cast

from actions.ps7.testing import PERSONAS

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WISH = re.compile(rb'"(\d+)ms-')
_BODY = json.dumps(PERSONAS["ana"].answer).encode()
_HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
ANSWER = _HEAD.encode() + _BODY


def context_id(number: int, *, milliseconds: int = 0) -> str:
    """Make a contextId that asks for an answer after so long."""
    return f"{milliseconds}ms-{number}"


class Stub(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep whom to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._received, 0, end)
            end += 4 + (int(length[1]) if length else 0)
            if len(self._received) < end:
                return
            wish = _WISH.search(self._received[:end])
            self._received = self._received[end:]
            if wish and int(wish[1]):
                asyncio.get_running_loop().call_later(int(wish[1]) / 1000, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(ANSWER)


async def serve(port: int) -> None:
    """Answer until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main() -> None:
    """Use the faster event loop that the SDK brings along."""
    import uvloop  # noqa: PLC0415 - the contextId is needed without it too

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
