"""The example bot that looks up where a session starts: who is greeted, and what it notices later.

On no turn does the plugin run by itself. The rule for the balance calls it.
"""

from __future__ import annotations

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.spoken import BALANCES, GOODBYE, NO_BALANCE, is_unknown
from tests.conversation.talking import RunningBot, down

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

BALANCE = "qual meu saldo"
PERSONNALITE, PRIVATE, WELCOME = (
    f"Boas-vindas ao {whose}." for whose in ("Personnalité", "Private", "banco")
)
HOURS = "As agências atendem de segunda a sexta, das 10h às 16h."
HELLO = "Olá! Como posso ajudar?"


async def test_the_greeting_knows_the_customer(start_bot: RunningBot, ps7: Simulator) -> None:
    """It is said before the first message is answered; later turns ask PS7 nothing."""
    chat, anonymous = start_bot.chat(), start_bot.chat()
    assert await anonymous.say("oi") == [WELCOME, HELLO]
    await is_unknown(anonymous, "missing")
    assert ps7.requests == []
    assert await chat.say("oi", {"contextId": "ana"}) == [PERSONNALITE, HELLO]
    assert (await chat.slots())["account"] == PERSONAS["ana"].slots["account"]
    assert await chat.say("oi", {"contextId": "ana"}) == [HELLO]
    assert await chat.say(BALANCE) == BALANCES["ana"]
    assert await chat.say("tchau") == GOODBYE
    assert await chat.say(BALANCE, {"contextId": "ana"}) == NO_BALANCE["missing"]
    assert await chat.say("que horas fecha") == [HOURS]
    assert [request.json["contextId"] for request in ps7.requests] == ["ana"]


async def test_a_session_start_that_is_asked_for_replaces_the_customer(
    start_bot: RunningBot, ps7: Simulator
) -> None:
    """It names whom the session is for, in mid-conversation; while PS7 is down, for later.

    Its contextId stays at hand, although its message belongs to the session before. After a
    `/restart` no customer is known.
    """
    chat = start_bot.chat()
    await chat.say("oi", {"contextId": "ana"})
    assert await chat.say("/session_start", {"contextId": "diego"}) == [PRIVATE]
    assert await chat.say(BALANCE) == BALANCES["diego"]
    async with down(ps7):
        said = await chat.say("/session_start", {"contextId": "ana"})
        assert said == [WELCOME, *NO_BALANCE["unavailable"]]
        await is_unknown(chat, "unavailable")
    assert await chat.say(BALANCE) == BALANCES["ana"]

    assert await chat.say("/restart") == [WELCOME]
    await is_unknown(chat, "missing")
    assert await chat.say(BALANCE) == NO_BALANCE["missing"]
