"""A declared slot that the bot's domain fills by itself: whose it is, and what is said of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from actions.ps7 import (
    ActionPS7Context,
    ActionPS7Forget,
    ActionPS7Verify,
    PS7SessionStart,
    verified_context,
)
from actions.ps7.dialogue.turn import Turn
from actions.ps7.testing import PERSONAS, Conversation
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator

pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings"),
]

ANA = PERSONAS["ana"].slots
TYPED = "11144477735"
CUSTOM, FROM_TEXT = {"type": "custom"}, {"type": "from_text"}
SESSION_START = "action_session_start"


class ActionSessionStart(PS7SessionStart):
    """What a bot writes: nothing but this."""


def converse(mappings: object, slot: str = "cpf", *, session_start: bool = False) -> Conversation:
    """Talk to a bot that declares this slot with these mappings; no action runs by itself."""
    slots: dict[str, Any] = {name: {"type": "any", "mappings": [CUSTOM]} for name in SLOTS}
    slots[slot] = {"type": "any", "mappings": mappings}
    domain: dict[str, Any] = {"actions": [LOOK_UP, VERIFY, FORGET], "slots": slots}
    actions: list[type[Any]] = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
    if session_start:
        domain["actions"].append(SESSION_START)
        actions.append(ActionSessionStart)
    return Conversation(domain, actions, carry_over_slots=True)


async def arrive(bot: Conversation, context_id: str = "ana") -> None:
    await bot.user("oi", metadata={"contextId": context_id})
    await bot.run(LOOK_UP)


def own_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and "the bot's own" in record.getMessage()
    ]


@pytest.mark.parametrize(
    "mappings",
    [
        [FROM_TEXT],
        [{"type": "from_text", "conditions": [{"active_loop": "pix_form"}]}],
        [{"type": "from_entity", "entity": "cpf"}],
        [{"type": "from_intent", "value": 1}],
        [{"type": "from_trigger_intent", "value": 1}],
        [{"type": "from_llm"}],
        [CUSTOM, FROM_TEXT],
        [{"type": "controlled"}, {"type": "from_llm"}],
    ],
)
async def test_any_mapping_but_that_of_actions_makes_a_slot_the_bots_own(
    caplog: pytest.LogCaptureFixture, mappings: list[dict[str, Any]]
) -> None:
    """It is neither filled nor nulled, and one WARNING says why, with what can be done."""
    bot = converse(mappings)
    for context_id in ("ana", "diego"):
        await arrive(bot, context_id)
        assert bot.slots["ps7_status"] == "ok"
        assert bot.slots["cpf"] is None
    await bot.set_slot("cpf", TYPED)
    await bot.run(FORGET)
    assert (bot.slots["ps7_status"], bot.slots["cpf"]) == ("missing", TYPED)
    kind = next(one["type"] for one in mappings if one["type"] not in ("custom", "controlled"))
    (warning,) = own_warnings(caplog)
    assert warning == (
        f"The bot's domain fills the slot cpf by {kind}, so it is the bot's own and left alone; "
        "PS7_SLOT_NAMES can name another slot for cpf"
    )


@pytest.mark.parametrize("mappings", [[CUSTOM], [{"type": "controlled"}], [], None])
async def test_a_slot_that_actions_alone_write_is_the_plugins(
    caplog: pytest.LogCaptureFixture, mappings: object
) -> None:
    """So is one without mappings: then nothing else claims it."""
    bot = converse(mappings)
    await arrive(bot)
    assert bot.slots["cpf"] == ANA["cpf"]
    await bot.set_slot("cpf", TYPED)
    await bot.run(VERIFY)
    assert bot.slots["cpf"] == ANA["cpf"]
    await bot.run(FORGET)
    assert bot.slots["cpf"] is None
    assert own_warnings(caplog) == []


async def test_a_bots_action_reads_the_customers_cpf_all_the_same() -> None:
    """From the seal: whose slot `cpf` is does not matter to it."""
    bot = converse([FROM_TEXT])
    await arrive(bot)
    await bot.set_slot("cpf", TYPED)
    customer = verified_context(bot.tracker)
    assert customer is not None
    assert customer.cpf == ANA["cpf"]


async def test_a_renamed_slot_follows_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The payee keeps `cpf`, and the customer's has a slot of its own."""
    monkeypatch.setenv("PS7_SLOT_NAMES", '{"cpf": "customer_cpf"}')
    bot = converse([FROM_TEXT])
    bot.domain["slots"]["customer_cpf"] = {"type": "any", "mappings": [CUSTOM]}
    bot = Conversation(bot.domain, [ActionPS7Context])
    await bot.set_slot("cpf", TYPED)
    await arrive(bot)
    assert (bot.slots["cpf"], bot.slots["customer_cpf"]) == (TYPED, ANA["cpf"])

    bot.domain["slots"]["customer_cpf"]["mappings"] = [FROM_TEXT]
    await bot.set_slot("customer_cpf", TYPED)
    await arrive(bot, "diego")
    assert (bot.slots["cpf"], bot.slots["customer_cpf"]) == (TYPED, TYPED)


