"""When and where the contextId comes: first turn only, later, another one, under another key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.spoken import NO_BALANCE, NOBODY, UNKNOWN_ACCOUNT, of_the_customer

if TYPE_CHECKING:
    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ANA, DIEGO = PERSONAS["ana"].slots, PERSONAS["diego"].slots
ANA_ACCOUNT = ["Você fala da agência 0341, conta 00123456."]
DIEGO_ACCOUNT = ["Você fala da agência 0910, conta 00900019."]


def asked(ps7: Simulator) -> list[str]:
    """Give the contextIds that PS7 was asked for, in order."""
    return [request.json["contextId"] for request in ps7.requests]


async def test_a_context_id_on_the_first_turn_is_enough(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """Later turns bring no metadata; the customer stays known, and PS7 is asked once."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})
    first = await chat.slots()

    assert await chat.say("qual minha agência e conta") == ANA_ACCOUNT
    await chat.say("que horas o banco abre?")
    assert await chat.say("qual meu saldo") == ["O saldo da conta 00123456 é de R$ 15.230,75."]
    assert await chat.slots() == first
    assert asked(ps7) == ["ana"]


async def test_a_context_id_may_come_later(oss_bot: RunningBot, ps7: Simulator) -> None:
    """A user who began anonymously is known from the turn on that brings a contextId."""
    chat = oss_bot.chat()

    assert await chat.say("qual minha agência e conta") == UNKNOWN_ACCOUNT
    assert await chat.say("qual minha agência e conta", {"contextId": "ana"}) == ANA_ACCOUNT
    assert await chat.say("qual minha agência e conta") == ANA_ACCOUNT
    assert asked(ps7) == ["ana"]


async def test_a_context_id_may_be_a_number(oss_bot: RunningBot, ps7: Simulator) -> None:
    """Its digits are sent as text, as the interface wants them."""
    chat = oss_bot.chat()

    await chat.say("oi", {"contextId": 123123213})

    assert (await chat.slots())["account"] == "13156463165468461654"
    assert asked(ps7) == ["123123213"]


async def test_another_customer_replaces_the_first(oss_bot: RunningBot, ps7: Simulator) -> None:
    """With a new contextId in mid-conversation, no value of the first customer is left."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    answer = await chat.say("qual minha agência e conta", {"contextId": "diego"})
    slots = await chat.slots()

    assert answer == DIEGO_ACCOUNT
    expected = {name: value for name, value in DIEGO.items() if name in slots}
    assert {name: slots[name] for name in expected} == expected
    assert asked(ps7) == ["ana", "diego"]


@pytest.mark.parametrize(
    ("context_id", "status"),
    [
        ("not-found", "rejected"),
        ("http-400", "invalid"),
        ("http-503", "unavailable"),
        ({}, "invalid"),
    ],
)
async def test_a_failed_lookup_leaves_nothing_of_the_first_customer(
    oss_bot: RunningBot, context_id: object, status: str
) -> None:
    """A new contextId that leads nowhere empties the slots all the same, now and later."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    balance = await chat.say("qual meu saldo", {"contextId": context_id})
    slots = await chat.slots()

    assert balance == NO_BALANCE[status]
    assert slots["ps7_status"] == status
    assert of_the_customer(slots) == NOBODY
    assert await chat.say("qual meu saldo") == NO_BALANCE[status]


@pytest.mark.parametrize(
    ("context_id", "answer", "account"),
    [
        ("diego", ["Conta 00900019, CPF 39053344705."], "00900019"),
        ("not-found", ["Estado rejected, conta None, CPF None."], None),
    ],
)
async def test_a_fallback_that_rewinds_the_turn_brings_no_customer_back(
    kiosk: RunningBot, context_id: str, answer: list[str], account: str | None
) -> None:
    """Rasa's fallback takes back what the lookup wrote; the next turn writes it again."""
    chat = kiosk.chat()
    await chat.say("quem sou eu", {"contextId": "ana"})

    assert await chat.say("conta uma piada", {"contextId": context_id}) == ["Não sei responder."]
    rewound = await chat.slots()
    assert rewound["account"] == ANA["account"], "Rasa did not rewind: this test shows nothing"

    assert await chat.say("quem sou eu") == answer
    slots = await chat.slots()
    assert slots["account"] == account
    assert not set(of_the_customer(slots).values()) & {ANA["cpf"], ANA["account"], ANA["agency"]}


async def test_the_context_id_may_stand_under_a_nested_key(
    rule_bot: RunningBot, ps7: Simulator
) -> None:
    """`PS7_METADATA_KEYS` says where it is, and then it is looked for nowhere else."""
    chat = rule_bot.chat()

    assert await chat.say("qual minha agência e conta", {"contextId": "ana"}) == UNKNOWN_ACCOUNT
    nested = {"channel": {"name": "app", "contextId": "ana"}}
    assert await chat.say("qual minha agência e conta", nested) == ANA_ACCOUNT
    assert asked(ps7) == ["ana"]


async def test_a_rule_can_call_the_lookup_itself(rule_bot: RunningBot, ps7: Simulator) -> None:
    """Without the every-turn mapping, PS7 is asked where a rule says so, and once."""
    chat = rule_bot.chat()
    await chat.say("que horas o banco abre?", {"channel": {"contextId": "ana"}})
    assert asked(ps7) == []
    assert (await chat.slots())["ps7_status"] is None

    assert await chat.say("qual minha agência e conta") == ANA_ACCOUNT
    assert await chat.say("qual minha agência e conta") == ANA_ACCOUNT
    assert (await chat.slots())["cpf"] == ANA["cpf"]
    assert asked(ps7) == ["ana"]


async def test_the_rule_bot_apologises_too(rule_bot: RunningBot) -> None:
    """A conditional response reads `ps7_status` without any influence on predictions."""
    answer = await rule_bot.chat().say(
        "qual minha agência e conta", {"channel": {"contextId": "http-503"}}
    )

    assert answer == [
        "Desculpe, não consigo ver a sua conta agora. Tente de novo em alguns instantes."
    ]
