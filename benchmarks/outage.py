"""What the users of a bot notice when PS7 goes dark under load and comes back, and for how long.

    python -m benchmarks.outage [--dark 60] [--rate 50] [--write]

New users arrive at a steady rate, whether or not those before them were answered, and so do users
who are known already. In the dark PS7 answers nothing (`silent`), or nobody listens (`refused`):
one run of each. PS7_* variables set other limits than the plugin's.

Exit code 1: a turn was not answered, a known user noticed anything, a task was left, or PS7 was
back for longer than one reset interval and one lookup before a new user was known again.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING

from benchmarks.bot import Bot, environment, simulator
from benchmarks.calls import User
from benchmarks.figures import circumstances, options, publish, table
from benchmarks.gate import HOWS, Gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.gate import How

_MARGIN = 0.5
"""Seconds that a recovery may take beyond the limit, on a busy machine."""


@dataclass(frozen=True)
class Turn:
    """One turn that was answered; times of the monotonic clock, in seconds."""

    begun: float
    ended: float
    outcome: str
    known: bool
    """Whether the user was known already."""


class Load:
    """Users who come at a steady rate."""

    def __init__(self, bot: Bot, rate: float) -> None:
        self.turns: list[Turn] = []
        self.sent = 0
        self._bot = bot
        self._pause = 1 / rate
        self._known = User("ana")
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send users until cancelled, a new one and a known one in turn."""
        await self._bot.turn(self._known)
        due = time.monotonic()
        while True:
            user = User("ana") if self.sent % 2 == 0 else self._known
            self.sent += 1
            task = asyncio.create_task(self._turn(user))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            due += self._pause
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _turn(self, user: User) -> None:
        begun = time.monotonic()
        outcome = await self._bot.turn(user)
        self.turns.append(Turn(begun, time.monotonic(), outcome, user is self._known))


@dataclass(frozen=True)
class Outage:
    """One run: its turns, and when what happened."""

    load: Load
    began: float
    ended: float
    opened: float
    """When the circuit refused the first lookup."""
    requests: int
    """Those that reached PS7 in the dark."""
    tasks: int
    """Those that are left."""
    longest: float
    """Seconds until a new user must be known again."""

    def figures(self) -> dict[str, object]:
        """Return what the users noticed."""
        new = [turn for turn in self.load.turns if not turn.known]
        before = [turn for turn in new if turn.begun < self.began]
        closed = [turn for turn in new if self.began <= turn.begun < self.opened]
        opened = [turn for turn in new if self.opened <= turn.begun < self.ended]
        return {
            "turns answered": f"{len(self.load.turns)} of {self.load.sent}",
            "turns of known users that were not `ok`": self.noticed(),
            "a new user's turn before, ms": _times(before),
            "… in the dark, until the circuit opens": _times(closed),
            "… in the dark, while it is open": _times(opened),
            "the circuit opens after, s": round(self.opened - self.began, 1),
            "requests that reached PS7 in the dark": self.requests,
            "lookups in the dark": len(closed) + len(opened),
            "until a new user is known again, s": f"{self.recovery():.1f}",
            "tasks left": self.tasks,
        }

    def noticed(self) -> int:
        """Return how many turns of known users were not as always."""
        return sum(turn.known and turn.outcome != "ok" for turn in self.load.turns)

    def recovery(self) -> float:
        """Return how long after its return PS7 named a customer for the first time."""
        named = [
            turn.ended
            for turn in self.load.turns
            if not turn.known and turn.outcome == "ok" and turn.begun > self.began
        ]
        return max(0.0, min(named, default=float("inf")) - self.ended)

    def problems(self) -> list[str]:
        """Name what must not be."""
        wrong = {
            "a turn was not answered": self.load.sent - len(self.load.turns),
            "a known user noticed the outage": self.noticed(),
            "a task was left": self.tasks,
            "a new user was known again too late": self.recovery() > self.longest,
        }
        return [what for what, is_so in wrong.items() if is_so]


async def outage(dark: float, rate: float, how: How, limits: Mapping[str, str]) -> Outage:
    """Let PS7 go dark for so many seconds."""
    async with simulator() as url, Gate(url) as gate:
        bot = Bot({**environment(gate.url), **limits})
        settings = bot.client.settings
        load = Load(bot, rate)
        running = asyncio.create_task(load.run())
        await asyncio.sleep(min(dark, 5.0))
        began = time.monotonic()
        await gate.go_dark(how)
        await asyncio.sleep(dark)
        await gate.come_back()
        ended = time.monotonic()
        longest = settings.breaker_reset + settings.deadline + _MARGIN
        await asyncio.sleep(longest + settings.deadline)
        running.cancel()
        await asyncio.gather(*load.tasks)
        await bot.client.close()
    await asyncio.sleep(0.2)  # connections end in the loop's own time
    left = len(asyncio.all_tasks()) - 1
    opened = bot.log.refused_at or ended
    return Outage(load, began, ended, opened, gate.turned_away, left, longest)


def _times(turns: Iterable[Turn]) -> str:
    """Return median, 99th percentile and maximum, in milliseconds."""
    times = sorted((turn.ended - turn.begun) * 1000 for turn in turns)
    if len(times) < 2:  # noqa: PLR2004 - no quantile of one value
        return ""
    steps = quantiles(times, n=100, method="inclusive")
    return f"median {steps[49]:.1f}, p99 {steps[98]:.1f}, most {times[-1]:.1f} ({len(times)} turns)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = options(".outage", __doc__)
    parser.add_argument("--dark", type=float, default=60.0, help="seconds")
    parser.add_argument("--rate", type=float, default=50.0, help="turns a second")
    chosen = parser.parse_args(arguments)
    limits = {name: value for name, value in os.environ.items() if name.startswith("PS7_")}
    found = {how: asyncio.run(outage(chosen.dark, chosen.rate, how, limits)) for how in HOWS}
    columns = [run.figures() for run in found.values()]
    rows = [(name, *(figures[name] for figures in columns)) for name in columns[0]]
    what = f"dark for {chosen.dark:g} s, {chosen.rate:g} turns a second"
    shown = table((what, *found), rows)
    publish("outage", f"{circumstances()}\n\n{shown}", write=chosen.write)
    problems = [f"{how}: {what}" for how, run in found.items() for what in run.problems()]
    for problem in problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
