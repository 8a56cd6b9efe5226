"""One side of the profile: so many turns in this process, and where its stack was meanwhile.

    PS7_BASE_URL=… python -m benchmarks.profiled ACTIONS TURNS [--held]

The action runs as the action server runs it, without the HTTP side. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import time
from collections import Counter
from contextlib import contextmanager
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import uvloop
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.utils import configure_colored_logging

from benchmarks.calls import User, as_json
from benchmarks.processes import ROOT
from benchmarks.stub import context_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

_AT_A_TIME = 32
_WARM_UP = 1000
_USERS = 500
_EVERY = 0.0005
_OURS = (f"{ROOT}/actions/ps7/", f"{ROOT}/benchmarks/rivals/")
_LIBRARY = re.compile(r"/lib/python[\d.]+/(?:site-packages/)?(\w+)")


class Sampler:
    """Looks at the stack now and then."""

    def __init__(self) -> None:
        self.samples: Counter[tuple[str, str]] = Counter()
        """By our innermost function and the library that it called, where there are such."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take samples meanwhile."""
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, _EVERY, _EVERY)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        innermost = called = ""
        while frame is not None:
            code = frame.f_code
            for folder in _OURS:
                if code.co_filename.startswith(folder):
                    function = getattr(code, "co_qualname", code.co_name)  # from Python 3.11 on
                    place = code.co_filename.removeprefix(folder)
                    self.samples[f"{place} {function}", called] += 1
                    return
            found = _LIBRARY.search(code.co_filename)
            if found:
                called = found[1]
                innermost = innermost or called
            frame = frame.f_back
        self.samples["", innermost] += 1


async def talk(executor: ActionExecutor, users: Sequence[User], turns: int) -> None:
    """Let users say something, some at a time."""
    calls = islice(cycle([as_json(user.call()) for user in users]), turns)

    async def one_after_the_other() -> None:
        for call in calls:
            answer: Any = await executor.run(json.loads(call))
            answer.model_dump()

    await asyncio.gather(*(one_after_the_other() for _ in range(_AT_A_TIME)))


async def profile(actions: str, turns: int, *, held: bool) -> None:
    """Warm up, take samples of so many turns, and print them."""
    executor = ActionExecutor()
    executor.register_package(actions)
    users = [User(context_id(number)) for number in range(min(_USERS, turns))]
    for user in users:
        answer: Any = await executor.run(user.call())
        if held:
            user.apply(answer.events)
    await talk(executor, users, min(_WARM_UP, turns))
    sampler = Sampler()
    began = time.process_time()
    with sampler.running():
        await talk(executor, users, turns)
    micros = (time.process_time() - began) / turns * 1e6
    rows = [[*where, count] for where, count in sampler.samples.items()]
    sys.stdout.write(json.dumps({"micros": micros, "samples": rows}) + "\n")


def main() -> None:
    """Read the command line."""
    configure_colored_logging("INFO")
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(profile(sys.argv[1], int(sys.argv[2]), held="--held" in sys.argv))


if __name__ == "__main__":
    main()
