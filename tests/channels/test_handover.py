"""A hand-over and what comes after it, on a real Rasa: over REST, and behind CEC."""

from __future__ import annotations

from examples.desk import Rasa
from tests.channels.cec import Cec, relay
from tests.channels.services import ON_A_REAL_RASA
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import AN_HOUR, RunningBot

pytestmark = ON_A_REAL_RASA

A_PERSON, BALANCE = "quero falar com uma pessoa", "qual meu saldo"
ANA = {"contextId": "ana"}


async def test_ana_behind_cec_is_known_and_handed_over(
    channel_bot: RunningBot, rasa_stage: Stage
) -> None:
    """She is known by a signed arrival, handed over, and comes back with a new contextId.

    Whoever is there after she has left is not Ana.
    """
    before = len(rasa_stage.handed_over())
    async with relay(channel_bot.url) as http:
        cec = Cec(http)
        assert await cec.says(BALANCE, "ana") == (spoken.BALANCES["ana"], "bot")
        assert await cec.says(A_PERSON, "ana") == ([spoken.HANDOVER], "agent")
        (ticket,) = rasa_stage.handed_over()[before:]
        assert (ticket["conversation"], ticket["channel"]) == (cec.session, "app")
        assert await cec.says(A_PERSON, "ana") == ([], "agent"), "as long as the bot is silent"
        await Rasa(channel_bot.url).resume(ticket["conversation"], "agent_returned")
        assert await cec.says(BALANCE, "ana") == (spoken.NO_BALANCE["missing"], "bot")
        assert await cec.says(BALANCE, "diego") == (spoken.BALANCES["diego"], "bot")
        assert await cec.says("tchau", "diego") == (spoken.GOODBYE, "nobody")
        assert await cec.says(BALANCE, "diego") == (spoken.NO_BALANCE["missing"], "bot")


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
    """With somebody it does not know any more, and though a bot knows no such intent.

    The desk was told nothing of what was said before the hand-over.
    """
    chat, desk = oss_bot.chat(), Rasa(oss_bot.url)
    await chat.say(BALANCE, ANA)
    assert await desk.written(chat.sender) == []
    await chat.say(A_PERSON, ANA)
    await chat.say("alô?")
    assert await desk.written(chat.sender) == [{"who": "customer", "text": "alô?"}]
    await desk.resume(chat.sender, "an_intent_that_no_bot_has")
    await desk.resume(chat.sender, "agent_never_came")
    assert await chat.say(BALANCE, ANA) == spoken.NO_BALANCE["missing"]
    assert (await chat.slots())["handed_over"] is False
