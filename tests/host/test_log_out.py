"""A log out holds: nothing that a user or a writer of slots can do brings the customer back.

`/back` is an intent of Rasa's own. It rewinds two turns and every slot that they set, so a user can
take back the turn in which a customer was forgotten.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from actions.ps7 import (
    ActionPS7Context,
    ActionPS7Forget,
    ActionPS7Verify,
    PS7SessionStart,
    verified_context,
)
from actions.ps7.testing import PERSONAS, Conversation
from tests.support.clock import Clock
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("settings")]

ANA, DIEGO = PERSONAS["ana"].slots, PERSONAS["diego"].slots
SESSION_START = "action_session_start"
NOBODY = dict.fromkeys(name for name in SLOTS if name not in ("ps7_status", "ps7_context"))
DOMAIN: dict[str, Any] = {
    "actions": [LOOK_UP, VERIFY, FORGET],
    "slots": {name: {"type": "any", "mappings": [{"type": "custom"}]} for name in SLOTS},
}


class ActionSessionStart(PS7SessionStart):
    """A bot's own."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock."""
    return Clock(monkeypatch)


def converse(**options: Any) -> Conversation:  # noqa: ANN401 - handed on
    """Give a bot in which no action runs by itself."""
    actions = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget, ActionSessionStart]
    return Conversation(deepcopy(DOMAIN), actions, **options)


async def log_out(bot: Conversation) -> str:
    """Let a customer come and go; give the seal of before."""
    await bot.user("oi", metadata={"contextId": "ana"})
    await bot.run(LOOK_UP)
    seal: str = bot.slots["ps7_context"]
    await bot.user("tchau")
    await bot.run(FORGET)
    return seal


async def take_back(bot: Conversation, times: int = 1) -> None:
    for _ in range(times):
        await bot.user("/back")
        await bot.run("action_back")


def shown(bot: Conversation) -> dict[str, Any]:
    return {name: bot.slots[name] for name in NOBODY}


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_log_out_that_is_taken_back_holds(ps7: Simulator, times: int) -> None:
    """Whether the turn of the log out is rewound, or the arrival too."""
    bot = converse()
    await log_out(bot)
    await take_back(bot, times)
    assert bot.slots["ps7_status"] == ("ok" if times == 1 else None), "nothing was taken back"

    await bot.user("oi")
    await bot.run(LOOK_UP)
    assert (bot.slots["ps7_status"], shown(bot)) == ("missing", NOBODY)
    assert (await bot.run(LOOK_UP)).events == []
    assert len(ps7.requests) == 1


async def test_it_holds_for_a_sensitive_step_and_for_the_bots_own_actions(ps7: Simulator) -> None:
    """They read the seal that was brought back, and are told of nobody."""
    bot = converse()
    await log_out(bot)
    await take_back(bot)

    assert verified_context(bot.tracker) is None
    await bot.run(VERIFY)
    assert (bot.slots["ps7_status"], shown(bot)) == ("missing", NOBODY)
    await bot.user("oi")
    await bot.run(LOOK_UP)
    assert (bot.slots["ps7_status"], shown(bot)) == ("missing", NOBODY)
    assert len(ps7.requests) == 1


async def test_a_seal_of_before_that_somebody_writes_is_none(ps7: Simulator) -> None:
    """Whoever can write slots has it from the tracker; older ones in between do not help."""
    bot = converse()
    await bot.user("oi", metadata={"contextId": "not-found"})
    await bot.run(LOOK_UP)
    older = bot.slots["ps7_context"]
    seal = await log_out(bot)
    for text in (older, "no seal", None, 5, seal):
        await bot.set_slot("ps7_context", text)
    await bot.set_slot("ps7_status", "ok")

    assert verified_context(bot.tracker) is None
    await bot.run(LOOK_UP)
    assert (bot.slots["ps7_status"], shown(bot)) == ("missing", NOBODY)
    assert len(ps7.requests) == 2


async def test_a_customer_who_comes_after_it_is_served(ps7: Simulator) -> None:
    """And the one of before stays forgotten."""
    bot = converse()
    await log_out(bot)
    await take_back(bot)

    await bot.user("oi", metadata={"contextId": "diego"})
    await bot.run(VERIFY)
    assert (bot.slots["ps7_status"], shown(bot)) == ("missing", NOBODY)
    await bot.run(LOOK_UP)
    assert bot.slots["cpf"] == DIEGO["cpf"]
    await bot.user("oi", metadata={"contextId": "ana"})
    await bot.run(LOOK_UP)
    assert (bot.slots["ps7_status"], shown(bot)) == ("missing", NOBODY)
    assert len(ps7.requests) == 2


@pytest.mark.parametrize("own", [True, False], ids=["PS7SessionStart", "Rasa's own"])
async def test_it_holds_in_the_next_session(ps7: Simulator, own: bool) -> None:
    """Slots are carried over as the rewind left them, and the contextId is still at hand."""
    bot = converse()
    if own:
        bot.domain["actions"].append(SESSION_START)
    await log_out(bot)
    await take_back(bot)
    bot.expire_session()

    await bot.user("oi")
    await bot.run(LOOK_UP)

    assert (bot.slots["ps7_status"], shown(bot)) == ("missing", NOBODY)
    assert bot.slots["session_started_metadata"] == {"contextId": "ana"}
    assert len(ps7.requests) == 1


async def test_a_context_that_ran_out_since_is_not_looked_up(ps7: Simulator, clock: Clock) -> None:
    """Its contextId stands in the messages all the same."""
    bot = converse()
    await log_out(bot)
    await take_back(bot)
    clock.move(3600)

    await bot.user("oi")
    await bot.run(LOOK_UP)

    assert (bot.slots["ps7_status"], shown(bot)) == ("missing", NOBODY)
    assert len(ps7.requests) == 1
