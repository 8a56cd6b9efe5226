"""The example bots' way to the agents' desk: a conversation arrives once, or the bot keeps it."""

from __future__ import annotations

import asyncio
import logging
import pydoc
import time
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
        monkeypatch.setattr(desk, "DEADLINE", 0.4)
        yield street


@pytest.mark.parametrize(
    ("troubles", "requests", "arrives", "hears_so"),
    [
        ([], 1, True, True),
        ([503], 2, True, True),
        (["lost"], 2, True, True),
        (["lost", "lost"], 2, True, False),
        ([503, 500], 2, False, False),
        ([400], 1, False, False),
        ([302], 1, False, False),
        (["slow"], 1, True, False),
    ],
)
async def test_a_conversation_arrives_once_or_the_bot_keeps_it(
    street: Street,
    caplog: pytest.LogCaptureFixture,
    troubles: list[str | int],
    requests: int,
    *,
    arrives: bool,
    hears_so: bool,
) -> None:
    """Within one deadline; and a customer who asks again is the same hand-over to the desk."""
    caplog.set_level(logging.DEBUG)
    street.troubles = troubles
    began = time.monotonic()
    assert await desk.hand_over(ASKING, CONTEXT) is hears_so
    assert time.monotonic() - began < 4
    assert street.requests == requests
    assert [*street.desk.arrived.values()] == [BODY] * arrives
    assert await desk.hand_over(ASKING, CONTEXT)
    assert [*street.desk.arrived.values()] == [BODY]
    for value in (TOKEN, SENDER, *CONTEXT.values(), *street.desk.arrived):
        assert value not in "".join(
            r.getMessage() for r in caplog.records if r.name == desk.__name__
        )


async def test_a_second_wish_makes_no_second_ticket(street: Street) -> None:
    """The first one's answer was lost, and the second has another reason: the desk answers 409."""
    street.troubles = ["lost", "lost"]
    assert not await desk.hand_over(ASKING, CONTEXT)
    again = {**CONTEXT, "reason": "nlu_fallback", "correlation_id": "another"}
    assert await desk.hand_over(ASKING, again)
    assert [*street.desk.arrived.values()] == [BODY]


async def test_no_customer_is_taken_for_another(street: Street) -> None:
    """Ana's answer is lost; Diego arrives in the same session, and the desk gets both."""
    street.troubles = ["lost", "lost"]
    assert not await desk.hand_over(ASKING, CONTEXT)
    diego = {**CONTEXT, "cpf_masked": "***.444.777-**"}
    assert await desk.hand_over(ASKING, diego)
    assert [each["cpf_masked"] for each in street.desk.arrived.values()] == [
        "***.982.247-**",
        "***.444.777-**",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("HANDOVER_TOKEN", value) for value in ("another", "", "two\nlines")),
        *(("HANDOVER_URL", value) for value in ("", "no address", "http://127.0.0.1:1/handovers")),
        *(("HANDOVER_URL", f"http://{name}:1/handovers") for name in ("localhost", "[::1]")),
        *(("HANDOVER_URL", value) for value in ("http://desk.example/handovers", "http://[")),
    ],
)
async def test_a_desk_that_cannot_be_asked_is_away(
    street: Street,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: str,
) -> None:
    """One line names the kind of failure, and shows neither address nor token."""
    monkeypatch.setenv(name, value)
    assert not await desk.hand_over(ASKING, CONTEXT)
    assert street.desk.arrived == {}
    (line,) = (record.getMessage() for record in caplog.records if record.name == desk.__name__)
    assert line.startswith("Hand-over failed: ")
    assert not value or value not in line
    assert ("https" in line) == value.startswith(("no", "http://desk"))


def test_each_handover_of_a_session_has_its_name() -> None:
    """Another conversation, session, customer, or one more after the desk took one: another."""
    names = [
        desk.idempotency_key(which, TOKEN, context)
        for which, context in (
            (tracker(STARTED), CONTEXT),
            (tracker(STARTED, TAKEN), CONTEXT),
            (tracker(STARTED, TAKEN, TAKEN), CONTEXT),
            (tracker({**STARTED, "timestamp": 2.5}), CONTEXT),
            (tracker(STARTED, sender="another"), CONTEXT),
            (tracker(), CONTEXT),
            *((tracker(STARTED), {**CONTEXT, name: "x"}) for name in ("ps7_status", "cpf_masked")),
        )
    ]
    assert len({*names}) == len(names)
    again = tracker(TAKEN, STARTED, {**TAKEN, "value": False}, {"event": "user"})
    assert desk.idempotency_key(again, TOKEN, {**CONTEXT, "reason": "x"}) == names[0]
    assert not any(SENDER in name for name in names)
