"""Slots that something else writes. What an attacker writes is tried in `tests/security/rasa`."""

from __future__ import annotations

import pytest

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import NOBODY, of_the_customer
from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ANA = PERSONAS["ana"].slots
TYPED = "11144477735"
ANA_TOLD = [f"Conta {ANA['account']}, CPF {ANA['cpf']}."]


async def test_a_form_may_ask_for_a_cpf(kiosk: RunningBot) -> None:
    """The slot is the bot's own: a customer arrives, and logs out."""
    chat = kiosk.chat()
    assert await chat.say("quero um cartão") == ["Qual é o seu CPF?"]
    assert await chat.say(TYPED) == [f"Cartão pedido para o CPF {TYPED}."]
    assert await chat.say("quem sou eu") == [f"Estado missing, conta None, CPF {TYPED}."]
    assert of_the_customer(await chat.slots()) == NOBODY | {"cpf": TYPED}

    assert await chat.say("quem sou eu", {"contextId": "ana"}) == ANA_TOLD
    slots = await chat.slots()
    assert (slots["ps7_status"], slots["account"], slots["cpf"]) == ("ok", ANA["account"], TYPED)
    await chat.write("account", "99999999")
    assert await chat.say("quem sou eu") == ANA_TOLD
    assert (await chat.slots())["account"] == ANA["account"], "it is restored"

    await chat.execute("action_ps7_forget")
    slots = await chat.slots()
    assert (slots["ps7_status"], slots["account"], slots["cpf"]) == ("missing", None, TYPED)
