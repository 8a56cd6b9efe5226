"""The action server is away. Rasa goes on with the slots of before, and what a bot then says."""

from __future__ import annotations

import pytest

from tests.conversation.cast import BOTS
from tests.conversation.harness import Stage
from tests.conversation.spoken import ANA_ACCOUNT
from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ACCOUNT, BALANCE, HOURS = "qual minha agência e conta", "qual meu saldo", "que horas o banco abre?"


async def test_without_its_action_server_a_bot_tells_nothing_of_a_customer(
    rasa_stage: Stage, oss_bot: RunningBot
) -> None:
    """Ana is known; the server dies; she asks, and then Diego does in the same conversation.

    Where the session start is Rasa's own, the first message of a new one is answered as well.
    """
    chat = oss_bot.chat()
    assert await chat.say(ACCOUNT, {"contextId": "ana"}) == ANA_ACCOUNT

    async with rasa_stage.without_actions(BOTS["oss_bot"]):
        assert (await chat.slots())["account"] == "00123456", "this test shows nothing"
        for who in (None, "diego"):
            heard = [await chat.say(each, {"contextId": who}) for each in (BALANCE, ACCOUNT)]
            assert not any(letter.isdigit() for said in heard for text in said for letter in text)
        assert await oss_bot.chat().say(HOURS, {"contextId": "ana"}) != []
