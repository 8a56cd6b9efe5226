"""Two Rasa servers, two action servers, PostgreSQL, Redis and nginx: customers are not mixed up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.scale.__main__ import FEWEST
from benchmarks.scale.acts import AS_IT_COMES, PLANS, REPEATING, SKIPPED
from tests.faults.test_benchmarks import figures, run

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.scale.programs import Programs
    from tests.conversation.talking import RunningBot

pytestmark = [
    pytest.mark.release,
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_servers_die_and_change_and_no_conversation_is_the_worse_for_it(
    programs: Programs, oss_bot: RunningBot, tmp_path: Path
) -> None:
    """Each turn goes to another Rasa server, each action call to another action server.

    Turns are lost only if they were under way at a kill, none where nginx repeats action calls; new
    versions and keys cost no lookup; and in the end every tracker holds its own customer. What else
    must hold stands in `verdict.problems`.
    """
    arguments = ("--model", str(oss_bot.model), "--conversations", str(FEWEST))
    await run(tmp_path, "scale", *arguments, PS7_RASA_PYTHON=str(programs.rasa_python))

    found = figures(tmp_path, "scale")
    assert found["conversations"] == found["trackers right at the end"] >= FEWEST
    assert found["turns mixed up"] == found["trackers mixed up"] == 0
    assert found["turns at another Rasa server than the one before (%)"] == 100
    for name in (AS_IT_COMES, REPEATING):
        assert found[name]["action calls cut off"] > 0
        assert found[name]["turns lost that were not under way at the kill"] == 0
    assert found[REPEATING]["turns lost"] == 0
    for plan in PLANS:
        act = found[plan.name]
        assert act["action calls refused, and given to the other server"] > 0
        assert act["conversations that were ever tampered"] == 0
    further = found[SKIPPED]["lookups that reached PS7"] - found[SKIPPED]["contextIds"]
    assert further > 0, "the two versions have met"
