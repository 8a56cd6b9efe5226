"""A declared slot that the bot's domain fills by itself: whose it is, and what is said of it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from actions.ps7 import verified_context
from actions.ps7.testing import PERSONAS, Conversation, Simulator
from tests.support import bots
from tests.support.bots import CUSTOM, FROM_TEXT, TYPED, arrive, run
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings"),
]

ANA = PERSONAS["ana"].slots


def converse(mappings: object, slot: str = "cpf", **options: Any) -> Conversation:  # noqa: ANN401
    """Talk to a bot that declares this slot with these mappings."""
    return bots.converse(mappings={slot: mappings}, **options)


def own_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and "the bot's own" in record.getMessage()
    ]


@pytest.mark.parametrize(
    ("mappings", "kind"),
    [
        *(([{"type": kind}], kind) for kind in ("from_text", "from_entity", "from_llm")),
        *(([{"type": kind, "value": 1}], kind) for kind in ("from_intent", "from_trigger_intent")),
        ([{"type": "from_text", "conditions": [{"active_loop": "pix_form"}]}], "from_text"),
        ([CUSTOM, FROM_TEXT], "from_text"),
        ([{"type": "controlled"}, {"type": "from_llm"}], "from_llm"),
        *((mappings, None) for mappings in ([CUSTOM], [{"type": "controlled"}], [], None)),
    ],
)
async def test_any_mapping_but_that_of_actions_makes_a_slot_the_bots_own(
    caplog: pytest.LogCaptureFixture, mappings: object, kind: str | None
) -> None:
    """It is neither filled nor nulled, and one WARNING says why, with what can be done.

    A slot that actions alone write is the plugin's, and so is one without mappings.
    """
    bot = converse(mappings)
    for name in ("diego", "ana"):
        await arrive(bot, name)
        cpf = None if kind else PERSONAS[name].slots["cpf"]
        assert (bot.slots["ps7_status"], bot.slots["cpf"]) == ("ok", cpf)
    await bot.set_slot("cpf", TYPED)
    await bot.run(VERIFY)
    assert bot.slots["cpf"] == (TYPED if kind else ANA["cpf"])
    await bot.run(FORGET)
    assert (bot.slots["ps7_status"], bot.slots["cpf"]) == ("missing", TYPED if kind else None)
    warning = (
        f"The bot's domain fills the slot cpf by {kind}, so it is the bot's own and left alone; "
        "PS7_SLOT_NAMES can name another slot for cpf"
    )
    assert own_warnings(caplog) == ([warning] if kind else [])


async def test_a_bots_action_reads_the_customers_cpf_all_the_same() -> None:
    """From the seal, whose slot `cpf` is does not matter; a session start carries it over."""
    bot = converse([FROM_TEXT], session_start=True, carry_over_slots=True)
    for name in ("ana", "diego"):
        bot.expire_session()
        await arrive(bot, name)
        customer = verified_context(bot.tracker)
        assert customer is not None
        assert customer.cpf == PERSONAS[name].slots["cpf"]
        assert bot.slots["cpf"] == (None if name == "ana" else TYPED)
        await bot.set_slot("cpf", TYPED)


async def test_a_renamed_slot_follows_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The payee keeps `cpf`, and the customer's has a slot of its own."""
    monkeypatch.setenv("PS7_SLOT_NAMES", '{"cpf": "customer_cpf"}')
    for mapping, cpf in ((CUSTOM, ANA["cpf"]), (FROM_TEXT, TYPED)):
        bot = bots.converse(mappings={"cpf": [FROM_TEXT], "customer_cpf": [mapping]})
        await bots.set_slots(bot, cpf=TYPED, customer_cpf=TYPED)
        await arrive(bot, "ana")
        assert (bot.slots["cpf"], bot.slots["customer_cpf"]) == (TYPED, cpf)


@pytest.mark.parametrize(("clear", "cpf"), [([], TYPED), (["undeclared", "cpf"], None)])
@pytest.mark.parametrize("broken", [False, True])
async def test_it_goes_with_the_customer_where_the_bot_says_so_alone(
    monkeypatch: pytest.MonkeyPatch, clear: list[str], cpf: str | None, *, broken: bool
) -> None:
    """By `PS7_CLEAR_SLOTS`; also where something of ours is broken."""
    monkeypatch.setenv("PS7_CLEAR_SLOTS", json.dumps(clear))
    bot = converse([FROM_TEXT])
    await arrive(bot, "ana")
    await bot.set_slot("cpf", TYPED)
    if broken:
        monkeypatch.setattr("actions.ps7.dialogue.rules.Run.context", lambda _: 1 / 0)
    await arrive(bot, "diego")
    status = "unavailable" if broken else "ok"
    assert (bot.slots["ps7_status"], bot.slots["cpf"]) == (status, cpf)


async def test_without_a_slot_for_the_seal_every_run_looks_up(
    ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """What a user types into `ps7_context` is neither read as a seal nor nulled."""
    bot = converse([FROM_TEXT], "ps7_context")
    for _ in range(2):
        await bot.set_slot("ps7_context", TYPED)
        await arrive(bot, "ana")
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
    bot = converse([FROM_TEXT], "ps7_status", every_turn=False)
    await bots.set_slots(bot, ps7_status="ok", cpf=TYPED)
    await arrive(bot)
    assert await run(bot, LOOK_UP) == []
    await arrive(bot, "ana")
    await run(bot, LOOK_UP)
    assert (bot.slots["ps7_status"], bot.slots["cpf"]) == ("ok", ANA["cpf"])
    (warning,) = own_warnings(caplog)
    assert warning.endswith("the dialogue cannot tell how a lookup ended")
