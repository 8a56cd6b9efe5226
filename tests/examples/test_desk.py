"""The example bots' way to the agents' desk: a conversation arrives once, or the bot keeps it."""

from __future__ import annotations

import asyncio
import logging
import pydoc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from examples.desk import Desk
from tests.support.processes import ROOT

desk = pydoc.importfile(str(ROOT / "examples" / "oss-bot" / "actions" / "desk.py"))

TOKEN = "made up, for the desk"
CONTEXT = {"reason": "ask_human", "ps7_status": "ok", "cpf_masked": "***.982.247-**"}
SENDER = "5511987654321"
STARTED = {"event": "session_started", "timestamp": 1.5}
ASKED = {"event": "user", "text": "quero falar com uma pessoa", "input_channel": "whatsapp"}
TAKEN = {"event": "slot", "name": "handed_over", "value": True}
BODY = {**CONTEXT, "conversation": SENDER, "channel": "whatsapp"}


def tracker(*events: dict[str, Any], sender: str = SENDER) -> Any:  # noqa: ANN401 - a tracker's part
    return SimpleNamespace(sender_id=sender, events=[*events])


ASKING = tracker(STARTED, {**ASKED, "input_channel": "before it"}, ASKED, {"event": "action"})


@dataclass
class Street:
    """What lies between the bot and its desk: each request meets the next of its troubles."""

    desk: Desk
    troubles: list[str | int] = field(default_factory=list)
    requests: int = 0


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == desk.__name__]


@pytest.fixture
async def street(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Street]:
    street = Street(Desk(TOKEN))

    @web.middleware
    async def meet(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401
        street.requests += 1
        trouble = street.troubles.pop(0) if street.troubles else ""
        if isinstance(trouble, int):
            return web.Response(status=trouble, headers={"Location": "/handovers"})
        answer: web.StreamResponse = await handler(request)
        if trouble == "lost":
            assert request.transport
            request.transport.close()
        if trouble == "slow":
            await asyncio.sleep(8)
        return answer

    app = street.desk.application()
    app.middlewares.append(meet)
    async with TestServer(app, host="127.0.0.1") as server:
        monkeypatch.setenv("HANDOVER_URL", str(server.make_url("/handovers")))
        monkeypatch.setenv("HANDOVER_TOKEN", TOKEN)
        monkeypatch.setattr(desk, "DEADLINE", 1.0)
        yield street


@pytest.mark.parametrize(
    ("troubles", "bot_hears_so", "requests", "arrived"),
    [
        ([], True, 1, [BODY]),
        ([503], True, 2, [BODY]),
        (["lost"], True, 2, [BODY]),
        (["lost", "lost"], False, 2, [BODY]),
        ([503, 500], False, 2, []),
        ([400], False, 1, []),
        ([302], False, 1, []),
        (["slow"], False, 1, [BODY]),
    ],
)
async def test_a_conversation_arrives_once_or_the_bot_keeps_it(
    street: Street,
    caplog: pytest.LogCaptureFixture,
    troubles: list[str | int],
    requests: int,
    arrived: list[dict[str, str]],
    *,
    bot_hears_so: bool,
) -> None:
    """Within one deadline; and a customer who asks again is the same hand-over to the desk."""
    caplog.set_level(logging.DEBUG)
    street.troubles = troubles
    assert await asyncio.wait_for(desk.hand_over(ASKING, CONTEXT), 4) is bot_hears_so
    assert (street.requests, [*street.desk.arrived.values()]) == (requests, arrived)
    assert await desk.hand_over(ASKING, CONTEXT)
    assert [*street.desk.arrived.values()] == [BODY]
    for value in (TOKEN, SENDER, *CONTEXT.values(), *street.desk.arrived):
        assert value not in "".join(said(caplog))


async def test_a_second_wish_makes_no_second_ticket_but_another_customer(street: Street) -> None:
    """Ana's answer is lost; her second reason is a 409. Diego arrives in the same session."""
    street.troubles = ["lost", "lost"]
    assert not await desk.hand_over(ASKING, CONTEXT)
    again = {**CONTEXT, "reason": "nlu_fallback", "correlation_id": "another"}
    assert await desk.hand_over(ASKING, again)
    assert [*street.desk.arrived.values()] == [BODY]
    diego = {"cpf_masked": "***.444.777-**"}
    assert await desk.hand_over(ASKING, CONTEXT | diego)
    assert [*street.desk.arrived.values()] == [BODY, BODY | diego]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"TOKEN": "another"}, "status 401"),
        ({"TOKEN": "two\nlines"}, "ValueError"),
        ({"TOKEN": ""}, "HANDOVER_URL and HANDOVER_TOKEN are not set"),
        ({"URL": ""}, "HANDOVER_URL and HANDOVER_TOKEN are not set"),
        ({"URL": "no address"}, "HANDOVER_URL must be https"),
        ({"URL": "http://desk.example/handovers"}, "HANDOVER_URL must be https"),
        ({"URL": "http://["}, "ValueError"),
        ({"URL": "http://localhost:1/handovers"}, "ClientConnectorError"),
        ({"URL": "http://127.0.0.1:1/handovers"}, "ClientConnectorError"),
        ({"URL": "http://[::1]:1/handovers"}, "ClientConnectorError"),
    ],
)
async def test_a_desk_that_cannot_be_asked_is_away(
    street: Street,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    told: dict[str, str],
    why: str,
) -> None:
    """One line names the kind of failure, and shows neither address nor token."""
    monkeypatch.setattr(desk, "DEADLINE", 9.0)
    for name, value in told.items():
        monkeypatch.setenv(f"HANDOVER_{name}", value)
    assert not await desk.hand_over(ASKING, CONTEXT)
    assert (said(caplog), street.desk.arrived) == ([f"Hand-over failed: {why}"], {})


def test_each_handover_of_a_session_has_its_name() -> None:
    """Another conversation, session, customer, or one more after the desk took one: another."""
    others = [
        *(tracker(STARTED, TAKEN), tracker(STARTED, TAKEN, TAKEN), tracker()),
        *(tracker({**STARTED, "timestamp": 2.5}), tracker(STARTED, sender="another")),
    ]
    names = [desk.idempotency_key(each, TOKEN, CONTEXT) for each in (tracker(STARTED), *others)]
    for name in ("ps7_status", "cpf_masked"):
        context = {**CONTEXT, name: "x"}
        names.append(desk.idempotency_key(tracker(STARTED), TOKEN, context))
    assert len({*names}) == len(names)
    again = tracker(TAKEN, STARTED, {**TAKEN, "value": False}, {"event": "user"})
    assert desk.idempotency_key(again, TOKEN, {**CONTEXT, "reason": "x"}) == names[0]
    assert not any(SENDER in name for name in names)
