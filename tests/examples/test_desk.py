"""The example bots' way to the agents' desk: a conversation arrives once, or the bot keeps it."""

from __future__ import annotations

import asyncio
import logging
import pydoc
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from examples.desk import Desk, Rasa
from tests.support.processes import ROOT
from tests.support.waiting import within

desk = pydoc.importfile(str(ROOT / "examples" / "oss-bot" / "actions" / "hand_over" / "desk.py"))

TOKEN = "made up, for the desk"
CONTEXT = {"reason": "ask_human", "ps7_status": "ok", "cpf_masked": "***.982.247-**"}
SENDER = "5511987654321"
STARTED = {"event": "session_started", "timestamp": 1.5}
ASKED = {"event": "user", "text": "quero falar com uma pessoa", "input_channel": "whatsapp"}
TAKEN = {"event": "slot", "name": "handed_over", "value": True}
SAID = [{"who": "customer", "text": ASKED["text"]}]
BODY = {**CONTEXT, "conversation": SENDER, "channel": "whatsapp", "transcript": SAID}


def tracker(*events: dict[str, Any], sender: str = SENDER) -> Any:  # noqa: ANN401 - a tracker's part
    return SimpleNamespace(sender_id=sender, events=[*events])


BEFORE = {**ASKED, "text": None, "input_channel": "before it"}
ASKING = tracker(STARTED, BEFORE, ASKED, {"event": "action"})


@dataclass
class Street:
    """What lies between the bot and its desk: each request meets the next of its troubles."""

    desk: Desk
    troubles: list[str | int] = field(default_factory=list)
    requests: int = 0

    def arrived(self) -> dict[str, dict[str, Any]]:
        return {key: ticket.context for key, ticket in self.desk.tickets.items()}


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines in the log, each with its level."""
    records = [record for record in caplog.records if record.name == desk.__name__]
    return [f"{record.levelname}: {record.getMessage()}" for record in records]


@pytest.fixture
async def street(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Street]:
    street = Street(Desk(TOKEN, Rasa("http://127.0.0.1:1"), shown=False))

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
        *(([status], True, 2, [BODY]) for status in (500, 503, 504, 599)),
        (["lost"], True, 2, [BODY]),
        (["lost", "lost"], False, 2, [BODY]),
        ([503, 500], False, 2, []),
        ([409], True, 1, []),
        *(([status], False, 1, []) for status in (300, 302, 400, 408, 429, 499)),
        pytest.param(["slow"], False, 1, [BODY], marks=pytest.mark.slow),
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
    street.troubles = [*troubles]
    heard = await within(4, "the bot hears of it", desk.hand_over(ASKING, CONTEXT))
    assert heard is bot_hears_so
    assert (street.requests, [*street.arrived().values()]) == (requests, arrived)
    statuses = re.findall(r"WARNING: Hand-over failed: status (\d+)", "".join(said(caplog)))
    assert [*map(int, statuses)] == [each for each in troubles if each not in ("lost", "slow", 409)]
    assert await desk.hand_over(ASKING, CONTEXT)
    assert [*street.arrived().values()] == [BODY]
    for value in (TOKEN, SENDER, *CONTEXT.values(), ASKED["text"], *street.arrived()):
        assert value not in "".join(said(caplog))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"TOKEN": "another"}, "status 401"),
        ({"TOKEN": "two\nlines"}, "ValueError"),
        ({"TOKEN": ""}, "HANDOVER_URL and HANDOVER_TOKEN are not set"),
        ({"URL": ""}, "HANDOVER_URL and HANDOVER_TOKEN are not set"),
        ({"URL": "no address"}, "HANDOVER_URL must be https"),
        ({"URL": "http://desk.example/handovers"}, "HANDOVER_URL must be https"),
        ({"URL": "//localhost/handovers"}, "HANDOVER_URL must be https"),
        ({"URL": "ftp://localhost/handovers"}, "HANDOVER_URL must be https"),
        ({"URL": "localhost:1/handovers"}, "HANDOVER_URL must be https"),
        ({"URL": "https:///handovers"}, "InvalidUrlClientError"),
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
    level = "ERROR" if "HANDOVER_URL" in why else "WARNING"
    assert (said(caplog), street.arrived()) == ([f"{level}: Hand-over failed: {why}"], {})


def test_each_handover_of_a_session_has_its_name() -> None:
    """Another conversation, session, customer, or one more after the desk took one: another."""
    others = [
        *(tracker(STARTED, TAKEN), tracker(STARTED, TAKEN, TAKEN), tracker()),
        *(tracker({**STARTED, "timestamp": 2.5}), tracker({**STARTED, "timestamp": 1.25})),
        *(tracker(STARTED, sender=each) for each in ("another", "Another")),
    ]
    names = [desk.idempotency_key(each, TOKEN, CONTEXT) for each in (tracker(STARTED), *others)]
    for name in ("ps7_status", "cpf_masked"):
        context = {**CONTEXT, name: "x"}
        names.append(desk.idempotency_key(tracker(STARTED), TOKEN, context))
    names.append(desk.idempotency_key(tracker(STARTED), "another", CONTEXT))
    assert len({*names}) == len(names)
    again = tracker(TAKEN, STARTED, {**TAKEN, "value": False}, {"event": "user"})
    context = dict(reversed(CONTEXT.items())) | {"reason": "x"}
    assert desk.idempotency_key(again, TOKEN, context) == names[0]
    assert not any(SENDER in name for name in names)


def spoken(text: str | None, event: str = "user") -> dict[str, Any]:
    return {"event": event, "text": text}


def customer(cpf: str | None) -> dict[str, Any]:
    return {"event": "slot", "name": "cpf_masked", "value": cpf}


HELLO, BALANCE, AGAIN = spoken("oi"), spoken("qual meu saldo"), spoken("de novo")
ANA, DIEGO = customer("***.982.247-**"), customer("***.444.777-**")


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([HELLO, spoken("Olá!", "bot"), spoken(None, "bot"), {"event": "action", "name": "x"}], 2),
        ([HELLO, ANA, BALANCE, ANA, AGAIN], 3),
        ([HELLO, BALANCE, ANA, AGAIN], 3),
        ([HELLO, ANA, BALANCE, customer(None), AGAIN], 3),
        ([HELLO, ANA, BALANCE, DIEGO, AGAIN], 2),
        ([HELLO, BALANCE, {**DIEGO, "name": "segment"}, AGAIN], 3),
        ([HELLO, ANA, BALANCE, customer(None), AGAIN, DIEGO], 1),
        ([HELLO, STARTED, AGAIN], 1),
        ([HELLO, {"event": "restart"}, AGAIN], 1),
        ([HELLO, {"event": "session_ended"}, AGAIN], 1),
        ([HELLO, {"event": "pause"}, BALANCE, {"event": "resume"}, AGAIN], 1),
        ([HELLO, {"event": "action", "name": "action_ps7_forget"}, AGAIN], 1),
        ([HELLO, ANA, STARTED, BALANCE, AGAIN, DIEGO], 2),
        ([spoken("oi" * times) for times in range(1, 41)], 30),
        ([], 0),
    ],
)
def test_an_agent_gets_what_this_customer_said_and_nobody_else(
    events: list[dict[str, Any]], lines: int
) -> None:
    """Since the session began, or a log-out, an earlier hand-over, another person's last word."""
    said = [each["text"] for each in events if each.get("text")]
    shown = desk.transcript(events)
    assert [each["text"] for each in shown] == said[len(said) - lines :]


