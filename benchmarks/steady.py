"""A load generator that does not wait for answers: users come when they come.

    python -m benchmarks.steady URL FILE --expected TEXT --seconds 10 --rate 1000

It posts the calls of a file, one a line, in turn. They are due at random moments, as those of many
independent users are (a Poisson process, the same one every time), and each answer is timed from
the moment its call was due: where the server, or this generator, falls behind, the wait counts. A
generator that sends the next call after the last answer would leave out exactly the bad moments
(coordinated omission). Prints one line of JSON, as wrk does with `post.lua`.

With `--at-a-time` it is such a generator itself, slower than wrk, for where wrk is not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import selectors
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

_CONNECTIONS = 256
_PATIENCE = 30.0
_SEED = 7
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Generator:
    """Calls that are due, connections that are free, and what came of it all."""

    def __init__(self, requests: list[bytes], expected: bytes) -> None:
        self.times: list[float] = []
        """From due to answered, in seconds."""
        self.late: list[float] = []
        """By how much the generator itself was behind when a call was due."""
        self.sent = 0
        self.wrong = 0
        self.free: list[Connection] = []
        self._requests = requests
        self._expected = expected
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._saturates_until = 0.0
        self._all_answered = asyncio.Event()
        self._now = asyncio.get_running_loop().time

    async def keep_steady(self, rate: float, seconds: float) -> None:
        """Let so many calls become due a second."""
        chance = random.Random(_SEED)  # noqa: S311 - the same moments for both sides
        began = due = self._now()
        while (due := due + chance.expovariate(rate)) < began + seconds:
            await asyncio.sleep(max(0.0, due - self._now()))
            self._call(due)

    async def saturate(self, seconds: float) -> None:
        """Let the next call become due with each answer."""
        self._saturates_until = self._now() + seconds
        for _ in list(self.free):
            self._call(self._now())
        await asyncio.sleep(seconds)

    async def rest(self) -> None:
        """Wait for the last answers."""
        if len(self.times) < self.sent:
            self._all_answered.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._all_answered.wait(), _PATIENCE)

    def answered(self, connection: Connection, due: float, answer: bytes) -> None:
        """Note an answer, and use the connection again."""
        now = self._now()
        self.times.append(now - due)
        if not answer.startswith(b"HTTP/1.1 200") or self._expected not in answer:
            self.wrong += 1
        self.free.append(connection)
        if now < self._saturates_until:
            self._call(now)
        if len(self.times) == self.sent:
            self._all_answered.set()
        self._send()

    def _call(self, due: float) -> None:
        self.late.append(self._now() - due)
        self._waiting.append((due, self._requests[self.sent % len(self._requests)]))
        self.sent += 1
        self._send()

    def _send(self) -> None:
        while self._waiting and self.free:
            self.free.pop().send(*self._waiting.popleft())


class Connection(asyncio.Protocol):
    """Carries one call at a time."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._received = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be free."""
        self._transport = cast("asyncio.Transport", transport)
        self._generator.free.append(self)

    def send(self, due: float, request: bytes) -> None:
        """Send a call that was due at this moment."""
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect an answer."""
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        length = _LENGTH.search(self._received, 0, end) if end >= 0 else None
        if length and len(self._received) >= end + 4 + int(length[1]):
            answer, self._received = self._received, b""
            self._generator.answered(self, self._due, answer)


async def generate(options: argparse.Namespace) -> dict[str, float]:
    """Open the connections, run, and give what came of it."""
    url = urlsplit(options.url)
    calls = options.calls.read_bytes().splitlines()
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
    requests = [f"{head}Content-Length: {len(call)}\r\n\r\n".encode() + call for call in calls]
    generator = Generator(requests, options.expected.encode())
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Connection(generator), url.hostname, url.port)
        for _ in range(options.at_a_time or _CONNECTIONS)
    ]
    began = loop.time()
    if options.at_a_time:
        await generator.saturate(options.seconds)
    else:
        await generator.keep_steady(options.rate, options.seconds)
    await generator.rest()
    for transport, _ in opened:
        transport.close()
    times = generator.times
    return {
        "answers": len(times),
        "wrong": generator.wrong,
        "lost": generator.sent - len(times),
        "seconds": loop.time() - began if options.at_a_time else options.seconds,
        "p50": _percentile(times, 50),
        "p99": _percentile(times, 99),
        "max": _percentile(times, 100),
        "late": _percentile(generator.late, 99),
    }


def _percentile(seconds: list[float], percent: int) -> float:
    """Return it in milliseconds."""
    ordered = sorted(seconds)
    return ordered[max(0, len(ordered) * percent // 100 - 1)] * 1000 if ordered else 0.0


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steady", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("calls", type=Path, help="a file of calls, one a line")
    parser.add_argument("--expected", required=True, help="text that every answer holds")
    parser.add_argument("--seconds", type=float, required=True)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--rate", type=float, help="calls a second")
    how.add_argument("--at-a-time", type=int, help="one call after the other, over so many")
    # Of Python's selectors, this one alone wakes up at the microsecond that it was asked for.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    result = loop.run_until_complete(generate(parser.parse_args()))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
