"""What the users of a bot notice when PS7 goes dark under load and comes back, and for how long.

    python -m benchmarks.outage [--dark 60] [--rate 50] [--how silent]

New users arrive at a steady rate, whether or not those before them were answered, and so do users
whose context is held already. In the dark PS7 answers nothing (`silent`), or nobody listens
(`refused`). PS7_* variables set other limits than the plugin's own.

Exit code 1: a turn was not answered, a held context was lost, a task was left, or PS7 was back for
longer than one reset interval and one lookup before a new user was known again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from benchmarks.bot import Bot, environment, simulator
from benchmarks.calls import User
from benchmarks.gate import Gate
from benchmarks.report import RESULTS, keep, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.gate import How

_MARGIN = 0.5
"""Seconds that a recovery may take beyond the limit, on a busy machine."""


@dataclass(frozen=True)
class Turn:
    """One turn that was answered; times of the monotonic clock, in seconds."""

    begun: float
    ended: float
    outcome: str
    held: bool
    """Whether the user's context was held already."""


class Load:
    """Users who come at a steady rate."""

    def __init__(self, bot: Bot, rate: float) -> None:
        self.turns: list[Turn] = []
        self.sent = 0
        self._bot = bot
        self._pause = 1 / rate
        self._known = User("ana")
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send users until cancelled, a new one and a known one in turn."""
        await self._bot.turn(self._known)
        due = time.monotonic()
        while True:
            user = User("ana") if self.sent % 2 == 0 else self._known
            self.sent += 1
            task = asyncio.create_task(self._turn(user))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            due += self._pause
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _turn(self, user: User) -> None:
        begun = time.monotonic()
        outcome = await self._bot.turn(user)
        self.turns.append(Turn(begun, time.monotonic(), outcome, user is self._known))

    async def end(self) -> None:
        """Wait for the turns that are under way."""
        await asyncio.gather(*self._tasks)


@dataclass(frozen=True)
class Outage:
    """When what happened."""

    began: float
    ended: float
    opened: float
    """When the circuit refused the first lookup."""


async def outage(dark: float, rate: float, how: How, results: Path) -> int:
    """Let PS7 go dark for so many seconds, write the figures down, and give the exit code."""
    limits = {name: value for name, value in os.environ.items() if name.startswith("PS7_")}
    async with simulator() as url, Gate(url) as gate:
        bot = Bot({**environment(gate.url), **limits})
        settings = bot.client.settings
        lookup, reset = settings.deadline, settings.breaker_reset
        load = Load(bot, rate)
        running = asyncio.create_task(load.run())
        await asyncio.sleep(min(dark, 5.0))
        began = time.monotonic()
        await gate.go_dark(how)
        await asyncio.sleep(dark)
        await gate.come_back()
        ended = time.monotonic()
        await asyncio.sleep(reset + 2 * lookup)
        running.cancel()
        await load.end()
        await bot.client.close()
    await asyncio.sleep(0.2)  # connections end in the loop's own time
    left = len(asyncio.all_tasks()) - 1
    when = Outage(began, ended, bot.log.refused_at or ended)
    figures = {**_figures(load, when, gate), "tasks left": left}
    sys.stdout.write(f"outage: {how}, {dark:g} s, {rate:g} turns a second\n{rows(figures)}\n")
    keep(f"outage-{how}", figures, results)
    lost = figures["turns of known users that were not ok"]
    recovery = _recovery(load, when)
    late = recovery is None or recovery > reset + lookup + _MARGIN
    return 1 if lost or late or left or len(load.turns) != load.sent else 0


def _figures(load: Load, when: Outage, gate: Gate) -> dict[str, object]:
    new = [turn for turn in load.turns if not turn.held]
    before = [turn for turn in new if turn.begun < when.began]
    closed = [turn for turn in new if when.began <= turn.begun < when.opened]
    opened = [turn for turn in new if when.opened <= turn.begun < when.ended]
    known = [turn for turn in load.turns if turn.held]
    recovery = _recovery(load, when)
    return {
        "turns": load.sent,
        "turns answered (%)": round(100 * len(load.turns) / load.sent, 3),
        "turns of known users that were not ok": sum(turn.outcome != "ok" for turn in known),
        "a known user's turn (ms)": _times(known),
        "a new user's turn before (ms)": _times(before),
        "… dark, until the circuit opens (ms)": _times(closed),
        "… dark, while it is open (ms)": _times(opened),
        "seconds until the circuit opens": round(when.opened - when.began, 2),
        "requests that reached PS7 in the dark": gate.turned_away,
        "lookups in the dark": len(closed) + len(opened),
        "seconds until a new user is known again": "never"
        if recovery is None
        else round(recovery, 2),
    }


def _recovery(load: Load, when: Outage) -> float | None:
    """Return how long after its return PS7 named a customer for the first time."""
    known = [
        turn.ended
        for turn in load.turns
        if not turn.held and turn.outcome == "ok" and turn.begun > when.began
    ]
    return max(0.0, min(known) - when.ended) if known else None


def _times(turns: Iterable[Turn]) -> str:
    """Return median, 99th percentile and maximum, in milliseconds."""
    times = sorted((turn.ended - turn.begun) * 1000 for turn in turns)
    if len(times) < 2:  # noqa: PLR2004 - no quantile of one value
        return "-"
    steps = quantiles(times, n=100, method="inclusive")
    return f"median {steps[49]:.1f}, p99 {steps[98]:.1f}, max {times[-1]:.1f} ({len(times)} turns)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outage", description=__doc__)
    parser.add_argument("--dark", type=float, default=60.0, help="seconds")
    parser.add_argument("--rate", type=float, default=50.0, help="turns a second")
    parser.add_argument("--how", choices=("silent", "refused"), default="silent")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder")
    options = parser.parse_args(arguments)
    return asyncio.run(outage(options.dark, options.rate, options.how, options.results))


if __name__ == "__main__":
    sys.exit(main())
