"""`PS7SessionStart` in rasa_sdk's executor: a session starts, and knows its customer.

The conversation kit plays Rasa: what it records is what Rasa 3.6.21 would. Which contextId opens a
session and what is carried over is tested in plain values (`tests/unit/test_history.py`).
"""

from __future__ import annotations

import inspect
import logging
import pickle
import re
from pathlib import Path
from typing import Any, cast

import pytest
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.ps7 import CustomerContext, Outcome, PS7SessionStart
from actions.ps7.dialogue.rules import Run
from actions.ps7.testing import PERSONAS, Conversation, Simulator
from tests.host.conftest import Stage
from tests.support import bots
from tests.support.bots import (
    SESSION_METADATA,
    SESSION_START,
    ActionSessionStart,
    arrive,
    asked,
    no_customer,
    run,
    shown,
)
from tests.support.dialogue import LOOK_UP, SLOTS, Dialogue

pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings"),
]

ANA, DIEGO = PERSONAS["ana"].slots, PERSONAS["diego"].slots
carrying = pytest.mark.parametrize("carries_over", [True, False])


def converse(*, carries_over: bool = True) -> Conversation:
    return bots.converse(every_turn=False, session_start=True, carry_over_slots=carries_over)


def shows(bot: Conversation, persona: dict[str, Any]) -> bool:
    slots = bot.slots
    return all(slots[name] == value for name, value in persona.items())


# -- sessions -------------------------------------------------------------------------------------


@carrying
async def test_the_customer_is_known_before_the_first_message(
    ps7: Simulator, carries_over: bool
) -> None:
    """SessionStarted, the slots, `action_listen`; later turns ask PS7 nothing."""
    bot = converse(carries_over=carries_over)
    result = await bot.user("oi", metadata={"contextId": "ana"})
    first, *slots, last = result.events
    assert (first["event"], last["event"], last["name"]) == (
        *("session_started", "action", "action_listen"),
    )
    assert {event["event"] for event in slots} == {"slot"}
    assert len(result.slots) == len(slots)
    assert (SESSION_METADATA in result.slots) is carries_over
    assert result.texts == []
    assert shows(bot, ANA)
    assert bot.latest_message["text"] == "oi"
    assert await run(bot, LOOK_UP) == []
    assert asked(ps7) == ["ana"]


# -- what must not happen -------------------------------------------------------------------------


@carrying
async def test_a_bug_of_ours_starts_the_session_without_a_customer(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, carries_over: bool
) -> None:
    """The first message is kept, the customer before is gone, and no value is in the log."""

    async def fail(_: PS7SessionStart, run: Run) -> dict[str, Any]:
        raise RuntimeError(str(vars(run)))

    bot = converse(carries_over=carries_over)
    await arrive(bot, "ana")
    await bot.set_slot("balance", "1,00")
    bot.expire_session()
    monkeypatch.setattr(ActionSessionStart, "changes", fail)

    await bot.user("oi de novo", metadata={"contextId": "diego"})

    assert bot.latest_message["text"] == "oi de novo"
    assert shown(bot) == no_customer("unavailable")
    assert bot.slots["ps7_context"] is None
    assert bot.slots["balance"] == ("1,00" if carries_over else None)
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert "RuntimeError" in record.getMessage()
    assert bot.sender_id not in caplog.text


# -- what a bot writes ----------------------------------------------------------------------------


def greets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bot greet by the customer's account and by the outcome."""

    async def opened(
        _: PS7SessionStart,
        dispatcher: CollectingDispatcher,
        customer: CustomerContext | None,
        outcome: Outcome,
    ) -> None:
        dispatcher.utter_message(f"{customer and customer.account} {outcome.name}")

    monkeypatch.setattr(ActionSessionStart, "opened", opened)


@pytest.mark.parametrize(
    ("then", "said"),
    [("diego", "00900019 OK"), ("http-404", "None UNAVAILABLE"), (None, "None EXPIRED")],
)
async def test_a_bot_greets_whom_the_session_opens_with(
    monkeypatch: pytest.MonkeyPatch, then: str | None, said: str
) -> None:
    """Once; a customer of the session before is not greeted again."""
    greets(monkeypatch)
    bot = converse()
    assert (await bot.user("oi", metadata={"contextId": "ana"})).texts == ["00123456 OK"]
    assert (await bot.user("oi", metadata={"contextId": "diego"})).texts == []
    bot.expire_session()
    result = await bot.user("oi", metadata={"contextId": then} if then else None)
    assert result.texts == [said]


