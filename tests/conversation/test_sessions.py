"""Time: PS7 down and up again, contexts that run out, new sessions, and forgetting."""

from __future__ import annotations

import asyncio

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation import spoken
from tests.conversation.talking import RunningBot, down

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session
DIEGO = {
    name: PERSONAS["diego"].slots[name]
    for name in spoken.CUSTOMER_SLOTS
    if name != "ps7_expires_at"
}
IARA_HOLDS = float(PERSONAS["iara"].answer["expireIn"])  # seconds


async def test_ps7_goes_down_and_comes_up_again(oss_bot: RunningBot, ps7: Simulator) -> None:
    """The bot apologises and stays usable; the turn after PS7 is back finds the customer."""
    chat = oss_bot.chat()
    async with down(ps7):
        assert (
            await chat.say("qual meu saldo", {"contextId": "ana"})
            == spoken.NO_BALANCE["unavailable"]
        )
        await spoken.is_unknown(chat, "unavailable")
        assert await chat.say("que horas o banco abre?") == spoken.HOURS

    assert await chat.say("qual meu saldo") == spoken.BALANCES["ana"]
    async with down(ps7):
        assert await chat.say("qual meu saldo") == spoken.BALANCES["ana"], "what PS7 said holds"


async def test_a_context_that_ran_out_is_looked_up_again(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """The contextId is still at hand, so the user does not notice; unless PS7 is down by then."""
    chat, unlucky = oss_bot.chat(), oss_bot.chat()
    for each in (chat, unlucky):
        await each.say("oi", {"contextId": "iara"})
    first = await chat.slots()
    await asyncio.sleep(IARA_HOLDS)

    assert await chat.say("qual meu saldo") == spoken.BALANCES["iara"]
    assert (await chat.slots())["ps7_expires_at"] > first["ps7_expires_at"]
    assert len(ps7.requests) == 3
    async with down(ps7):
        assert await unlucky.say("qual meu saldo") == spoken.NO_BALANCE["unavailable"]
        await spoken.is_unknown(unlucky, "unavailable")


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
    assert await chat.say("qual meu saldo") == spoken.BALANCES["ana"]
    assert len(ps7.requests) == 2
    await chat.say("/session_start")

    assert await chat.say("qual meu saldo") == spoken.NO_BALANCE["expired"]
    await chat.say("/session_start", {"contextId": "diego"})
    assert await chat.say("qual meu saldo") == spoken.NO_BALANCE["expired"], "of the one that ended"
    assert await chat.say("oi", {"contextId": "diego"})
    assert spoken.of_the_customer(await chat.slots()).items() >= DIEGO.items()
    await chat.say("/restart")
    assert await chat.say("qual meu saldo") == spoken.NO_BALANCE["missing"]


async def test_a_new_session_that_carries_nothing_over_knows_nobody(
    kiosk: RunningBot, ps7: Simulator
) -> None:
    """On a shared device the next user is anonymous, until a contextId of their own comes."""
    chat = kiosk.chat()
    ana, diego = ["Conta 00123456, CPF 52998224725."], ["Conta 00900019, CPF 39053344705."]
    assert await chat.say("quem sou eu", {"contextId": "ana"}) == ana
    await chat.let_pass(AN_HOUR)

    assert await chat.say("quem sou eu") == ["Estado missing, conta None, CPF None."]
    await spoken.is_unknown(chat, "missing")
    assert len(ps7.requests) == 1
    await chat.let_pass(AN_HOUR)

    assert await chat.say("quem sou eu", {"contextId": "diego"}) == diego
    assert await chat.say("quem sou eu") == diego


async def test_a_customer_who_leaves_is_forgotten(oss_bot: RunningBot, ps7: Simulator) -> None:
    """Their contextId is not looked up again, not even after another customer was here."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    assert await chat.say("tchau") == spoken.GOODBYE
    await spoken.is_unknown(chat, "missing")

    assert await chat.say("qual meu saldo") == spoken.NO_BALANCE["missing"]
    assert (
        await chat.say("qual minha agência e conta", {"contextId": "ana"}) == spoken.UNKNOWN_ACCOUNT
    )
    assert await chat.say("qual meu saldo", {"contextId": "diego"}) == spoken.BALANCES["diego"]
    assert await chat.say("qual meu saldo", {"contextId": "ana"}) == spoken.NO_BALANCE["missing"]
    await spoken.is_unknown(chat, "missing")
    assert [request.json["contextId"] for request in ps7.requests] == ["ana", "diego"]


@pytest.mark.parametrize("page_sends", ["undefined", "two words", "diego"])
async def test_a_log_out_logs_out_every_context_id_of_the_conversation(
    oss_bot: RunningBot, start_bot: RunningBot, page_sends: str
) -> None:
    """A page that has just dropped its contextId may send anything with the good-bye."""
    for bot in (oss_bot, start_bot):
        chat = bot.chat()
        await chat.say("oi", {"contextId": "ana"})
        assert await chat.say("qual meu saldo") == spoken.BALANCES["ana"]
        assert await chat.say("tchau", {"contextId": page_sends}) == spoken.GOODBYE

        for context_id in ("ana", page_sends):
            await chat.say("qual meu saldo", {"contextId": context_id})
            await spoken.is_unknown(chat, "invalid" if context_id == "two words" else "missing")
        said = await chat.say("qual meu saldo", {"contextId": "ana", "encoded": 1})
        assert said == spoken.NO_BALANCE["missing"]


async def test_a_log_out_logs_out_the_older_context_id_too(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """Of a customer who came by a second one."""
    chat = oss_bot.chat()
    for context_id in ("ana", "bruno"):
        await chat.say("oi", {"contextId": context_id})
    assert await chat.say("tchau") == spoken.GOODBYE

    for context_id in ("ana", "bruno"):
        said = await chat.say("qual meu saldo", {"contextId": context_id})
        assert said == spoken.NO_BALANCE["missing"]
    assert [request.json["contextId"] for request in ps7.requests] == ["ana", "bruno"]
