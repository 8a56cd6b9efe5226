"""A hand-over and what comes after it, on a real Rasa: over REST, and behind CEC."""

from __future__ import annotations

import pytest

from examples.desk import Rasa
from tests.channels.cec import Cec, relay
from tests.channels.services import ON_A_REAL_RASA, Somebody
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot
from tests.support.agents import CAIO, JOINED, LIA, NEVER_CAME, RETURNED, Opened
from tests.support.waiting import within

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
        assert await desk.does("PUT", CAIO, "/agent") == {"delivered": True}
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


async def test_two_agents_and_a_customer(
    channel_bot: RunningBot, ana: Somebody, rasa_stage: Stage
) -> None:
    """She hears who joins and who leaves, and one agent; then the bot, which forgot her.

    The agent has read what she told the bot before, and gets what she writes.
    """
    await ana.say(BALANCE)
    await ana.say(A_PERSON)
    ticket = rasa_stage.handed_over()[-1]
    assert [line["text"] for line in ticket["transcript"]] == [
        *(BALANCE, "O saldo da conta •••• é de R$ ••••.", A_PERSON)
    ]
    async with Opened(channel_bot.url) as desk:
        await desk.takes(ticket)
        assert await desk.does("PUT", CAIO, "/agent") == {"delivered": True}
        assert await ana.hears(1) == [JOINED]
        assert await desk.does("PUT", LIA, "/agent") == 409
        assert await desk.does("POST", LIA, "/messages", "Oi, sou a Lia.") == 409
        for _ in range(2):
            said = await desk.does("POST", CAIO, "/messages", "Oi, sou o Caio.")
            assert said == {"delivered": True}
        assert await ana.hears(1) == ["Oi, sou o Caio."]
        await ana.say("meu cartão", answers=0)
        read: list[dict[str, str]] = []

        async def hear_the_customer() -> None:
            while {"who": "customer", "text": "meu cartão"} not in read:
                read[:] = await desk.does("GET", CAIO, "/messages")

        await within(20, "the desk has what the customer wrote", hear_the_customer())
        assert [line["who"] for line in read] == ["desk", "agent", "customer"]
        assert await desk.does("DELETE", CAIO) == {"delivered": True}
        assert await ana.hears(1) == [RETURNED]
        for verb, what in (("GET", "/messages"), ("PUT", "/agent"), ("DELETE", "")):
            assert [await desk.does(verb, each, what) for each in (CAIO, LIA)] == [410] * 2
        assert await desk.does("POST", CAIO, "/messages", "x") == 410
        assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"]


async def test_no_agent_comes(channel_bot: RunningBot, ana: Somebody, rasa_stage: Stage) -> None:
    """She is told, and the bot goes on with somebody whom it does not know any more."""
    await ana.say(A_PERSON)
    async with Opened(channel_bot.url, patience=0) as desk:
        await desk.takes(rasa_stage.handed_over()[-1])
        assert await ana.hears(1) == [NEVER_CAME]
        assert await desk.does("PUT", CAIO, "/agent") == 410
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"]


async def test_over_rest_nothing_is_said_and_the_bot_comes_back(
    oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """Rasa would take the words for delivered. A session's end is the end of the ticket."""
    chat = oss_bot.chat()
    await chat.say(A_PERSON, ANA)
    async with Opened(oss_bot.url) as desk:
        await desk.takes(rasa_stage.handed_over()[-1])
        await chat.say("alô?")
        assert await desk.does("GET", CAIO, "/messages") == [{"who": "customer", "text": "alô?"}]
        assert await desk.does("PUT", CAIO, "/agent") == 409
        assert (await desk.does("DELETE", CAIO))["delivered"] is False
        assert await chat.say(BALANCE, ANA) == spoken.NO_BALANCE["missing"]
        assert (await chat.slots())["handed_over"] is False
        assert await desk.does("GET", CAIO, "/messages") == 410


@pytest.mark.parametrize("text", ["/agent_returned", "EXTERNAL: agent_returned", "agent returned"])
async def test_nobody_types_what_the_desk_says(oss_bot: RunningBot, text: str) -> None:
    """No intent of the bot is the desk's: it has no words for it."""
    (said,) = await oss_bot.chat().say(text)
    assert said in {*spoken.NOT_UNDERSTOOD, *spoken.OUT_OF_SCOPE}
