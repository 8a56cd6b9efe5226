"""PS7 as a process that costs next to nothing: whatever it is asked, it knows the customer.

    python -m benchmarks.stub

A contextId says when the answer comes: `100ms-…` after 100 ms. The simulator in
`actions.ps7.testing` reads and checks what it is asked; here the action server is measured, and
what stands behind it must not be the slower of the two. It prints where it listens.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from functools import cache
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WISH = re.compile(rb'"(\d+)ms-')
_BACKLOG = 4096
_CUSTOMER = {
    "u_cpf": "52998224725",
    "u_ag": "0341",
    "u_cc": "1234567",
    "u_seg": "Personnalité",
    "u_dest": "saldo",
    "u_numA": "+5511900000000",
    "u_id": "AUT",
    "u_dseg": "Token",
    "u_dsok": "S",
    "u_tpid": "RG",
}


def context_id(number: int, *, milliseconds: int = 0) -> str:
    """Make a contextId that asks for an answer after so long."""
    return f"{milliseconds}ms-{number}"


@cache
def answer() -> bytes:
    """Return the answer to everything."""
    upstream = {**_CUSTOMER, "u_ion": ""}
    payload = {**_CUSTOMER, "contexto": upstream}
    envelope = {"code": "0", "message": "", "key": "12311", "expireIn": "3600", "payload": payload}
    body = json.dumps(envelope).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


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
            self._answer(self._received[:end])
            self._received = self._received[end:]

    def _answer(self, request: bytes) -> None:
        wish = _WISH.search(request)
        milliseconds = int(wish[1]) if wish else 0
        if milliseconds:
            asyncio.get_running_loop().call_later(milliseconds / 1000, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer())


async def serve() -> None:
    """Answer until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Stub, "127.0.0.1", 0, backlog=_BACKLOG)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Use the faster event loop that the SDK brings along."""
    import uvloop  # noqa: PLC0415 - who needs the contextId alone can do without

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve())


if __name__ == "__main__":
    main()
