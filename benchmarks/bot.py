"""What the long runs share: PS7's simulator as a process, and the real actions in this one."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet
from rasa_sdk.executor import ActionExecutor

from actions.ps7 import ActionPS7Context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from benchmarks.calls import User

ROOT = Path(__file__).parents[1]
_REASON = re.compile(r"PS7 lookup: .* reason=(\w+) ")


class LookupLog(logging.Handler):
    """Takes the plugin's lines instead of a terminal: counts lookups by reason."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.reasons: Counter[str] = Counter()
        self.refused_at: float | None = None
        """When the open circuit refused a lookup for the first time (monotonic clock)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line."""
        line = _REASON.search(record.getMessage())
        if line:
            self.reasons[line[1]] += 1
            if line[1] == "circuit_open" and self.refused_at is None:
                self.refused_at = time.monotonic()


class Bot:
    """The real actions, called as the action server calls them."""

    def __init__(self, environment: Mapping[str, object]) -> None:
        """Take PS7_* settings; those of this process do not count."""
        for name in [name for name in os.environ if name.startswith("PS7_")]:
            del os.environ[name]
        keys = json.dumps([Fernet.generate_key().decode()])
        settings = {"PS7_SEAL_KEYS": keys, **environment}
        os.environ.update({name: str(value) for name, value in settings.items()})
        self.log = LookupLog()
        logger = logging.getLogger("actions")
        logger.addHandler(self.log)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logging.getLogger("rasa_sdk").setLevel(logging.WARNING)
        action = ActionPS7Context()
        self._executor = ActionExecutor()
        self._executor.register_action(action)
        self.client = action.runtime.client

    async def turn(self, user: User) -> str:
        """Let somebody say something; give the outcome, or what came instead of it."""
        call = json.loads(json.dumps(user.call()))
        answer = await self._executor.run(call)
        events = answer["events"] if isinstance(answer, dict) else vars(answer)["events"]
        user.apply(events)
        return str(user.slots["ps7_status"])


@asynccontextmanager
async def simulator() -> AsyncIterator[str]:
    """Run PS7's simulator as a process; give where it listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "actions.ps7.testing.simulator"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        stdout = process.stdout
        line = await stdout.readline() if stdout is not None else b""
        yield line.decode().split()[-1]
    finally:
        process.terminate()
        await process.communicate()


def environment(url: str) -> dict[str, object]:
    """Return the settings that reach a place, with credentials that any simulator takes."""
    return {"PS7_BASE_URL": url, "PS7_USERNAME": "u", "PS7_PASSWORD": "p"}
