"""Slots that something else writes: a form of the bot's own, or an attacker."""

from __future__ import annotations

import pytest

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import NO_BALANCE, NOBODY, is_unknown, of_the_customer
from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ANA = PERSONAS["ana"].slots
TYPED, ANOTHER = "11144477735", "39053344705"
ANA_TOLD = [f"Conta {ANA['account']}, CPF {ANA['cpf']}."]


async def test_a_form_may_ask_for_a_cpf(kiosk: RunningBot) -> None:
    """The slot is the bot's own: a customer arrives, orders for another person, and logs out."""
    chat = kiosk.chat()

    assert await chat.say("quero um cartão") == ["Qual é o seu CPF?"]
    assert await chat.say(TYPED) == [f"Cartão pedido para o CPF {TYPED}."]
    assert await chat.say("quem sou eu") == [f"Estado missing, conta None, CPF {TYPED}."]
    slots = await chat.slots()
    assert slots["ps7_status"] == "missing"
    assert of_the_customer(slots) == NOBODY | {"cpf": TYPED}

    assert await chat.say("quem sou eu", {"contextId": "ana"}) == ANA_TOLD
    slots = await chat.slots()
    assert (slots["ps7_status"], slots["account"], slots["cpf"]) == ("ok", ANA["account"], TYPED)

    await chat.write("cpf", None)  # as a bot does before it asks again
    assert await chat.say("quero um cartão") == ["Qual é o seu CPF?"]
    assert await chat.say(ANOTHER) == [f"Cartão pedido para o CPF {ANOTHER}."]
    assert await chat.say("quem sou eu") == ANA_TOLD
    await chat.execute("action_ps7_forget")
    slots = await chat.slots()
    assert (slots["ps7_status"], slots["account"], slots["cpf"]) == ("missing", None, ANOTHER)


async def test_an_overwritten_slot_is_restored(kiosk: RunningBot) -> None:
    """The next turn shows what PS7 said."""
    chat = kiosk.chat()
    await chat.say("quem sou eu", {"contextId": "ana"})
    await chat.write("account", "99999999")

    assert await chat.say("quem sou eu") == ANA_TOLD
    assert (await chat.slots())["account"] == ANA["account"]


async def test_slots_alone_make_nobody_a_customer(oss_bot: RunningBot) -> None:
    """With every slot forged and no seal behind them, the bot clears them and hands over."""
    chat = oss_bot.chat()
    await chat.say("oi")
    for name, value in ANA.items():
        await chat.write(name, value)

    assert await chat.say("qual meu saldo") == NO_BALANCE["tampered"]
    await is_unknown(chat, "tampered")


async def test_the_seal_of_another_conversation_makes_nobody_a_customer(
    oss_bot: RunningBot,
) -> None:
    """Everything that one conversation holds, copied into another, opens no account there."""
    victim, thief = oss_bot.chat(), oss_bot.chat()
    await victim.say("oi", {"contextId": "ana"})
    await thief.say("oi")
    for name in ("ps7_context", "ps7_status", *NOBODY):
        await thief.write(name, (await victim.slots())[name])

    assert await thief.say("qual meu saldo") == NO_BALANCE["tampered"]
    await is_unknown(thief, "tampered")
