"""New sessions, and what outlives a session in a database.

`tests/security/rasa` has more of the log-outs.
"""

from __future__ import annotations

import pytest

from actions.ps7.testing import Simulator
from tests.conversation import spoken
from tests.conversation.cast import signed_arrival
from tests.conversation.talking import AN_HOUR, RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

WHO = "quem sou eu"
ANA = ["Conta 00123456, CPF 52998224725."]


async def test_a_customer_ends_with_the_session(oss_bot: RunningBot, ps7: Simulator) -> None:
    """Rasa carries the slots over, as the bot asked for; the next session clears the customer.

    A contextId that arrives again is looked up again. One beside `/session_start` is of the session
    that ends, unless the bot has a `PS7SessionStart`.
    """
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})
    await chat.let_pass(AN_HOUR)

    assert await chat.say("qual meu saldo") == spoken.NO_BALANCE["expired"]
    await spoken.is_unknown(chat, "expired")
    assert await chat.say("qual meu saldo") == spoken.NO_BALANCE["missing"]
    assert await chat.say("qual meu saldo", {"contextId": "ana"}) == spoken.BALANCES["ana"]
    assert len(ps7.requests) == 2
    await chat.say("/session_start", {"contextId": "diego"})
    assert await chat.say("qual meu saldo") == spoken.NO_BALANCE["expired"], "of the one that ended"
    await chat.say("oi", {"contextId": "diego"})
    await chat.say("/restart")
    assert await chat.say("qual meu saldo") == spoken.NO_BALANCE["missing"]


async def test_a_session_that_starts_with_a_greeting_knows_its_customer(
    greeter: RunningBot, ps7: Simulator
) -> None:
    """The greeting is between the action and `session_started`; later turns know her too.

    A database hands out a session from the latter on, Rasa's memory from the action before it.
    """
    chat = greeter.chat()
    assert (await chat.say(WHO, signed_arrival(chat, "ana")))[-1:] == ANA
    await chat.let_pass(AN_HOUR)

    assert "Boas-vindas ao terminal (expired)." in await chat.say("/session_start")
    token = signed_arrival(chat, "ana")
    assert "Boas-vindas ao terminal (00123456)." in await chat.say("/session_start", token)
    assert await chat.say(WHO) == ANA
    assert await chat.say(WHO) == ANA
    assert len(ps7.requests) == 3, "asked for the session that ends, and for the new one"
