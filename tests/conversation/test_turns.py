"""Turns: who is known from which one on, by which contextId, and what the bot then says."""

from __future__ import annotations

import pytest

from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

DIEGO = PERSONAS["diego"].slots


@pytest.mark.parametrize("who", ["ana", "bruno", "diego"])
async def test_a_customer_is_known_from_the_first_turn_on(oss_bot: RunningBot, who: str) -> None:
    """The greeting fits the segment, the slots are right, and only who may sees a balance.

    The example's own tests have all customers, in memory.
    """
    chat = oss_bot.chat()
    assert await chat.say("oi", {"contextId": who}) == spoken.greeting(PERSONAS[who])
    slots = await chat.slots()
    expected = {name: value for name, value in PERSONAS[who].slots.items() if name in slots}
    assert {*expected, "ps7_expires_at"} == {"ps7_status", *spoken.NOBODY}
    assert {name: slots[name] for name in expected} == expected
    assert slots["ps7_expires_at"]
    assert await chat.say("qual meu saldo") == spoken.BALANCES[who]


@pytest.mark.parametrize("fault", ["not-found", "http-400", "http-404"])
async def test_without_a_customer_the_bot_says_why_and_stays_usable(
    oss_bot: RunningBot, fault: str
) -> None:
    """Each outcome gives its status, no value of a customer, and an answer that fits."""
    chat, outcome = oss_bot.chat(), FAULTS[fault].outcome
    said = await chat.say("qual meu saldo", {"contextId": FAULTS[fault].context_id})
    assert said == spoken.NO_BALANCE[outcome]
    await spoken.is_unknown(chat, outcome)
    assert await chat.say("que horas o banco abre?") == spoken.HOURS


async def test_if_our_credentials_are_refused_a_person_takes_over(
    oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """The bot says why and is silent; the desk reads why, and the slots hold nobody."""
    chat, before = oss_bot.chat(), len(rasa_stage.handed_over())
    context_id = FAULTS["http-401"].context_id
    assert (
        await chat.say("qual meu saldo", {"contextId": context_id}) == spoken.NO_BALANCE["denied"]
    )
    assert await chat.say("que horas o banco abre?") == []
    await spoken.is_unknown(chat, "missing")
    (ticket,) = rasa_stage.handed_over()[before:]
    assert (ticket["ps7_status"], ticket["conversation"]) == ("denied", chat.sender)


@pytest.mark.parametrize(
    ("context_id", "answer"),
    [(None, spoken.SIGN_IN), ("heitor", spoken.SIGN_IN), ("gisele", spoken.ASK_TOKEN)],
)
async def test_a_wrong_rule_does_not_open_an_account(
    oss_bot: RunningBot, context_id: str | None, answer: list[str]
) -> None:
    """The balance action asks by itself for an authenticated customer with a valid token."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": context_id})
    assert await chat.execute("action_answer_balance") == answer


async def test_a_context_id_is_enough_until_another_one_comes(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """Later turns bring no metadata, and PS7 is asked once; of the first customer nothing stays."""
    chat = oss_bot.chat()
    assert await chat.say("qual minha agência e conta") == spoken.UNKNOWN_ACCOUNT
    await spoken.is_unknown(chat, "missing")
    await chat.say("oi", {"contextId": "ana"})
    first = await chat.slots()

    assert await chat.say("qual minha agência e conta") == spoken.ANA_ACCOUNT
    assert await chat.say("qual meu saldo") == spoken.BALANCES["ana"]
    assert await chat.slots() == first
    assert await chat.say("qual meu saldo", {"contextId": "diego"}) == spoken.BALANCES["diego"]
    slots = await chat.slots()
    expected = {name: value for name, value in DIEGO.items() if name in slots}
    assert {name: slots[name] for name in expected} == expected
    assert [request.json["contextId"] for request in ps7.requests] == ["ana", "diego"]
