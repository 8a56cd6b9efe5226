"""The example bot: who is known from which turn on, and until when, and what the bot then says.

What each customer hears, the example's own tests show, in memory.
"""

from __future__ import annotations

import pytest

from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

DIEGO = PERSONAS["diego"].slots
ACCOUNT, BALANCE = "qual minha agência e conta", "qual meu saldo"


async def test_a_context_id_is_enough_until_another_one_comes(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """Later turns bring no metadata, and PS7 is asked once; of the first customer nothing stays."""
    chat = oss_bot.chat()
    assert await chat.say(ACCOUNT) == spoken.UNKNOWN_ACCOUNT
    await spoken.is_unknown(chat, "missing")
    await chat.say("oi", {"contextId": "ana"})
    first = await chat.slots()

    assert await chat.say(ACCOUNT) == spoken.ANA_ACCOUNT
    assert await chat.say(BALANCE) == spoken.BALANCES["ana"]
    assert await chat.slots() == first
    assert await chat.say(BALANCE, {"contextId": "diego"}) == spoken.BALANCES["diego"]
    slots = await chat.slots()
    assert slots.pop("ps7_expires_at")
    assert {name: slots[name] for name in DIEGO if name in slots}.items() <= DIEGO.items()
    assert {name for name in spoken.NOBODY if name not in DIEGO} == {"ps7_expires_at"}
    assert [request.json["contextId"] for request in ps7.requests] == ["ana", "diego"]


async def test_without_a_customer_the_bot_says_why(oss_bot: RunningBot) -> None:
    """By a rule for each outcome, of which Rasa takes the one that fits."""
    faults = [FAULTS[name] for name in ("not-found", "http-400", "http-404", "http-401")]
    said = [await oss_bot.chat().say(BALANCE, {"contextId": each.context_id}) for each in faults]
    assert said == [spoken.NO_BALANCE[each.outcome] for each in faults]


async def test_a_customer_ends_with_the_session(oss_bot: RunningBot, ps7: Simulator) -> None:
    """Rasa carries the slots over, as the bot asked for; the next session clears the customer.

    A contextId that arrives again is looked up again. One beside `/session_start` is of the session
    that ends, unless the bot has a `PS7SessionStart`.
    """
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})
    await chat.expire_session()

    assert await chat.say(BALANCE) == spoken.NO_BALANCE["expired"]
    await spoken.is_unknown(chat, "expired")
    assert await chat.say(BALANCE) == spoken.NO_BALANCE["missing"]
    assert await chat.say(BALANCE, {"contextId": "ana"}) == spoken.BALANCES["ana"]
    assert len(ps7.requests) == 2
    await chat.say("/session_start", {"contextId": "diego"})
    assert await chat.say(BALANCE) == spoken.NO_BALANCE["expired"], "of the one that ended"
    await chat.say("oi", {"contextId": "diego"})
    await chat.say("/restart")
    assert await chat.say(BALANCE) == spoken.NO_BALANCE["missing"]


async def test_without_its_action_server_a_bot_tells_nothing_of_a_customer(
    rasa_stage: Stage, oss_bot: RunningBot
) -> None:
    """Ana is known; the server dies; she asks, and then Diego does in the same conversation.

    Rasa goes on with the slots of before. Where the session start is Rasa's own, the first message
    of a new one is answered as well.
    """
    chat = oss_bot.chat()
    assert await chat.say(ACCOUNT, {"contextId": "ana"}) == spoken.ANA_ACCOUNT

    async with rasa_stage.without_actions("oss_bot"):
        assert (await chat.slots())["account"] == "00123456", "this test shows nothing"
        for who in (None, "diego"):
            heard = [await chat.say(each, {"contextId": who}) for each in (BALANCE, ACCOUNT)]
            assert not any(letter.isdigit() for letter in str(heard))
        assert await oss_bot.chat().say("que horas fecha?", {"contextId": "ana"}) != []


SAYS = {
    "oi": spoken.greeting(PERSONAS["ana"]),
    "sim": spoken.BALANCES["ana"],
    "Bom dia!": spoken.greeting(PERSONAS["ana"]),
    "não": spoken.WHAT_ELSE,
    "quanto eu tenho na conta?": spoken.BALANCES["ana"],
    "qual é o número da conta": spoken.ANA_ACCOUNT,
    "abre sábado?": spoken.HOURS,
    "meu token nao funciona": spoken.ASK_TOKEN,
    "muito obrigada!": spoken.THANKED,
    "quero fazer um pix": spoken.OUT_OF_SCOPE,
    "perdi o cartão": spoken.OUT_OF_SCOPE,
}
NOT_SURE = ("asdf qwer", "quero investir", "???", "me ajuda", "saiu?")
"""The last one sounds a little like a goodbye, which would log her out."""


async def test_a_visitors_first_minute_gets_sensible_answers(oss_bot: RunningBot) -> None:
    """What this bot cannot do, or does not understand, ends nothing: Ana stays known."""
    chat = oss_bot.chat()
    heard = {said: await chat.say(said, {"contextId": "ana"}) for said in SAYS}
    assert heard == SAYS
    for said in NOT_SURE:
        assert await chat.say(said) in (spoken.OUT_OF_SCOPE, spoken.NOT_UNDERSTOOD), said
    assert (await chat.slots())["ps7_status"] == "ok"
    assert await chat.say("até mais!") == spoken.GOODBYE
    assert (await chat.slots())["ps7_status"] == "missing"