async def test_a_bot_greets_nobody_who_logged_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same contextId opens the next session, and its seal is among the slots.

    A bot that fills the status by itself is told the outcome all the same.
    """
    greets(monkeypatch)
    bot = converse()
    bot.domain["slots"]["ps7_status"]["mappings"] = [{"type": "from_text"}]
    assert (await bot.user("oi", metadata={"contextId": "ana"})).texts == ["00123456 OK"]
    await bot.run("action_ps7_forget")
    bot.expire_session()
    assert (await bot.user("oi", metadata={"contextId": "ana"})).texts == ["None MISSING"]


async def test_a_greeting_that_fails_costs_neither_the_message_nor_the_slots(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line at ERROR says what and where, and quotes nothing; what was uttered stays."""

    async def opened(
        _: PS7SessionStart, dispatcher: CollectingDispatcher, *known: CustomerContext | Outcome
    ) -> None:
        dispatcher.utter_message("Olá!")
        raise RuntimeError(cast("CustomerContext", known[0]).account)

    bot = converse()
    monkeypatch.setattr(ActionSessionStart, "opened", opened)

    result = await bot.user("oi", metadata={"contextId": "ana"})

    assert (result.texts, bot.latest_message["text"]) == (["Olá!"], "oi")
    assert shows(bot, ANA)
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert re.fullmatch(r"RuntimeError at test_session_start\.py:\d+", record.getMessage())
    assert str(ANA["account"]) not in caplog.text


async def test_what_a_bot_sets_as_a_session_begins(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events come after the plugin's; a slot of the plugin's among them is left out."""

    async def opened(_: PS7SessionStart, *_known: object) -> list[dict[str, Any]]:
        return [SlotSet("balance", "7,00"), SlotSet("cpf", "typed"), SlotSet("ps7_status", "ok")]

    bot = converse()
    monkeypatch.setattr(ActionSessionStart, "opened", opened)

    result = await bot.user("oi", metadata={"contextId": "not-found"})

    assert [event["name"] for event in result.events[-2:]] == ["balance", "action_listen"]
    assert (bot.slots["balance"], bot.slots["cpf"]) == ("7,00", None)
    assert bot.slots["ps7_status"] == "rejected"
    assert [line for line in caplog.messages if "left out" in line] == [
        "PS7SessionStart.opened returned a value for cpf: left out",
        "PS7SessionStart.opened returned a value for ps7_status: left out",
    ]


async def test_the_base_is_abstract_and_its_name_the_subclasses() -> None:
    """A subclass of a bot's subclass goes by the same name; it travels to a worker as any other.

    Importing the base registers no action: see `test_exactly_the_three_actions_are_registered`.
    """

    class Further(ActionSessionStart):
        pass

    assert inspect.isabstract(PS7SessionStart)
    assert not inspect.isabstract(ActionSessionStart)
    with pytest.raises(TypeError, match="abstract"):
        PS7SessionStart()
    action = ActionSessionStart()
    arrived = pickle.loads(pickle.dumps(action))  # noqa: S301 - packed here
    assert action.name() == arrived.name() == Further().name() == SESSION_START
    assert arrived.runtime is action.runtime


# -- a call without a domain ----------------------------------------------------------------------


async def test_slots_are_carried_over_only_if_the_domain_says_so(
    python: Path, stage: Stage, tmp_path: Path
) -> None:
    """If Rasa leaves the domain out (`enable_selective_domain`), the bot did not say yes.

    The customer of the session before is carried over in neither case.
    """
    (tmp_path / "starts.py").write_text(
        "from actions.ps7 import PS7SessionStart\n\n\n"
        "class ActionSessionStart(PS7SessionStart):\n    pass\n"
    )
    server = await stage.start(python, actions="starts", cwd=tmp_path)
    kept = {"slots": {}, "session_config": {"carry_over_slots_to_new_session": True}}
    # In this order: the SDK remembers a domain that was sent.
    for domain, balance, status in (({}, None, "missing"), (kept, "12", "expired")):
        user = Dialogue((*SLOTS, "balance"))
        user.domain = domain
        await user.turn(server.send, metadata={"contextId": "ana"})
        user.slots["balance"] = "12"
        answer = await server.send(user.call(SESSION_START))
        slots = {event["name"]: event["value"] for event in answer["events"] if "value" in event}
        assert (slots.get("account"), slots.get("balance")) == (None, balance)
        assert slots["ps7_status"] == status
