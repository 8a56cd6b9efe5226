"""The benchmarks, made short: they run, and what they show is plausible."""

from __future__ import annotations

import shutil

import pytest

from actions.ps7.testing import Simulator
from benchmarks.actions import CASES, SIDES
from benchmarks.turn import EVERY_TURN, Measured
from tests.benchmarks.running import run
from tests.conversation.talking import RunningBot

pytestmark = pytest.mark.release

HASTY = {
    "PS7_BREAKER_RESET": "0.5",
    "PS7_DEADLINE": "0.5",
    "PS7_READ_TIMEOUT": "0.15",
    # A lookup is a request: whatever the machine's pace, the breaker keeps some away.
    "PS7_ATTEMPTS": "1",
}


async def test_a_soak_leaves_nothing_behind() -> None:
    """Thousands of turns, each answered and logged, and nothing grows."""
    found = await run("soak", "3000")
    assert found["turns answered"] == found["turns, those of the warm-up included"]
    for name in ("ok", "rejected", "denied", "invalid", "unavailable"):
        assert f"{name} " in found["outcomes"][0]


async def test_an_outage_is_noticed_by_few_and_not_for_long() -> None:
    """Every turn is answered, known users notice nothing, and new ones are soon known again."""
    found = await run("outage", "--dark", "2", **HASTY)
    assert found["turns of known users that were not `ok`"] == ["0", "0"]
    for requests, lookups in zip(
        found["requests that reached PS7 in the dark"], found["lookups in the dark"], strict=True
    ):
        assert int(requests) < int(lookups)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
async def test_each_side_is_measured_in_its_cases() -> None:
    """Every figure of the action server's table, and none where nothing is compared."""
    found = await run("", "--only", "actions", "--rounds", "1", "--seconds", "1")
    for case, sides in CASES.items():
        for name in ("answers a second", "processor time, µs"):
            cells = dict(zip(SIDES, found[f"{case}: {name}"], strict=True))
            assert {side for side, cell in cells.items() if cell} == {*sides}


@pytest.mark.conversation
@pytest.mark.asyncio(loop_scope="session")
async def test_every_turn_is_timed(story_bot: RunningBot, rasa_simulator: Simulator) -> None:
    """A bot that does not know its customer is not measured."""
    bot = Measured(EVERY_TURN, story_bot)
    times = await bot.talk(5, "ana")
    assert len(times) == len(rasa_simulator.requests) + 4 == 5
    assert min(times) > 0
    with pytest.raises(RuntimeError, match="ps7_status is rejected"):  # nor does PS7
        await bot.warm_up()
