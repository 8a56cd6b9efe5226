"""What 1,000 customers see who arrive within a second, where PS7 takes 50 requests a second.

    python -m benchmarks.rush [--customers 1000] [--rate 50] [--seconds 60] [--only queue]

A real action server, with one worker and with two, meets PS7 behind each of the gateways below.
Customers who are not known hear so, and say something again 10 to 20 s later, as people do. PS7's
stand-in runs beside them, in this process: one clock for both.

Exit code 1: a turn was not answered.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp

from benchmarks.calls import User
from benchmarks.circumstances import circumstances
from benchmarks.processes import OTHER_CORES, Lab, only_on
from benchmarks.report import RESULTS, keep, rows
from benchmarks.sides import Side, launch
from benchmarks.stub import Stub, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

WITHIN = (10, 30, 60)
"""Seconds from a customer's arrival."""
_ARRIVALS = 1.0
_AGAIN = (10.0, 20.0)
_TAKES = 0.03
"""Seconds that PS7 takes for a customer whom the gateway lets through at once."""
_BACKLOG = 4096
_REASON = re.compile(r"PS7 lookup: .* reason=(\w+) ")


class Gateway(Protocol):
    """What stands before PS7."""

    def wait(self, now: float) -> float | None:
        """Return the seconds until a request of now is answered, None where it is refused."""


@dataclass
class Bucket:
    """A token bucket that holds those of a second."""

    rate: float
    _full_at: float = 0.0

    def wait(self, now: float) -> float | None:
        """Refuse where no token is left."""
        if self._full_at - now > 1 - 1 / self.rate:
            return None
        self._full_at = max(self._full_at, now) + 1 / self.rate
        return _TAKES


@dataclass
class PerSecond:
    """A counter that begins anew with each second, as Huawei Cloud's gateway has it."""

    rate: float
    _second: int = 0
    _count: int = 0

    def wait(self, now: float) -> float | None:
        """Refuse what is above the number."""
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return _TAKES if self._count <= self.rate else None


@dataclass
class Queue:
    """A line of any length, which keeps those whose callers have gone."""

    rate: float
    _free_at: float = 0.0

    def wait(self, now: float) -> float | None:
        """Let it wait until it is its turn."""
        self._free_at = max(self._free_at, now) + 1 / self.rate
        return self._free_at - now + _TAKES


@dataclass(frozen=True)
class Setup:
    """A gateway, and what its refusals say."""

    gateway: Callable[[float], Gateway]
    refusal: str = ""
    """Headers of its 429."""


SETUPS = {
    "429 with Retry-After": Setup(Bucket, "Retry-After: 1\r\n"),
    "429 alone": Setup(PerSecond),
    "queue": Setup(Queue),
}
WORKERS = (1, 2)


class PS7(Stub):
    """One connection to PS7."""

    def __init__(self, counts: Counts, gateway: Gateway, refusal: str) -> None:
        super().__init__()
        self._counts, self._gateway = counts, gateway
        self._refused = f"HTTP/1.1 429 Too Many\r\n{refusal}Content-Length: 0\r\n\r\n".encode()

    def _answer(self, request: bytes) -> None:
        del request
        now = time.monotonic()
        wait = self._gateway.wait(now)
        self._counts.asked[int(now - self._counts.began)] += 1
        if wait is None:
            self._counts.waste(now)
            self._transport.write(self._refused)
        else:
            asyncio.get_running_loop().call_later(wait, self._send)

    def _send(self) -> None:
        if self._transport.is_closing():
            self._counts.waste(time.monotonic())
        else:
            self._transport.write(answer())


@dataclass
class Counts:
    """What is noted of one run; times of the monotonic clock, in seconds."""

    began: float = field(default_factory=time.monotonic)
    asked: Counter[int] = field(default_factory=Counter)
    """Requests that PS7 was sent, by second."""
    wasted: Counter[int] = field(default_factory=Counter)
    """Requests that were refused, or answered after their caller had gone, by second."""
    known: list[tuple[float, float, int]] = field(default_factory=list)
    """When each customer was known: since the rush began, since their arrival, in which turn."""
    waits: list[float] = field(default_factory=list)
    """How long each turn took."""
    unanswered: int = 0

    def waste(self, now: float) -> None:
        """Note a request that was wasted."""
        self.wasted[int(now - self.began)] += 1


