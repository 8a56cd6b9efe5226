"""Every persona and every fault, as a user of the example bot meets them."""

from __future__ import annotations

import pytest

from actions.ps7.testing import FAULTS, PERSONAS, Fault, Persona, Simulator
from tests.conversation import spoken
from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("persona", PERSONAS.values(), ids=lambda persona: persona.name)
async def test_a_customer_is_known_from_the_first_turn_on(
    oss_bot: RunningBot, ps7: Simulator, persona: Persona
) -> None:
    """The greeting fits the segment, the slots are right, and only who may sees a balance."""
    chat = oss_bot.chat()

    context_id = persona.context_id
    sent = int(context_id) if context_id.isdigit() else context_id  # its digits are sent as text
    greeted = await chat.say("oi", {"contextId": sent})
    slots = await chat.slots()
    balance = await chat.say("qual meu saldo")

    expected = {name: value for name, value in persona.slots.items() if name in slots}
    assert {*expected, "ps7_expires_at"} == {"ps7_status", *spoken.NOBODY}
    assert {name: slots[name] for name in expected} == expected
    assert slots["ps7_expires_at"]
    assert greeted == spoken.greeting(persona)
    assert balance == spoken.BALANCES[persona.name]
    assert ps7.requests[0].json == {"contextId": context_id}


SEEN_BY_A_CUSTOMER = ("not-found", "http-400", "http-401", "http-404", "slow")
"""One of each outcome: `tests/faults` has all."""


@pytest.mark.parametrize(
    "fault", [FAULTS[name] for name in SEEN_BY_A_CUSTOMER], ids=SEEN_BY_A_CUSTOMER
)
async def test_without_a_customer_the_bot_says_why_and_stays_usable(
    oss_bot: RunningBot, fault: Fault
) -> None:
    """Each way to fail gives its status, no value of a customer, and an answer that fits."""
    chat = oss_bot.chat()

    balance = await chat.say("qual meu saldo", {"contextId": fault.context_id})

    await spoken.is_unknown(chat, fault.outcome)
    assert balance == spoken.NO_BALANCE[fault.outcome]
    assert await chat.say("que horas o banco abre?") == spoken.HOURS


@pytest.mark.parametrize("metadata", [None, {"contextId": " "}])
async def test_a_user_without_a_context_id_is_anonymous(
    oss_bot: RunningBot, ps7: Simulator, metadata: dict[str, object] | None
) -> None:
    """PS7 is not asked, and the bot answers what it may tell anyone."""
    chat = oss_bot.chat()

    assert await chat.say("oi", metadata) == spoken.GREETING
    assert await chat.say("qual meu saldo", metadata) == spoken.NO_BALANCE["missing"]
    assert await chat.say("qual minha agência e conta", metadata) == spoken.UNKNOWN_ACCOUNT
    assert await chat.say("que horas o banco abre?", metadata) == spoken.HOURS
    await spoken.is_unknown(chat, "missing")
    assert (await chat.slots())["ps7_context"] is None
    assert ps7.requests == []


async def test_an_account_that_the_core_system_does_not_know(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """An authenticated customer with a valid token and no entry gets an answer, not an error."""
    ana = PERSONAS["ana"].answer
    ps7.answer("new-account", body={**ana, "payload": {**ana["payload"], "u_cc": "99999999"}})

    balance = await oss_bot.chat().say("qual meu saldo", {"contextId": "new-account"})

    assert balance == [
        "Não encontrei o saldo desta conta. Quer falar com uma pessoa da nossa equipe?"
    ]


@pytest.mark.parametrize(
    ("context_id", "answer"),
    [
        (None, spoken.SIGN_IN),
        ("http-401", spoken.SIGN_IN),
        ("heitor", spoken.SIGN_IN),
        ("gisele", spoken.ASK_TOKEN),
    ],
)
async def test_a_wrong_rule_does_not_open_an_account(
    oss_bot: RunningBot, context_id: str | None, answer: list[str]
) -> None:
    """The balance action asks by itself for an authenticated customer with a valid token."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": context_id})

    assert await chat.execute("action_answer_balance") == answer
