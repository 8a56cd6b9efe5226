"""The benchmarks, made short: they run, they tell right from wrong, and they know their place."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from actions.ps7.testing import Simulator
from benchmarks import figures, turn
from benchmarks.actions import CASES, SIDES, load
from benchmarks.calls import User
from benchmarks.soak import State, grown
from benchmarks.turn import COMPARED, EVERY_TURN, Measured
from tests.benchmarks.running import run
from tests.conversation.talking import RunningBot
from tests.support.action_server import ActionServer

pytestmark = pytest.mark.release

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
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


def test_what_grows_is_named() -> None:
    """Five percent of memory is noise; a descriptor or a task is not."""
    before = State(100_000, 10, 1)
    assert grown(before, State(105_000, 10, 1)) == []
    assert grown(before, State(106_000, 11, 2)) == ["memory", "descriptors", "tasks"]


async def test_an_outage_is_noticed_by_few_and_not_for_long() -> None:
    """Every turn is answered, known users notice nothing, and new ones are soon known again."""
    found = await run("outage", "--dark", "2", **HASTY)
    assert found["turns of known users that were not `ok`"] == ["0", "0"]
    for requests, lookups in zip(
        found["requests that reached PS7 in the dark"], found["lookups in the dark"], strict=True
    ):
        assert int(requests) < int(lookups)


@needs_wrk
async def test_each_side_is_measured_in_its_cases() -> None:
    """Every figure of the action server's table, and none where nothing is compared."""
    found = await run("", "--only", "actions", "--rounds", "1", "--seconds", "1")
    for case, sides in CASES.items():
        for name in ("answers a second", "processor time, µs"):
            cells = dict(zip(SIDES, found[f"{case}: {name}"], strict=True))
            assert {side for side, cell in cells.items() if cell} == {*sides}


@needs_wrk
async def test_figures_of_wrong_answers_are_not_believed(tmp_path: Path) -> None:
    """A side that answers something else than it should was not measured."""
    module = SIDES["an action that does nothing"]
    python, log = Path(sys.executable), tmp_path / "actions.log"
    calls = tmp_path / "calls"
    calls.write_text(str(User("ana").say()).replace("'", '"').replace("None", "null"))
    server = await ActionServer.start(python, log, actions=module)
    try:
        with pytest.raises(RuntimeError, match="are missing or not as expected"):
            await load(server, calls, '"ok"', 1)
    finally:
        await server.process.kill()


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


def test_turns_in_rasa_are_compared_round_by_round() -> None:
    """A moment in which the machine was slow makes no side look better."""
    settings = (turn.BASE, turn.BANK, turn.FAR, turn.JSONSCHEMA)
    bot: RunningBot = object()  # type: ignore[assignment]
    found = {(setting, does): Measured(does, bot) for setting in settings for does in COMPARED}
    for (_, does), measured in found.items():
        times = [10.0, 80.0] if does == EVERY_TURN else [4.0, 40.0]
        for figure in (turn.FIRST, turn.LATER, turn.RATE, turn.RASA, turn.ACTIONS):
            measured.samples[figure] = times
    assert "| 45.0 (27.5 to 62.5) | 22.0 (13.0 to 31.0) | 2.25 | 1.00 |" in turn.report(found)


@pytest.mark.parametrize("section", ["turn", "actions", "outage", "soak", "scale"])
def test_the_page_has_a_place_for_each_table(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--write` replaces what is between the marks, and nothing else."""
    page = tmp_path / "figures.md"
    page.write_text(before := figures.PAGE.read_text("utf-8"), encoding="utf-8")
    monkeypatch.setattr(figures, "PAGE", page)
    figures.publish(section, "shown", write=False)
    assert page.read_text("utf-8") == before
    figures.publish(section, "measured anew", write=True)
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    head, _, rest = before.partition(begin)
    assert (
        page.read_text("utf-8")
        == f"{head}{begin}\n\nmeasured anew\n\n{end}" + rest.partition(end)[2]
    )
