"""Two Rasa servers, two action servers, PostgreSQL, Redis and nginx: customers are not mixed up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.scale.programs import Programs
from benchmarks.scale.verdict import AS_IT_COMES, REPEATING
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conversation.talking import RunningBot

pytestmark = [
    pytest.mark.release,
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
]

CONVERSATIONS = 60


@pytest.fixture(scope="session")
def programs() -> Programs:
    """Find what the run needs. Where a program is missing tests are skipped, but never in CI."""
    found = Programs.find()
    if found.missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(found.missing)
    return found


async def scale(rasa_python: Path, model: Path, results: Path) -> tuple[int | None, str]:
    """Run the benchmark as a person would, in short; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.scale", "--model", str(model)),
        *("--conversations", str(CONVERSATIONS), "--results", str(results)),
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PS7_RASA_PYTHON": str(rasa_python)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    return process.returncode, output.decode()


async def test_action_servers_die_and_no_conversation_is_the_worse_for_it(
    programs: Programs, oss_bot: RunningBot, tmp_path: Path
) -> None:
    """Each turn goes to another Rasa server, and each action server is killed once.

    Turns are lost only if they were under way on it, none where nginx repeats action calls, and in
    the end every tracker holds its own customer. What else must hold stands in `verdict.problems`.
    """
    code, output = await scale(programs.rasa_python, oss_bot.model, tmp_path)

    assert code == 0, output
    found: dict[str, Any] = json.loads((tmp_path / "scale.json").read_text(encoding="utf-8"))
    assert found["conversations"] == found["trackers right at the end"] == CONVERSATIONS
    assert found["turns mixed up"] == found["trackers mixed up"] == 0
    assert found["turns at another Rasa server than the one before (%)"] == 100
    for name in (AS_IT_COMES, REPEATING):
        assert found[name]["action calls cut off"] > 0
        assert found[name]["action calls refused, and given to the other server"] > 0
        assert found[name]["turns lost that were not under way at the kill"] == 0
    assert found[REPEATING]["turns lost"] == 0
