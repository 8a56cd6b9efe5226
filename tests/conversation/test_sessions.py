"""Time: PS7 down and up again, contexts that run out, new sessions, and forgetting."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.spoken import (
    CUSTOMER_SLOTS,
    GOODBYE,
    HOURS,
    NO_BALANCE,
    NOBODY,
    UNKNOWN_ACCOUNT,
    of_the_customer,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ANA_BALANCE = ["O saldo da conta 00123456 é de R$ 15.230,75."]
DIEGO_BALANCE = ["O saldo da conta 00900019 é de R$ 1.048.576,00."]
IARA_BALANCE = ["O saldo da conta 10203040 é de -R$ 12,30."]
AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session
DIEGO = {name: PERSONAS["diego"].slots[name] for name in CUSTOMER_SLOTS if name != "ps7_expires_at"}
IARA_HOLDS = float(PERSONAS["iara"].answer["expireIn"])  # seconds


@asynccontextmanager
async def down(ps7: Simulator) -> AsyncIterator[None]:
    """Let PS7 be unreachable for a while."""
    await ps7.stop()
    try:
        yield
    finally:
        await ps7.start()


async def test_ps7_goes_down_and_comes_up_again(oss_bot: RunningBot, ps7: Simulator) -> None:
    """The bot apologises and stays usable; the turn after PS7 is back finds the customer."""
    chat = oss_bot.chat()
    async with down(ps7):
        assert await chat.say("qual meu saldo", {"contextId": "ana"}) == NO_BALANCE["unavailable"]
        slots = await chat.slots()
        assert slots["ps7_status"] == "unavailable"
        assert of_the_customer(slots) == NOBODY
        assert await chat.say("que horas o banco abre?") == HOURS

    assert await chat.say("qual meu saldo") == ANA_BALANCE
    assert (await chat.slots())["ps7_status"] == "ok"


async def test_a_customer_who_is_known_does_not_notice_that_ps7_is_down(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """What PS7 said holds until its time is over."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    async with down(ps7):
        assert await chat.say("qual meu saldo") == ANA_BALANCE


async def test_a_context_that_ran_out_is_looked_up_again(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """The contextId is still at hand, so the user does not notice."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "iara"})
    first = await chat.slots()
    await asyncio.sleep(IARA_HOLDS)

    assert await chat.say("qual meu saldo") == IARA_BALANCE
    assert (await chat.slots())["ps7_expires_at"] > first["ps7_expires_at"]
    assert len(ps7.requests) == 2


async def test_a_context_that_ran_out_is_gone_if_ps7_does_not_renew_it(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """Too old is too old, also when PS7 is down."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "iara"})

    async with down(ps7):
        await asyncio.sleep(IARA_HOLDS)
        assert await chat.say("qual meu saldo") == NO_BALANCE["unavailable"]
        assert of_the_customer(await chat.slots()) == NOBODY


async def test_a_context_that_ran_out_with_no_context_id_at_hand(oss_bot: RunningBot) -> None:
    """Carried over into a session that brings none, a customer stays until the time is over."""
    chat = oss_bot.chat()
    await chat.say("oi")
    await chat.say("oi", {"contextId": "iara"})
    await chat.say("/session_start")
    await asyncio.sleep(IARA_HOLDS)

    assert await chat.say("qual meu saldo") == NO_BALANCE["expired"]
    slots = await chat.slots()
    assert slots["ps7_status"] == "expired"
    assert of_the_customer(slots) == NOBODY


async def test_a_new_session_that_carries_slots_over_keeps_the_customer(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """That is what the bot asked for, and it takes no second lookup."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})
    await chat.let_pass(AN_HOUR)

    assert await chat.say("qual meu saldo") == ANA_BALANCE
    assert len(ps7.requests) == 1


async def test_a_new_session_may_bring_another_customer(
    oss_bot: RunningBot, ps7: Simulator
) -> None:
    """What comes with it counts, not what is carried over from the one before."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})
    await chat.let_pass(AN_HOUR)

    assert await chat.say("qual meu saldo", {"contextId": "diego"}) == DIEGO_BALANCE
    assert await chat.say("qual meu saldo") == DIEGO_BALANCE
    assert of_the_customer(await chat.slots()).items() >= DIEGO.items()
    assert len(ps7.requests) == 2


async def test_a_new_session_does_not_go_back_to_an_earlier_customer(oss_bot: RunningBot) -> None:
    """Two customers in one session: what is carried over is the second, not who opened it."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})
    await chat.say("oi", {"contextId": "diego"})
    await chat.let_pass(AN_HOUR)

    assert await chat.say("qual meu saldo") == DIEGO_BALANCE
    assert of_the_customer(await chat.slots()).items() >= DIEGO.items()


async def test_a_new_session_that_carries_nothing_over_knows_nobody(
    kiosk: RunningBot, ps7: Simulator
) -> None:
    """On a shared device the next user is anonymous."""
    chat = kiosk.chat()
    assert await chat.say("quem sou eu", {"contextId": "ana"}) == [
        "Conta 00123456, CPF 52998224725."
    ]
    await chat.let_pass(AN_HOUR)

    assert await chat.say("quem sou eu") == ["Estado missing, conta None, CPF None."]
    slots = await chat.slots()
    assert of_the_customer(slots) == NOBODY
    assert len(ps7.requests) == 1


async def test_a_new_session_on_a_shared_device_knows_its_own_customer(kiosk: RunningBot) -> None:
    """With a contextId of its own, it is that customer's from the first turn to the last."""
    chat = kiosk.chat()
    await chat.say("quem sou eu", {"contextId": "ana"})
    await chat.let_pass(AN_HOUR)

    diego = ["Conta 00900019, CPF 39053344705."]
    assert await chat.say("quem sou eu", {"contextId": "diego"}) == diego
    assert await chat.say("quem sou eu") == diego


async def test_a_session_that_the_channel_opens_is_of_the_customer_it_names(
    oss_bot: RunningBot,
) -> None:
    """A `/session_start` names another customer: the first one does not come back afterwards."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    await chat.say("/session_start", {"contextId": "diego"})

    assert await chat.say("qual meu saldo") == DIEGO_BALANCE
    assert of_the_customer(await chat.slots()).items() >= DIEGO.items()


async def test_a_customer_who_leaves_is_forgotten(oss_bot: RunningBot, ps7: Simulator) -> None:
    """Their contextId is not looked up again, not even after somebody else was here."""
    chat = oss_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    assert await chat.say("tchau") == GOODBYE
    slots = await chat.slots()
    assert slots["ps7_status"] == "missing"
    assert of_the_customer(slots) == NOBODY

    assert await chat.say("qual meu saldo") == NO_BALANCE["missing"]
    assert await chat.say("qual minha agência e conta", {"contextId": "ana"}) == UNKNOWN_ACCOUNT
    assert await chat.say("qual meu saldo", {"contextId": "diego"}) == DIEGO_BALANCE
    assert await chat.say("qual meu saldo", {"contextId": "ana"}) == NO_BALANCE["missing"]
    assert of_the_customer(await chat.slots()) == NOBODY
    assert [request.json for request in ps7.requests] == [
        {"contextId": "ana"},
        {"contextId": "diego"},
    ]
