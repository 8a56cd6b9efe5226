"""A declared slot that the bot's domain fills by itself: whose it is, and what is said of it."""

from __future__ import annotations

import pytest

from actions.ps7 import verified_context
from actions.ps7.testing import PERSONAS, Simulator
from tests.support.bots import CUSTOM, FROM_TEXT, TYPED, converse
from tests.support.dialogue import FORGET, LOOK_UP
from tests.support.log import Log

pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings"),
]

ANA = PERSONAS["ana"].slots


@pytest.mark.parametrize(
    ("slot", "requests", "without_it"),
    [
        ("ps7_context", 2, "every turn asks PS7 again, and no verification or log-out holds"),
        ("ps7_status", 1, "the dialogue cannot tell how a lookup ended"),
    ],
)
async def test_without_a_slot_that_is_needed_the_rest_still_works(
    ps7: Simulator, log: Log, slot: str, requests: int, without_it: str
) -> None:
    """What a user types into it is neither read nor nulled, and claims no customer."""
    bot = converse(mappings={slot: [FROM_TEXT]}, every_turn=False)
    await bot.set_slots(**{slot: "ok"})
    await bot.run(LOOK_UP)
    for _ in range(2):
        await bot.arrives("ana")
        await bot.run(LOOK_UP)
        assert (bot.slots[slot], bot.slots["cpf"]) == ("ok", ANA["cpf"])
    assert len(ps7.requests) == requests
    await bot.run(FORGET)
    assert (bot.slots[slot], bot.slots["cpf"]) == ("ok", None)
    (warning,) = [line for line in log() if "WARNING" in line and "the bot's own" in line]
    assert warning.endswith(f"PS7_SLOT_NAMES can name another slot for {slot}: {without_it}")


async def test_what_a_bots_code_gets_is_its_own_copy() -> None:
    """Whatever it does to a payload, the next one who asks gets what PS7 answered."""
    bot = converse(mappings={"ps7_payload": [CUSTOM]})
    await bot.arrives("ana")
    payload = dict(bot.slots["ps7_payload"])
    for _ in range(2):
        customer = verified_context(bot.tracker)
        assert customer is not None
        assert customer.payload == payload
        customer.payload["u_cpf"] = TYPED
    assert (await bot.run(LOOK_UP)).slots == {}
