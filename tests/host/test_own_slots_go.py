"""`PS7_CLEAR_SLOTS` through the webhook: when the bot's own slots go with a customer, and when not.

A balance that stays beside another customer, or beside nobody, is shown to whoever comes next.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import pytest_asyncio

from actions.ps7.testing import PERSONAS
from tests.host.conftest import seal_keys
from tests.support.clock import now
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY, Dialogue

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator
    from tests.host.conftest import Stage
    from tests.support.action_server import ActionServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANA, DIEGO = PERSONAS["ana"].payload, PERSONAS["diego"].payload
TOLD = "R$ 15.230,75"
SESSION_START = "action_session_start"
BRIEF = 1.1
"""Seconds after which a context that holds for one second is over."""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def running(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> ActionServer:
    """Start an action server for this file, whose bot has a balance of its own."""
    folder = tmp_path_factory.mktemp("starts")
    (folder / "starts.py").write_text(
        "from actions.ps7 import PS7SessionStart\n\n\n"
        "class ActionSessionStart(PS7SessionStart):\n    pass\n"
    )
    return await stage.start(
        Path(sys.executable),
        actions="starts",
        cwd=folder,
        PS7_SEAL_KEYS=seal_keys(),
        PS7_CLEAR_SLOTS='["balance", "undeclared"]',
        PS7_BREAKER_FAILURES="1000",
    )


def user() -> Dialogue:
    """Make a user of a bot with two slots of its own, of which one goes with the customer."""
    talk = Dialogue((*SLOTS, "balance", "note"))
    talk.domain = {"slots": {}, "session_config": {"carry_over_slots_to_new_session": True}}
    return talk


def written(talk: Dialogue, **slots: object) -> None:
    """Let something else than the plugin write slots."""
    talk.slots |= slots
    talk.events += [
        {"event": "slot", "name": name, "value": value, "timestamp": 2.0}
        for name, value in slots.items()
    ]


async def known(server: ActionServer, context_id: str = "ana") -> Dialogue:
    """Let a customer arrive, whom the bot then told a balance."""
    talk = user()
    await talk.turn(server.send, metadata={"contextId": context_id})
    assert talk.slots["ps7_status"] == "ok"
    written(talk, balance=TOLD, note="n")
    return talk


def shown(talk: Dialogue) -> tuple[Any, Any]:
    """Return how it ended, and the balance; what is not in PS7_CLEAR_SLOTS stays in any case."""
    assert talk.slots["note"] in ("n", None)
    return talk.slots["ps7_status"], talk.slots["balance"]


def answered(payload: dict[str, Any], *, seconds: int = 3600, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"code": 0, "expireIn": seconds, "payload": {**payload, **changed}}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"status": 500}, "rejected"),
        ({"status": 503}, "unavailable"),
        ({"status": 403}, "denied"),
        ({"status": 400}, "invalid"),
        ({"body": answered(DIEGO)}, "ok"),
        ({"body": answered(ANA, u_cc="00999999")}, "ok"),
        ({"body": answered(ANA, u_ag="9999")}, "ok"),
    ],
    ids=["rejected", "unavailable", "denied", "invalid", "another", "account", "agency"],
)
async def test_they_go_where_a_second_look_up_finds_another_or_nobody(
    running: ActionServer, ps7: Simulator, answer: dict[str, Any], status: str
) -> None:
    """The contextId is the same; whom PS7 names under it is not."""
    context_id = uuid4().hex
    ps7.answer(context_id, body=answered(ANA, seconds=1))
    talk = await known(running, context_id)
    await asyncio.sleep(BRIEF)
    ps7.answer(context_id, **answer)
    await talk.turn(running.send, metadata={"contextId": context_id})
    assert shown(talk) == (status, None)


async def test_they_stay_where_a_second_look_up_finds_the_same_customer(
    running: ActionServer, ps7: Simulator
) -> None:
    """The same CPF, agency and account; what else PS7 says may have changed meanwhile."""
    context_id = uuid4().hex
    ps7.answer(context_id, body=answered(ANA, seconds=1))
    talk = await known(running, context_id)
    await asyncio.sleep(BRIEF)
    ps7.answer(context_id, body=answered(ANA, u_dsok="N", u_seg="Private"))
    await talk.turn(running.send, metadata={"contextId": context_id})
    assert talk.slots["segment"] == "Private"
    assert shown(talk) == ("ok", TOLD)


async def test_a_customer_without_a_cpf_is_nobody_to_compare_with(
    running: ActionServer, ps7: Simulator
) -> None:
    """Two who have none may be two: while one is held they stay, after a second look-up they go."""
    context_id = uuid4().hex
    ps7.answer(context_id, body=answered(ANA, seconds=1, u_cpf=None))
    talk = await known(running, context_id)
    await talk.turn(running.send, VERIFY)
    assert shown(talk) == ("ok", TOLD)
    await asyncio.sleep(BRIEF)
    ps7.answer(context_id, body=answered(ANA, u_cpf=None))
    await talk.turn(running.send, metadata={"contextId": context_id})
    assert shown(talk) == ("ok", None)


@pytest.mark.parametrize("action", [LOOK_UP, VERIFY])
async def test_they_go_when_the_time_is_over(
    running: ActionServer, ps7: Simulator, action: str
) -> None:
    """No contextId is at hand: whoever sees it first clears."""
    context_id = uuid4().hex
    ps7.answer(context_id, body=answered(ANA, seconds=1))
    talk = await known(running, context_id)
    talk.events = [  # another session, into which Rasa carried the slots
        {"event": "session_started", "timestamp": now()},
        {"event": "slot", "name": "ps7_context", "value": talk.slots["ps7_context"]},
    ]
    await asyncio.sleep(BRIEF)
    await talk.turn(running.send, action)
    assert shown(talk) == ("expired", None)
    written(talk, balance="of whoever comes next")
    await talk.turn(running.send)
    assert shown(talk) == ("missing", "of whoever comes next"), "they went once, not ever again"


@pytest.mark.parametrize("context_id", ["diego", "not-found", "http-503", "two words"])
async def test_they_go_when_another_context_id_comes(
    running: ActionServer, context_id: str
) -> None:
    """Whatever becomes of it."""
    talk = await known(running)
    await talk.turn(running.send, metadata={"contextId": context_id})
    assert talk.slots["balance"] is None
    assert talk.slots["note"] == "n"


@pytest.mark.parametrize("status", ["ok", None, "missing"])
@pytest.mark.parametrize("context_id", [None, "ana", "diego"])
async def test_they_go_when_the_seal_was_wiped(
    running: ActionServer, status: str | None, context_id: str | None
) -> None:
    """Events of this session show that a customer was here, whatever the status says now."""
    talk = await known(running)
    written(talk, ps7_context=None, ps7_status=status)
    if context_id is None:
        talk.events = [event for event in talk.events if event["event"] != "user"]
    await talk.turn(running.send, metadata={"contextId": context_id} if context_id else None)
    assert talk.slots["balance"] is None
    written(talk, balance="of whoever is here now")
    await talk.turn(running.send)
    assert talk.slots["balance"] == "of whoever is here now"


async def test_they_go_when_the_seal_was_replaced_by_what_is_none(running: ActionServer) -> None:
    """And where a status alone claims a customer."""
    talk = await known(running)
    written(talk, ps7_context="forged")
    await talk.turn(running.send)
    assert talk.slots["balance"] is None
    talk = user()
    written(talk, ps7_status="ok", balance=TOLD)
    await talk.turn(running.send)
    assert shown(talk) == ("tampered", None)


async def test_they_go_with_a_log_out(running: ActionServer) -> None:
    """Of a customer, and of somebody whom the bot knew by itself alone."""
    talk = await known(running)
    await talk.turn(running.send, FORGET)
    assert shown(talk) == ("missing", None)
    talk = user()
    written(talk, balance=TOLD)
    await talk.turn(running.send, FORGET)
    assert shown(talk) == ("missing", None)


@pytest.mark.parametrize(
    ("context_ids", "status"),
    [
        ([None], "missing"),
        (["ana"], "ok"),
        (["not-found"], "rejected"),
        (["http-503", "ana"], "ok"),
        (["not-found", "diego"], "ok"),
    ],
)
async def test_what_was_there_before_the_first_customer_stays(
    running: ActionServer, context_ids: list[str | None], status: str
) -> None:
    """A bot that asked an anonymous user keeps the answer when a look-up tells who that is."""
    talk = user()
    written(talk, balance="typed")
    for context_id in context_ids:
        await talk.turn(running.send, metadata={"contextId": context_id} if context_id else None)
    assert shown(talk) == (status, "typed")


async def test_they_stay_while_the_same_customer_is_held(running: ActionServer) -> None:
    """Also where something else wrote a slot that does not say who it is."""
    talk = await known(running)
    for slots in ({}, {"segment": "overwritten"}):
        written(talk, **slots)
        for action in (VERIFY, LOOK_UP):
            await talk.turn(running.send, action)
            assert shown(talk) == ("ok", TOLD)


@pytest.mark.parametrize("slots", [{"account": "overwritten"}, {"ps7_status": "missing"}])
@pytest.mark.parametrize("action", [VERIFY, LOOK_UP])
async def test_they_go_where_the_slots_named_another_or_nobody(
    running: ActionServer, slots: dict[str, str], action: str
) -> None:
    """What the bot noted meanwhile may be about whomever they named."""
    talk = await known(running)
    written(talk, **slots)
    await talk.turn(running.send, action)
    assert shown(talk) == ("ok", None)


@pytest.mark.parametrize(("context_id", "balance"), [("diego", None), (None, TOLD)])
async def test_a_session_start_lets_them_go_with_the_customer_of_before(
    running: ActionServer, context_id: str | None, balance: str | None
) -> None:
    """Slots are carried over here: they stay with the customer who is, and go with another."""
    talk = await known(running)
    talk.events.append({"event": "action", "name": "action_listen", "timestamp": now()})
    metadata = {"contextId": context_id}
    if context_id:
        written(talk, session_started_metadata=metadata)
    call = talk.call(SESSION_START)
    call["tracker"]["events"].pop()  # the message comes after the session has started
    answer = await running.send(call)
    slots = {event["name"]: event["value"] for event in answer["events"] if "value" in event}
    assert slots["ps7_status"] == "ok"
    assert (
        slots["account"] == PERSONAS[context_id or "ana"].slots["account"],
        slots.get("balance"),
    ) == (True, balance)