async def rush(counts: Counts, url: str, customers: int, seconds: float) -> None:
    """Let all customers arrive, and wait until each is known or has given up."""
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        counts.began = time.monotonic()
        await asyncio.gather(*(_customer(counts, http, url, n, seconds) for n in range(customers)))


async def _customer(
    counts: Counts, http: aiohttp.ClientSession, url: str, number: int, seconds: float
) -> None:
    user, draws = User(str(number)), random.Random(number)  # noqa: S311 - no secret
    await asyncio.sleep(draws.uniform(0, _ARRIVALS))
    arrived = begun = time.monotonic()
    for turn in count(1):
        call = user.call()
        call["tracker"]["events"][-1]["timestamp"] = time.time()  # they say something new
        try:
            async with http.post(url, json=call) as response:
                user.apply((await response.json())["events"])
        except (aiohttp.ClientError, asyncio.TimeoutError):
            counts.unanswered += 1
        ended = time.monotonic()
        counts.waits.append(ended - begun)
        if user.slots["ps7_status"] == "ok":
            counts.known.append((ended - counts.began, ended - arrived, turn))
            return
        begun = ended + draws.uniform(*_AGAIN)
        if begun > arrived + seconds:
            return
        await asyncio.sleep(begun - ended)


async def measure(
    lab: Lab, setup: Setup, workers: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Run one rush against an action server of its own."""
    counts = Counts()
    made = partial(PS7, counts, setup.gateway(options.rate), setup.refusal)
    ps7 = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, backlog=_BACKLOG)
    port = ps7.sockets[0].getsockname()[1]
    side = Side("rush", "actions", workers=workers, pinned=workers == 1)
    server = await asyncio.to_thread(launch, lab, side, f"http://127.0.0.1:{port}")
    await asyncio.to_thread(server.wait)
    try:
        await rush(counts, server.url, options.customers, options.seconds)
        reasons = Counter(_REASON.findall(server.running.said()))
    finally:
        await asyncio.to_thread(server.running.end)
        ps7.close()
    return _figures(counts, reasons, options.customers)


def _figures(counts: Counts, reasons: Mapping[str, int], customers: int) -> dict[str, Any]:
    seconds = range(WITHIN[-1] + 1)
    everybody = len(counts.known) == customers
    return {
        "known in their first turn": sum(turn == 1 for *_, turn in counts.known),
        **{f"known within {s} s": sum(own <= s for _, own, _ in counts.known) for s in WITHIN},
        "all known after (s)": round(max(counts.known)[0], 1) if everybody else None,
        "longest wait (s)": round(max(counts.waits), 2),
        "turns": len(counts.waits),
        "turns unanswered": counts.unanswered,
        "requests": sum(counts.asked.values()),
        "requests wasted": sum(counts.wasted.values()),
        "reasons": dict(sorted(reasons.items())),
        "known by second": _line(sum(at <= s for at, *_ in counts.known) for s in seconds),
        "requests by second": _line(counts.asked[second] for second in seconds),
        "wasted by second": _line(counts.wasted[second] for second in seconds),
    }


def _line(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, and run one rush after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rush", description=__doc__)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second of PS7's")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long customers come back")
    parser.add_argument("--only", choices=SETUPS, action="append", help="one gateway")
    parser.add_argument("--name", default="rush", help="of the file of results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder")
    options = parser.parse_args(arguments)
    found: dict[str, dict[str, Any]] = {}
    with Lab() as lab, only_on(OTHER_CORES):
        for name, workers in ((name, w) for name in options.only or SETUPS for w in WORKERS):
            key = f"{name}, {workers} process{'es' if workers > 1 else ''}"
            found[key] = asyncio.run(measure(lab, SETUPS[name], workers, options))
            shown = {what: value for what, value in found[key].items() if "by second" not in what}
            sys.stdout.write(f"rush: {key}\n{rows(shown)}\n")
            sys.stdout.flush()
    keep(options.name, {**circumstances(), "rushes": found}, options.results)
    return 1 if any(figures["turns unanswered"] for figures in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
