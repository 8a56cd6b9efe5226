"""A bot that starts a session with a greeting, and whose slot `cpf` is its own."""

from __future__ import annotations

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.cast import signed_arrival
from tests.conversation.spoken import NOBODY, is_unknown, of_the_customer
from tests.conversation.talking import RunningBot, down

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ACCOUNT = str(PERSONAS["ana"].slots["account"])
TYPED, WHO = "11144477735", "quem sou eu"
ANA = [f"Conta {ACCOUNT}, CPF {PERSONAS['ana'].slots['cpf']}."]


def welcome(whom: str) -> str:
    """Return the greeting of a session."""
    return f"Boas-vindas ao terminal ({whom})."


async def test_a_session_that_starts_with_a_greeting_knows_its_customer(
    kiosk: RunningBot, ps7: Simulator
) -> None:
    """The greeting is between the action and `session_started`; later turns know her too.

    A database hands out a session from the latter on, Rasa's memory from the action before it.
    """
    chat = kiosk.chat()
    assert await chat.say(WHO, signed_arrival(chat, "ana")) == [welcome(ACCOUNT), *ANA]
    await chat.expire_session()

    assert welcome("expired") in await chat.say("/session_start")
    token = signed_arrival(chat, "ana")
    assert welcome(ACCOUNT) in await chat.say("/session_start", token)
    assert await chat.say(WHO) == ANA
    assert await chat.say(WHO) == ANA
    assert len(ps7.requests) == 3, "asked for the session that ends, and for the new one"


async def test_a_session_start_that_is_asked_for_replaces_the_customer(
    kiosk: RunningBot, ps7: Simulator
) -> None:
    """It names whom the session is for, in mid-conversation; while PS7 is down, for later.

    Its contextId stays at hand, although its message belongs to the session before. After a
    `/restart` no customer is known.
    """
    chat = kiosk.chat()
    await chat.say(WHO, signed_arrival(chat, "diego"))
    async with down(ps7):
        token = signed_arrival(chat, "ana")
        assert welcome("unavailable") in await chat.say("/session_start", token)
        await is_unknown(chat, "unavailable")
    assert await chat.say(WHO) == ANA

    assert await chat.say("/restart") == [welcome("missing")]
    await is_unknown(chat, "missing")


async def test_a_form_may_ask_for_a_cpf(kiosk: RunningBot) -> None:
    """The slot is the bot's own: a customer arrives, and logs out."""
    chat = kiosk.chat()
    assert (await chat.say("quero um cartão"))[-1:] == ["Qual é o seu CPF?"]
    assert await chat.say(TYPED) == [f"Cartão pedido para o CPF {TYPED}."]
    assert await chat.say(WHO) == [f"Estado missing, conta None, CPF {TYPED}."]

    assert await chat.say(WHO, signed_arrival(chat, "ana")) == ANA
    slots = await chat.slots()
    assert (slots["ps7_status"], slots["account"], slots["cpf"]) == ("ok", ACCOUNT, TYPED)
    await chat.run("action_ps7_forget")
    slots = await chat.slots()
    assert slots["ps7_status"] == "missing"
    assert of_the_customer(slots) == NOBODY | {"cpf": TYPED}
