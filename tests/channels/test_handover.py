"""A hand-over whose desk does not give the conversation back, on a real Rasa."""

from __future__ import annotations

import pytest

from examples.desk import Rasa
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import AN_HOUR, RunningBot

pytestmark = [
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("channels"),
]

A_PERSON, BALANCE = "quero falar com uma pessoa", "qual meu saldo"
ANA = {"contextId": "ana"}


async def test_the_bot_is_back_if_the_desk_is_silent(
    oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """After Rasa's session the bot is back; a wish of then is another ticket."""
    chat, before = oss_bot.chat(), len(rasa_stage.handed_over())
    assert await chat.say(A_PERSON, ANA) == [spoken.HANDOVER]
    assert await chat.say(BALANCE, ANA) == []
    await chat.let_pass(AN_HOUR)
    assert await chat.say("oi") == spoken.GREETING
    assert await chat.say(A_PERSON, ANA) == [spoken.HANDOVER]
    assert len(rasa_stage.handed_over()) == before + 2


async def test_the_bot_goes_on_when_no_agent_came(oss_bot: RunningBot) -> None:
    """The desk says so, and the bot goes on with somebody it does not know any more."""
    chat = oss_bot.chat()
    await chat.say(A_PERSON, ANA)
    await Rasa(oss_bot.url).resume(chat.sender, "agent_never_came")
    assert await chat.say(BALANCE, ANA) == spoken.NO_BALANCE["missing"]
    assert (await chat.slots())["handed_over"] is False


async def test_only_what_was_written_since_is_read(oss_bot: RunningBot) -> None:
    """The agent sees nothing of what the customer told the bot before."""
    chat, desk = oss_bot.chat(), Rasa(oss_bot.url)
    await chat.say(BALANCE, ANA)
    assert await desk.written(chat.sender) == []
    await chat.say(A_PERSON, ANA)
    await chat.say("alô?")
    assert await desk.written(chat.sender) == [{"who": "customer", "text": "alô?"}]
    await desk.resume(chat.sender, "an_intent_that_no_bot_has")
    assert await chat.say("oi") == spoken.GREETING