@pytest.mark.parametrize(
    ("text", "metadata", "shown"),
    [
        ("/affirm", {"title": "Sim"}, "Sim"),
        ("/affirm", {"title": "conta 00123456"}, "conta ••••"),
        ("/affirm", {"contextId": "x"}, "/affirm"),
        ("/affirm", None, "/affirm"),
        ("oi", {"title": "Sim"}, "oi"),
        ("/send_media", {"title": "Sim"}, "(arquivo que este canal não traz)"),
        ("meu CPF é 529.982.247-25", None, "meu CPF é ••••"),
        ("minha senha é 4321", None, "minha senha é ••••"),
        ("agência 0341, conta 00123456-7", None, "agência ••••, conta ••••"),
        ("R$ 1.048.576,00", None, "R$ ••••"),
        ("+55 11 98765 - 4321", None, "+••••"),
        ("\uff15\uff12\uff19\uff19", None, "••••"),
        ("às 10h, ou 123", None, "às 10h, ou 123"),
        (f"{'a' * 498} 1234", None, f"{'a' * 498} •"),
    ],
)
def test_an_agent_reads_what_was_typed_pressed_or_sent(
    text: str, metadata: dict[str, str] | None, shown: str
) -> None:
    """As the desk's own list has it, which goes on from there; and no number, of the bot neither.

    That is as short as a password.
    """
    event = {**spoken(text), "metadata": metadata}
    assert desk.transcript([event]) == [{"who": "customer", "text": shown}]
    if not text.startswith("/"):
        assert desk.transcript([{**event, "event": "bot"}]) == [{"who": "bot", "text": shown}]
