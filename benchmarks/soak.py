"""Many turns in one process, over customers and faults: what grows, and what is unanswered.

    python -m benchmarks.soak [TURNS]

64 users at a time talk to the real actions, and these to PS7's simulator in another process. Most
faults are quick; a few stall. Now and then many fail in a row. What an open circuit leaves behind,
`outage` says.
After a warm-up and at the end memory, file descriptors and tasks are counted, without the client's
session. Needs Linux (/proc).

Exit code 1: memory grew by more than 5 %, descriptors or tasks grew, or a turn ended in another way
than its answer says.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from actions.ps7.testing import FAULTS, PERSONAS
from benchmarks.bot import Bot, environment, simulator
from benchmarks.calls import User
from benchmarks.figures import circumstances, of_one_run, options, publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TURNS = 200_000
AT_A_TIME = 64
GROWTH = 0.05
_SEED = 7
LIMITS = {"PS7_DEADLINE": "1", "PS7_READ_TIMEOUT": "0.3", "PS7_BREAKER_RESET": "0.1"}

_ASKING_TO_WAIT = [name for name, fault in FAULTS.items() if "Retry-After" in fault.headers]
SLOW = ("slow", "slow-body", "drip", "late", "endless", "gzip-bomb", *_ASKING_TO_WAIT)
"""Faults that take their time, or the simulator's."""
_ONCE = [name for name, fault in FAULTS.items() if fault.after]
"""Faults that are others before, once in a simulator's life: which turn meets them is chance."""
QUICK = [name for name in FAULTS if name not in (*SLOW, *_ONCE)]
_NEW, _BACK, _STALLED = 0.6, 0.2, 0.005
"""Shares of the turns: a customer who arrives, one who is known, a fault of `SLOW`; the rest are
faults of `QUICK`."""
_IN_A_ROW, _EVERY = 100, 20_000
"""So many failures come in a row, every so many turns: the breaker sends a probe."""
_BREATH = 0.05
"""Seconds until the next user comes where the open circuit refused one: else it would eat up the
turns, it is that quick."""
_CUSTOMERS = [who for who in PERSONAS.values() if who.name != "iara"]  # hers holds two seconds
_RETURNING = 256


class State(NamedTuple):
    """What must not grow."""

    memory: int
    """Resident, in bytes."""
    descriptors: int
    tasks: int

    @classmethod
    async def now(cls, bot: Bot) -> State:
        """Count, after everything that can be let go of is gone."""
        await bot.client.close()
        await asyncio.sleep(0.2)  # connections end in the loop's own time
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])  # noqa: ASYNC240 - no disk
        return cls(
            pages * os.sysconf("SC_PAGE_SIZE"),
            len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - no disk
            len(asyncio.all_tasks()),
        )


def grown(before: State, after: State) -> list[str]:
    """Name what grew."""
    most = before._replace(memory=int(before.memory * (1 + GROWTH)))
    return [
        name for name, now, limit in zip(State._fields, after, most, strict=True) if now > limit
    ]


class Soak:
    """The turns, and what became of them."""

    def __init__(self, bot: Bot) -> None:
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.returning = 0
        self._bot = bot
        self._chance = random.Random(_SEED)  # noqa: S311 - a mix that can be repeated
        self._known: list[tuple[User, str | None]] = []

    async def talk(self, first: int, last: int) -> None:
        """Make these turns, so many at a time."""
        numbers = iter(range(first, last))
        await asyncio.gather(*(self._worker(numbers) for _ in range(AT_A_TIME)))

    async def _worker(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            kind = self._chance.random()
            if number % _EVERY < _IN_A_ROW:
                await self._fault("http-503")
            elif kind < _NEW or not self._known:
                await self._arrives()
            elif kind < _NEW + _BACK:
                await self._returns()
            else:
                await self._fault(self._chance.choice(QUICK if kind < 1 - _STALLED else SLOW))

    async def _arrives(self) -> None:
        who = self._chance.choice(_CUSTOMERS)
        user, cpf = User(who.context_id), who.slots["cpf"]
        if await self._turn(user, "ok") == "ok":
            self._check(user, cpf)
            self._known = [*self._known[-_RETURNING:], (user, cpf)]

    async def _returns(self) -> None:
        user, cpf = self._chance.choice(self._known)
        self.returning += 1
        await self._bot.turn(user)
        self._check(user, cpf)

    async def _fault(self, name: str) -> None:
        await self._turn(User(FAULTS[name].context_id), FAULTS[name].outcome)

    async def _turn(self, user: User, expected: str) -> str:
        """Count an outcome. An open circuit makes `unavailable` or `denied` of any."""
        outcome = await self._bot.turn(user)
        self.outcomes[outcome] += 1
        if outcome not in (expected, "unavailable", "denied"):
            self.wrong.append(f"{user.context_id}: {outcome}")
        if outcome != expected:
            await asyncio.sleep(_BREATH)
        return outcome

    def _check(self, user: User, cpf: str | None) -> None:
        if (user.slots["ps7_status"], user.slots["cpf"]) != ("ok", cpf):
            self.wrong.append(f"{user.context_id}: another's data, or none")


async def soak(turns: int) -> tuple[dict[str, object], list[str]]:
    """Make so many turns after a warm-up; return the figures, and what is wrong with them."""
    warm_up = max(turns // 10, 2000)
    async with simulator() as url:
        bot = Bot({**environment(url), **LIMITS})
        run = Soak(bot)
        await run.talk(0, warm_up)
        before = await State.now(bot)
        started = time.monotonic()
        await run.talk(warm_up, warm_up + turns)
        seconds = time.monotonic() - started
        after = await State.now(bot)
    answered = run.outcomes.total() + run.returning
    unlogged = abs(run.outcomes.total() - bot.log.reasons.total())
    figures = {
        "turns, those of the warm-up included": warm_up + turns,
        "turns answered": answered,
        "turns that ended in another way than PS7's answer": len(run.wrong),
        "lookups without exactly one line": unlogged,
        "turns a second": round(turns / seconds),
        "memory after the warm-up and at the end, MiB": " and ".join(
            f"{state.memory / 2**20:.1f}" for state in (before, after)
        ),
        "file descriptors": f"{before.descriptors} and {after.descriptors}",
        "tasks": f"{before.tasks} and {after.tasks}",
        "lookups that the open circuit refused": bot.log.reasons["circuit_open"],
        "outcomes": ", ".join(f"{name} {times}" for name, times in run.outcomes.most_common()),
    }
    problems = [*grown(before, after), *run.wrong[:5]]
    if answered != warm_up + turns:
        problems.append("turns unanswered")
    if unlogged:
        problems.append("lookups without exactly one line")
    return figures, problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = options(".soak", __doc__)
    parser.add_argument("turns", type=int, nargs="?", default=TURNS)
    chosen = parser.parse_args(arguments)
    figures, problems = asyncio.run(soak(chosen.turns))
    table = of_one_run("soak", figures)
    publish("soak", f"{circumstances()}\n\n{table}", write=chosen.write)
    for problem in problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
