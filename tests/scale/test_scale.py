"""Two Rasa servers, two action servers, PostgreSQL, Redis and nginx: customers are not mixed up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from benchmarks.scale.programs import Programs
from benchmarks.scale.verdict import AS_IT_COMES, REPEATING
from tests.faults.test_benchmarks import figures, run

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


async def test_action_servers_die_and_no_conversation_is_the_worse_for_it(
    programs: Programs, oss_bot: RunningBot, tmp_path: Path
) -> None:
    """Each turn goes to another Rasa server, and each action server is killed once.

    Turns are lost only if they were under way on it, none where nginx repeats action calls, and in
    the end every tracker holds its own customer. What else must hold stands in `verdict.problems`.
    """
    arguments = ("--model", str(oss_bot.model), "--conversations", str(CONVERSATIONS))
    await run(tmp_path, "scale", *arguments, PS7_RASA_PYTHON=str(programs.rasa_python))

    found = figures(tmp_path, "scale")
    assert found["conversations"] == found["trackers right at the end"] == CONVERSATIONS
    assert found["turns mixed up"] == found["trackers mixed up"] == 0
    assert found["turns at another Rasa server than the one before (%)"] == 100
    for name in (AS_IT_COMES, REPEATING):
        assert found[name]["action calls cut off"] > 0
        assert found[name]["action calls refused, and given to the other server"] > 0
        assert found[name]["turns lost that were not under way at the kill"] == 0
    assert found[REPEATING]["turns lost"] == 0
