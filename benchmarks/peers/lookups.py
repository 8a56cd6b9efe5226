"""Looks contexts up as it is told, with the plugin of the tree that PYTHONPATH names.

A line of standard input is a job, as JSON: `settings` (PS7_*), `context_ids`, and `rate` (lookups
a second, whether or not those before have ended) or `at_a_time`, with a `pause` in seconds after
each. Each job has a client of its own. The line that it prints in return says what came of it. Any
release of the plugin can run it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actions.ps7 import LookupFailed, PS7Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Opened(logging.Handler):
    """Counts how often a circuit opened."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.times = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line."""
        self.times += "Circuit breaker open" in record.getMessage()


class Job:
    """The lookups of one client."""

    def __init__(self, client: PS7Client) -> None:
        self.ended: list[tuple[str, str, float, bool]] = []
        """Of each lookup: outcome, reason, seconds, and whether it is the right customer's."""
        self._client = client

    async def look_up(self, context_id: str) -> None:
        """Look one contextId up. PS7 makes the account of it."""
        began = time.monotonic()
        try:
            customer = await self._client.lookup(context_id)
        except LookupFailed as failure:
            ended, right = (str(failure.outcome), str(failure.reason)), True
        else:
            ended, right = ("ok", "ok"), customer.account == context_id
        self.ended.append((*ended, time.monotonic() - began, right))

    async def come(self, context_ids: list[str], rate: float) -> None:
        """Begin so many lookups a second."""
        due, tasks = time.monotonic(), []
        for context_id in context_ids:
            tasks.append(asyncio.create_task(self.look_up(context_id)))
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await asyncio.gather(*tasks)

    async def take_turns(self, context_ids: list[str], at_a_time: int, pause: float) -> None:
        """Make so many lookups at a time."""
        left = iter(context_ids)

        async def one_after_the_other() -> None:
            for context_id in left:
                await self.look_up(context_id)
                await asyncio.sleep(pause)

        await asyncio.gather(*(one_after_the_other() for _ in range(at_a_time)))


async def run(
    settings: dict[str, str],
    context_ids: list[str],
    rate: float | None = None,
    at_a_time: int = 1,
    pause: float = 0.0,
) -> dict[str, Any]:
    """Do a job."""
    os.environ.update(settings)
    opened = Opened()
    logger = logging.getLogger("actions")
    logger.handlers, logger.propagate = [opened], False
    logger.setLevel(logging.INFO)  # as it runs in production: each lookup has its line
    memory, used, began = _memory(), time.process_time(), time.monotonic()
    async with PS7Client() as client:
        job = Job(client)
        if rate is not None:
            await job.come(context_ids, rate)
        else:
            await job.take_turns(context_ids, at_a_time, pause)
        seconds, used = time.monotonic() - began, time.process_time() - used
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - memory
    return {
        "lookups": job.ended,
        "opened": opened.times,
        "seconds": seconds,
        "processor": used,
        "memory": grown,
    }


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


async def _lines() -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        yield line


async def main() -> None:
    """Do jobs until there are none."""
    async for line in _lines():
        sys.stdout.write(json.dumps(await run(**json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
