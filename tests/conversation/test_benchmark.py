"""The benchmark of a whole turn talks to a real bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.rasa_turn import converse

if TYPE_CHECKING:
    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]


async def test_every_turn_of_a_conversation_is_timed(merged_story_bot: RunningBot) -> None:
    """The first turn, which looks the customer up, and the ones after it."""
    times = await converse({"bot": merged_story_bot}, rounds=2, conversations=1)
    assert [len(figure.values) for figure in times["bot"].values()] == [2, 2]
    assert all(value > 0 for figure in times["bot"].values() for value in figure.values)
