"""A hand-over and what comes after it, on a real Rasa: over REST, and behind CEC."""

from __future__ import annotations

from examples.desk import Rasa
from tests.channels.cec import Cec, relay
from tests.channels.services import ON_A_REAL_RASA
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot
from tests.support.agents import CAIO, DELIVERED, Opened

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
        assert (ticket["conversation"], ticket["channel"]) == (cec.session, "cec-app")
        assert await cec.says(A_PERSON, "ana") == ([], "agent"), "as long as the bot is silent"
        await Rasa(channel_bot.url).resume(ticket["conversation"])
        assert await cec.says(BALANCE, "ana") == (spoken.NO_BALANCE["missing"], "bot")
        assert await cec.says(BALANCE, "diego") == (spoken.BALANCES["diego"], "bot")
        assert await cec.says("tchau", "diego") == (spoken.GOODBYE, "nobody")
        assert await cec.says(BALANCE, "diego") == (spoken.NO_BALANCE["missing"], "bot")


async def test_the_bot_is_back_if_the_desk_is_silent(
    oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """After Rasa's session the bot is back; a wish of then is another ticket.

    The agent of the first reads nothing of the customer of then, and writes nothing to him.
    """
    chat, before = oss_bot.chat(), len(rasa_stage.handed_over())
    assert await chat.say(A_PERSON, ANA) == [spoken.HANDOVER]
    assert await chat.say(BALANCE, ANA) == []
    async with Opened(oss_bot.url, 60, "rest") as desk:
        await desk.takes(rasa_stage.handed_over()[-1])
        assert await desk.does("PUT", CAIO, "/agent") == DELIVERED
        await chat.expire_session()
        assert await chat.say(BALANCE, {"contextId": "diego"}) == spoken.BALANCES["diego"]
        assert await desk.does("GET", CAIO, "/messages") == 410
        assert await desk.does("POST", CAIO, "/messages", "x") == 410
        assert await chat.say(A_PERSON) == [spoken.HANDOVER]
        assert await desk.does("GET", CAIO, "/messages") == 410
    ana, diego = rasa_stage.handed_over()[before:]
    assert (ana["cpf_masked"], diego["cpf_masked"]) == ("***.982.247-**", "***.533.447-**")
    assert [line["text"] for line in diego["transcript"]] == [
        *(BALANCE, "O saldo da conta •••• é de R$ ••••.", A_PERSON)
    ]
