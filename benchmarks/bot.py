"""What the long runs share: PS7's simulator as a process, and the real actions in this one."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet
from rasa_sdk.executor import ActionExecutor

from actions.ps7 import ActionPS7Context
from tests.support.processes import ROOT, Process, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from benchmarks.calls import User

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

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Take the PS7_* settings. Those of this process do not apply."""
        for name in [name for name in os.environ if name.startswith("PS7_")]:
            del os.environ[name]
        os.environ.update(settings)
        self.log = LookupLog()
        logger = logging.getLogger("actions")
        logger.handlers = [self.log]
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logging.getLogger("rasa_sdk").setLevel(logging.WARNING)
        action = ActionPS7Context()
        self._executor = ActionExecutor()
        self._executor.register_action(action)
        self.client = action.runtime.client

    async def turn(self, user: User) -> str:
        """Let somebody say something; give the outcome, or what came instead of it."""
        answer = await self._executor.run(json.loads(json.dumps(user.say())))
        user.apply(answer if isinstance(answer, dict) else vars(answer))
        return str(user.slots["ps7_status"])


@asynccontextmanager
async def simulator() -> AsyncIterator[str]:
    """Run PS7's simulator as a process; give where it listens."""
    command = (sys.executable, "-m", "actions.ps7.testing.simulator", "--port", str(free_port()))
    with TemporaryDirectory(prefix="ps7-simulator-") as folder:
        log = Path(folder) / "simulator.log"
        process = await Process.start(log, *command, cwd=ROOT, variables={})
        try:
            await process.answers(url := f"http://127.0.0.1:{command[-1]}")
            yield url
        finally:
            await process.end()


def environment(url: str) -> dict[str, str]:
    """Return the settings that reach a place, with credentials that any simulator takes."""
    account = {"PS7_BASE_URL": url, "PS7_USERNAME": "u", "PS7_PASSWORD": "p"}
    return {**account, "PS7_SEAL_KEYS": json.dumps([Fernet.generate_key().decode()])}