async def test_it_is_cleared_where_the_bot_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """`PS7_CLEAR_SLOTS` takes any slot of the bot's own along with the customer, this one too."""
    monkeypatch.setenv("PS7_CLEAR_SLOTS", '["cpf"]')
    bot = converse([FROM_TEXT])
    await arrive(bot)
    await bot.set_slot("cpf", TYPED)
    await bot.run(LOOK_UP)
    assert bot.slots["cpf"] == TYPED
    await arrive(bot, "diego")
    assert (bot.slots["ps7_status"], bot.slots["cpf"]) == ("ok", None)


async def test_it_is_left_alone_where_something_of_ours_is_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything of the customer is nulled then, what `PS7_CLEAR_SLOTS` names included."""
    monkeypatch.setenv("PS7_CLEAR_SLOTS", '["note", "ps7_status"]')
    bot = converse([FROM_TEXT])
    bot.domain["slots"]["note"] = {"type": "any", "mappings": [CUSTOM]}
    bot = Conversation(bot.domain, [ActionPS7Context])
    await arrive(bot)
    await bot.set_slot("cpf", TYPED)
    await bot.set_slot("note", "n")
    monkeypatch.setattr(Turn, "decide", lambda _: 1 / 0)
    await arrive(bot, "diego")
    slots = bot.slots
    assert (slots["ps7_status"], slots["account"], slots["cpf"]) == ("unavailable", None, TYPED)
    assert slots["note"] is None


async def test_a_session_start_carries_it_over_as_rasa_does() -> None:
    """The next session begins with the customer of before, and the payee of before."""
    bot = converse([FROM_TEXT], session_start=True)
    await bot.user("oi", metadata={"contextId": "ana"})
    assert (bot.slots["account"], bot.slots["cpf"]) == (ANA["account"], None)
    await bot.set_slot("cpf", TYPED)
    bot.expire_session()
    await bot.user("oi", metadata={"contextId": "diego"})
    diego = PERSONAS["diego"].slots["account"]
    assert (bot.slots["account"], bot.slots["cpf"]) == (diego, TYPED)


async def test_without_a_slot_for_the_seal_every_run_looks_up(
    ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """What a user types into `ps7_context` is neither read as a seal nor nulled."""
    bot = converse([FROM_TEXT], "ps7_context")
    for _ in range(2):
        await bot.set_slot("ps7_context", TYPED)
        await arrive(bot)
        assert (bot.slots["ps7_status"], bot.slots["cpf"]) == ("ok", ANA["cpf"])
        assert bot.slots["ps7_context"] == TYPED
    assert len(ps7.requests) == 2
    await bot.run(FORGET)
    assert (bot.slots["ps7_status"], bot.slots["cpf"]) == ("missing", None)
    (warning,) = own_warnings(caplog)
    assert warning.endswith(
        "PS7_SLOT_NAMES can name another slot for ps7_context: nothing can be kept, and every run "
        "looks the customer up again"
    )


async def test_without_a_slot_for_the_status_the_rest_still_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a user types into `ps7_status` claims no customer."""
    bot = converse([FROM_TEXT], "ps7_status")
    await bot.set_slot("ps7_status", "ok")
    await bot.set_slot("cpf", TYPED)
    await bot.user("oi")
    assert (await bot.run(LOOK_UP)).events == []
    await arrive(bot)
    assert (bot.slots["ps7_status"], bot.slots["cpf"]) == ("ok", ANA["cpf"])
    (warning,) = own_warnings(caplog)
    assert warning.endswith("its dialogue cannot tell how a lookup ended")
