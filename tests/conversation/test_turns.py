"""When and where the contextId comes: first turn only, later, another one, under another key."""

from __future__ import annotations

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation import spoken
from tests.conversation.cast import signed_arrival
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ANA, DIEGO = PERSONAS["ana"].slots, PERSONAS["diego"].slots


def asked(ps7: Simulator) -> list[str]:
    """Return the contextIds that PS7 was asked for, in order."""
    return [request.json["contextId"] for request in ps7.requests]


async def test_a_context_id_is_enough_until_another_one_comes(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """Later turns bring no metadata, and PS7 is asked once; of the first customer nothing stays."""
    chat = oss_bot.chat()
    assert await chat.say("qual minha agência e conta") == spoken.UNKNOWN_ACCOUNT
    await chat.say("oi", {"contextId": "ana"})
    first = await chat.slots()

    assert await chat.say("qual minha agência e conta") == spoken.ANA_ACCOUNT
    assert await chat.say("qual meu saldo") == spoken.BALANCES["ana"]
    assert await chat.slots() == first
    assert await chat.say("qual meu saldo", {"contextId": "diego"}) == spoken.BALANCES["diego"]
    slots = await chat.slots()
    expected = {name: value for name, value in DIEGO.items() if name in slots}
    assert {name: slots[name] for name in expected} == expected
    assert asked(ps7) == ["ana", "diego"]


async def test_a_person_who_takes_over_gets_the_context_and_the_slots_are_empty(
    oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """The agents' desk gets it, and the channel nothing but what is said to the customer.

    Where the bot gives up by itself, it says why.
    """
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana", "correlationId": "trail-1"})
    said = await chat.answers("quero falar com uma pessoa")
    assert said == [{"recipient_id": chat.sender, "text": spoken.HANDOVER}]
    assert rasa_stage.handed_over()[-1] == {
        "reason": "ask_human",
        "ps7_status": "ok",
        "correlation_id": "trail-1",
        "cpf_masked": "***.982.247-**",
        "segment": "Personnalité",
        "ivr_option": "saldo",
        "identification": "authenticated",
        "security_device": "token",
        "token_status": "valid",
    }
    await spoken.is_unknown(chat, "missing")

    await oss_bot.chat().say("qual meu saldo", {"contextId": "http-403"})
    nobody = rasa_stage.handed_over()[-1]
    assert (nobody["reason"], nobody["ps7_status"]) == ("ask_balance", "denied")
    assert nobody["segment"] is None


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
    assert not set(spoken.of_the_customer(slots).values()) & {
        ANA["cpf"],
        ANA["account"],
        ANA["agency"],
    }


async def test_a_rule_can_call_the_lookup_itself(rule_bot: RunningBot, ps7: Simulator) -> None:
    """Without the every-turn mapping, PS7 is asked where a rule says so, and once.

    `PS7_METADATA_KEYS` says where the contextId is, and it is looked for nowhere else. A response
    reads `ps7_status` without any influence on predictions.
    """
    chat = rule_bot.chat()
    nested = signed_arrival(chat, "ana")
    assert await chat.say("qual minha agência e conta", nested["channel"]) == spoken.UNKNOWN_ACCOUNT
    await chat.say("que horas o banco abre?", nested)
    assert asked(ps7) == []
    assert (await chat.slots())["ps7_status"] == "missing"

    assert await chat.say("qual minha agência e conta") == spoken.ANA_ACCOUNT
    assert await chat.say("qual minha agência e conta") == spoken.ANA_ACCOUNT
    assert (await chat.slots())["cpf"] == ANA["cpf"]
    assert asked(ps7) == ["ana"]
    assert await chat.say("qual minha agência e conta", signed_arrival(chat, "http-404")) == [
        "Desculpe, não consigo ver a sua conta agora. Tente de novo em alguns instantes."
    ]
