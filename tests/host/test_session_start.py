"""`PS7SessionStart` in rasa_sdk's executor: a session starts, and knows its customer.

The conversation kit plays Rasa: what it records is what Rasa 3.6.21 would. Which contextId opens a
session and what is carried over is tested in plain values (`tests/unit/test_history.py`).
"""

from __future__ import annotations

import logging
import re
from functools import partial
from typing import Any

import pytest
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.ps7 import CustomerContext, Outcome, PS7SessionStart, telemetry
from actions.ps7.conversation.state import State
from actions.ps7.testing import PERSONAS
from tests.support import bots
from tests.support.bots import FROM_TEXT, ActionSessionStart, no_customer
from tests.support.dialogue import FORGET

pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings"),
]

ANA = PERSONAS["ana"].slots


converse = partial(bots.converse, every_turn=False, session_start=True, carry_over_slots=True)


async def greets(
    _: PS7SessionStart,
    dispatcher: CollectingDispatcher,
    customer: CustomerContext | None,
    outcome: Outcome,
) -> None:
    """Do what a bot may write: say whom the session opens with."""
    dispatcher.utter_message(f"{customer and customer.account} {outcome.name}")


async def test_a_bug_of_ours_starts_the_session_without_a_customer(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first message is kept, the customer before is gone, and no value is in the log."""

    def fail(state: State) -> None:
        raise RuntimeError(str(vars(state)))

    bot = converse()
    await bot.arrives("ana")
    await bot.set_slot("balance", "1,00")
    bot.expire_session()
    monkeypatch.setattr(ActionSessionStart, "decide", staticmethod(fail))
    monkeypatch.setattr(ActionSessionStart, "opened", greets)

    result = await bot.user("oi de novo", metadata={"contextId": "diego"})

    assert (result.texts, bot.latest_message["text"]) == (["None UNAVAILABLE"], "oi de novo")
    assert bot.shown == no_customer("unavailable")
    assert (bot.slots["ps7_context"], bot.slots["balance"]) == (None, "1,00")
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert "RuntimeError" in record.getMessage()
    assert bot.sender_id not in caplog.text


# -- what a bot writes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logs_out", "then", "said"),
    [
        (False, "diego", "00900019 OK"),
        (False, "http-404", "None UNAVAILABLE"),
        (False, None, "None EXPIRED"),
        (True, "ana", "None MISSING"),
    ],
)
async def test_a_bot_greets_whom_the_session_opens_with(
    monkeypatch: pytest.MonkeyPatch, logs_out: bool, then: str | None, said: str
) -> None:
    """Once; a customer of the session before is not greeted again, nor one who logged out.

    A bot that fills the status by itself is told the outcome all the same.
    """
    monkeypatch.setattr(ActionSessionStart, "opened", greets)
    bot = converse()
    if logs_out:
        bot.domain["slots"]["ps7_status"]["mappings"] = [FROM_TEXT]
    assert (await bot.user("oi", metadata={"contextId": "ana"})).texts == ["00123456 OK"]
    assert (await bot.user("oi", metadata={"contextId": "diego"})).texts == []
    if logs_out:
        await bot.run(FORGET)
    bot.expire_session()
    result = await bot.user("oi", metadata={"contextId": then} if then else None)
    assert result.texts == [said]


async def test_a_greeting_that_fails_costs_neither_the_message_nor_the_slots(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line at ERROR says what and where, and quotes nothing; what was uttered stays."""

    async def opened(action: PS7SessionStart, *known: Any) -> None:  # noqa: ANN401 - as of the base
        await greets(action, *known)
        raise RuntimeError(known[1].account)

    bot = converse()
    monkeypatch.setattr(ActionSessionStart, "opened", opened)

    result = await bot.user("oi", metadata={"contextId": "ana"})

    assert (result.texts, bot.latest_message["text"]) == (["00123456 OK"], "oi")
    assert {name: bot.slots[name] for name in ANA} == ANA
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    said = r"PS7SessionStart\.opened of the bot failed: RuntimeError at test_session_start\.py:\d+"
    assert re.fullmatch(said, record.getMessage())
    assert str(ANA["account"]) not in caplog.text


async def test_a_session_start_adds_the_bots_slots_and_drops_ours(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events come after the plugin's; a slot of the plugin's among them is left out.

    One that the bot's domain fills by itself is the bot's.
    """

    async def opened(_: PS7SessionStart, *_known: object) -> list[dict[str, Any]]:
        ours = SlotSet("cpf", "typed"), SlotSet("ps7_status", "ok")
        return [ActiveLoop("cpf"), SlotSet("agency", "0001"), SlotSet("balance", "7,00"), *ours]

    bot = converse()
    bot.domain["slots"]["agency"]["mappings"] = [FROM_TEXT]
    monkeypatch.setattr(ActionSessionStart, "opened", opened)

    result = await bot.user("oi", metadata={"contextId": "not-found"})

    names = [event["name"] for event in result.events[-4:]]
    assert names == ["cpf", "agency", "balance", "action_listen"]
    assert bot.shown == no_customer("rejected") | {"agency": "0001"}
    said = "PS7SessionStart.opened returned a value for {}: left out"
    left_out = [line for line in caplog.record_tuples if "left out" in line[2]]
    names = ["cpf", "ps7_status"]
    assert left_out == [(telemetry.__name__, logging.WARNING, said.format(name)) for name in names]
