"""What the benchmarks share: PS7's simulator as a process, and the real actions in this one.

A turn is what Rasa sends and applies: a new user, or one whose slots hold a context already.
"""

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
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import rasa_sdk
from cryptography.fernet import Fernet
from rasa_sdk.executor import ActionExecutor

from actions.ps7 import ActionPS7Context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
ACTION = "action_ps7_context"
SLOTS = (
    *("ps7_status", "ps7_context", "cpf", "cpf_masked", "agency", "account", "segment"),
    *("ivr_option", "identification", "security_device", "token_status", "ps7_expires_at"),
)
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


class User:
    """Somebody who talks to the bot, with the slots that Rasa keeps for them."""

    def __init__(self, context_id: str) -> None:
        self.context_id = context_id
        self.slots: dict[str, Any] = dict.fromkeys(SLOTS)
        self._sender_id = uuid4().hex

    def call(self) -> dict[str, Any]:
        """Give what Rasa sends when they say something."""
        metadata = {"contextId": self.context_id}
        tracker = {
            "sender_id": self._sender_id,
            "slots": self.slots,
            "latest_message": {"text": "oi", "metadata": metadata},
            "events": [{"event": "user", "text": "oi", "metadata": metadata}],
        }
        return {
            "next_action": ACTION,
            "sender_id": self._sender_id,
            "tracker": tracker,
            "domain": {"slots": {name: {"type": "any"} for name in SLOTS}},
            "version": rasa_sdk.__version__,
        }


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
        user.slots.update({event["name"]: event["value"] for event in events})
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
    """Give the settings that reach a place, with credentials that any simulator takes."""
    return {"PS7_BASE_URL": url, "PS7_USERNAME": "u", "PS7_PASSWORD": "p"}


def table(rows: Mapping[str, object]) -> str:
    """Lay out figures for a person."""
    width = max(map(len, rows))
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows.items())


def keep(name: str, figures: Mapping[str, object], folder: Path) -> None:
    """Write figures down as JSON."""
    folder.mkdir(exist_ok=True)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
