"""A bot that was there before: merging `domain.yml` changes none of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actions.ps7.testing import PERSONAS

if TYPE_CHECKING:
    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

TALKS = {
    "a good day": {"oi": "Olá! Tudo bem?", "tudo ótimo": "Que bom!", "tchau": "Até logo!"},
    "a bad day": {"oi": "Olá! Tudo bem?", "nada bem": "Vai melhorar.", "tchau": "Até logo!"},
}


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
async def test_the_answers_of_a_story_bot_do_not_change(
    story_bot: RunningBot, merged_story_bot: RunningBot, talk: dict[str, str]
) -> None:
    """Before and after the merge, for anonymous users and for customers, it says the same."""
    before, anonymous, customer = story_bot.chat(), merged_story_bot.chat(), merged_story_bot.chat()

    for said, answer in talk.items():
        assert await before.say(said) == [answer]
        assert await anonymous.say(said) == [answer]
        assert await customer.say(said, {"contextId": "ana"}) == [answer]

    assert "cpf" not in await before.slots()
    assert (await anonymous.slots())["ps7_status"] == "missing"
    assert (await customer.slots())["cpf"] == PERSONAS["ana"].slots["cpf"]
