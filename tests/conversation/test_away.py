"""The action server is away. Rasa goes on with the slots of before, and what a bot then says."""

from __future__ import annotations

import pytest

from tests.conversation.cast import BOTS
from tests.conversation.harness import Stage
from tests.conversation.spoken import ANA_ACCOUNT, BALANCES
from tests.conversation.talking import AN_HOUR, RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ACCOUNT, BALANCE, HOURS = "qual minha agência e conta", "qual meu saldo", "que horas o banco abre?"
OPEN_FROM_TEN = ["As agências atendem de segunda a sexta, das 10h às 16h."]


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


async def test_without_its_action_server_the_first_message_of_a_session_is_lost(
    rasa_stage: Stage, start_bot: RunningBot
) -> None:
    """As with any `action_session_start` of a bot's own; Rasa answers the next message.

    What needs no action is answered, and slots stay as they are, until the rule runs again: then it
    is the customer who came last.
    """
    going_on, new, known = start_bot.chat(), start_bot.chat(), start_bot.chat()
    await going_on.say("oi", {"contextId": "ana"})
    await known.say("oi", {"contextId": "diego"})
    await known.let_pass(AN_HOUR)

    async with rasa_stage.without_actions(BOTS["start_bot"]):
        for chat in (new, known):
            assert await chat.say(HOURS, {"contextId": "ana"}) == []
        for chat in (going_on, new, known):
            assert await chat.say(HOURS) == OPEN_FROM_TEN
            assert await chat.say(BALANCE) == []
        assert await going_on.say(BALANCE, {"contextId": "diego"}) == []
        assert (await going_on.slots())["account"] == "00123456"

    for chat, who in ((going_on, "diego"), (new, "ana"), (known, "ana")):
        assert await chat.say(BALANCE) == BALANCES[who]
