"""Time: PS7 down and up again, and new sessions. `tests/security/rasa` has the log-outs."""

from __future__ import annotations

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
