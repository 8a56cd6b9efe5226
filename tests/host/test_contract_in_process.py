"""The actions without a server: Rasa Pro's `actions_module` runs them in Rasa's own process.

Such a host reloads modules, and nothing says that it keeps one event loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.support.action_server import PATIENT
from tests.support.dialogue import FORGET, VERIFY, Dialogue
from tests.support.processes import ROOT
from tests.support.waiting import within

pytestmark = [
    pytest.mark.slow,
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
]

SCRIPT = Path(__file__).parent / "scripts" / "in_process.py"
ANA = PERSONAS["ana"].slots


@dataclass(frozen=True)
class Host:
    """A process that runs actions as it is told to."""

    process: asyncio.subprocess.Process
    errors: Path
    """What it says on its standard error."""

    async def tell(self, **order: object) -> Any:  # noqa: ANN401 - JSON
        """Send an order; return what came of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        line = await within(60, f"an answer to {[*order]}", self.process.stdout.readline())
        assert line, self.errors.read_text()
        return json.loads(line)

    async def send(self, call: dict[str, Any]) -> dict[str, Any]:
        """Run an action."""
        answer: dict[str, Any] = await self.tell(run=call)
        return answer


@asynccontextmanager
async def host(
    python: Path, folder: Path, *, actions: str = "actions", **settings: str
) -> AsyncIterator[Host]:
    """Start a host of a package of actions; at its end it must say nothing and exit with 0."""
    errors = folder / "stderr"
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(python, SCRIPT, actions),
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **PATIENT, **settings},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    try:
        yield Host(process, errors)
        rest, _ = await within(60, "the host ends", process.communicate(b""))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = errors.read_text()
    assert (rest, process.returncode) == (b"", 0), said
    for unwanted in ("Unclosed", "Traceback", "Exception ignored", "never awaited", "destroyed"):
        assert unwanted not in said


async def test_a_reload_changes_nothing(python: Path, ps7: Simulator, tmp_path: Path) -> None:
    """Of all modules in the SDK's own way or in whatever order, or of one: a file was edited.

    All others then know the classes of before. What was sealed is still valid, by a key made at
    start, and other outcomes still come about.
    """
    async with host(python, tmp_path, **ps7.environment) as running:
        known = Dialogue()
        await known.turn(running.send, metadata={"contextId": "ana"})
        for which in ("actions.ps7.settings", "actions.ps7.runtime", "touched", "backward"):
            assert "actions.ps7.actions" in await running.tell(reload=which)
            known.slots["account"] = "overwritten"
            assert await known.turn(running.send) == {"account": ANA["account"]}
            assert await known.turn(running.send, VERIFY) == {}
            user = Dialogue()
            expected = {"http-400": "invalid", "http-503": "unavailable", "C 1": "invalid"}
            for context_id, status in {**expected, "diego": "ok"}.items():
                await user.turn(running.send, metadata={"contextId": context_id})
                assert user.slots["ps7_status"] == status
            await user.turn(running.send, FORGET)
            assert (user.slots["ps7_status"], user.slots["account"]) == ("missing", None)
    assert [request.json["contextId"] for request in ps7.requests].count("ana") == 1
