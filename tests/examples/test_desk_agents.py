"""The desk itself: an agent writes to a customer, and the conversation goes back to the bot."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponseError, web
from aiohttp.test_utils import TestClient, TestServer

from examples.desk import Desk, Rasa, main

TOKEN = "made up, for the desk"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
BODY = {"reason": "ask_human", "conversation": "1", "channel": "whatsapp"}
KEY = {"Idempotency-Key": "k"}


class FakeRasa:
    """What the desk asks of Rasa's HTTP API."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, str, Any]] = []
        self.events: list[dict[str, str]] = []
        self.refused: dict[str, int] = {}
        """A status, by what is asked."""

    async def answer(self, request: web.Request) -> web.Response:
        assert request.query["token"] == "made up, for Rasa"
        what, body = request.match_info["what"], await request.text()
        self.asked.append((request.match_info["id"], what, json.loads(body or "null")))
        return web.json_response({"events": self.events}, status=self.refused.get(what, 200))


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    fake, app = FakeRasa(), web.Application()
    app.router.add_route("*", "/conversations/{id}/{what:.*}", fake.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


def opened(rasa: FakeRasa | None, patience: float = 60) -> TestClient[web.Request, web.Application]:
    behind = Rasa(rasa.url, "made up, for Rasa") if rasa else None
    desk = Desk(TOKEN, behind, patience=patience, shown=False)
    return TestClient(TestServer(desk.application(), host="127.0.0.1"), headers=AUTHORIZED)


def returned(conversation: str, intent: str) -> list[tuple[str, str, Any]]:
    """Return what Rasa is asked for when a conversation goes back to the bot."""
    slot = {"event": "slot", "name": "handed_over", "value": False}
    return [
        (conversation, "tracker/events", [slot, {"event": "resume"}]),
        (conversation, "trigger_intent", {"name": intent}),
    ]


async def test_an_agent_writes_or_returns_a_conversation_or_never_comes(rasa: FakeRasa) -> None:
    """By the key of the hand-over; nothing happens to a conversation that is not the desk's.

    One in which no agent wrote goes back to the bot after the desk's patience.
    """
    async with opened(rasa, patience=1.0) as http:
        for key in ("written", "returned", "alone"):
            body, headers = {**BODY, "conversation": key}, {"Idempotency-Key": key}
            assert (await http.post("/handovers", json=body, headers=headers)).status == 201
        answers = [
            await http.post("/handovers/written/messages", json={"text": "Olá"}),
            await http.delete("/handovers/returned"),
            await http.delete("/handovers/another"),
            await http.delete("/handovers/alone", headers={"Authorization": "Bearer x"}),
        ]
        assert [each.status for each in answers] == [200, 200, 404, 401]
        await asyncio.sleep(1.5)
    said = {"event": "bot", "text": "Olá", "data": {}, "metadata": {}}
    assert rasa.asked == [
        ("written", "tracker/events", [said]),
        *returned("returned", "agent_returned"),
        *returned("alone", "agent_never_came"),
    ]


async def test_a_key_with_another_body_is_refused() -> None:
    """And with the same one it is the hand-over that is there already. Without a key, it is none.

    Without a way back it is taken all the same.
    """
    async with opened(None) as http:
        posts = [(BODY, {}), ([], KEY), (BODY, KEY), (BODY, KEY), ({**BODY, "reason": "x"}, KEY)]
        answers = [await http.post("/handovers", json=body, headers=key) for body, key in posts]
        assert [each.status for each in answers] == [400, 400, 201, 200, 409]
        assert await (await http.get("/handovers")).json() == {"k": BODY}
        assert (await http.delete("/handovers/k")).status == 404


async def test_a_conversation_that_rasa_does_not_take_back_is_said(
    rasa: FakeRasa, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without whose it is. A session's end lets the bot go on then."""
    rasa.refused = {"tracker/events": 500}
    async with opened(rasa, patience=0) as http:
        await http.post("/handovers", json=BODY, headers=KEY)
        await asyncio.sleep(0.5)
    assert capsys.readouterr().err == "A conversation was not returned: ClientResponseError\n"


async def test_an_agent_reads_what_was_written_since_the_last_hand_over(rasa: FakeRasa) -> None:
    """And not what another agent was told before it: the bot had the conversation in between."""
    before = [{"event": "pause"}, {"event": "user", "text": "meu cartão"}, {"event": "resume"}]
    since = [{"event": "user", "text": "de novo eu"}, {"event": "bot", "text": "Sou o Caio"}]
    rasa.events = [*before, {"event": "pause"}, *since]
    async with opened(rasa) as http:
        await http.post("/handovers", json={**BODY, "conversation": "../1?a#b"}, headers=KEY)
        read = await (await http.get("/handovers/k/messages")).json()
    assert read == [
        {"who": "customer", "text": "de novo eu"},
        {"who": "agent", "text": "Sou o Caio"},
    ]
    assert rasa.asked == [("../1?a#b", "tracker", None)]


async def test_an_agent_hears_what_rasa_refuses(rasa: FakeRasa) -> None:
    """But for an intent that a bot does not have: then it says nothing, and goes on."""
    way_back = Rasa(rasa.url, "made up, for Rasa")
    for what, status in (("tracker/events", 404), ("trigger_intent", 500)):
        rasa.refused = {what: status}
        with pytest.raises(ClientResponseError):
            await way_back.resume("1", "agent_returned")
    rasa.refused = {"trigger_intent": 404}
    await way_back.resume("1", "agent_returned")


async def test_the_desk_starts_with_its_token_and_the_way_back(
    rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token whoever comes would be the bot. It listens on this machine alone.

    Each hand-over is printed as it comes: the chats read it while the desk runs.
    """
    made: dict[str, Any] = {}
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="utf-8"))
    monkeypatch.setattr(sys, "argv", ["desk.py", "--port", "8091", "--patience", "0"])
    monkeypatch.setattr(web, "run_app", lambda app, **told: made.update(told, app=app))
    monkeypatch.setenv("HANDOVER_TOKEN", "")
    monkeypatch.setenv("RASA_URL", rasa.url)
    monkeypatch.setenv("RASA_TOKEN", "made up, for Rasa")
    with pytest.raises(SystemExit, match="HANDOVER_TOKEN"):
        main()
    monkeypatch.setenv("HANDOVER_TOKEN", TOKEN)
    main()
    assert (made["host"], made["port"]) == ("127.0.0.1", 8091)
    async with TestClient(TestServer(made["app"], host="127.0.0.1")) as http:
        assert (await http.get("/")).status == 200, "whoever starts it asks whether it answers"
        assert (await http.post("/handovers", json=BODY, headers=KEY | AUTHORIZED)).status == 201
        assert json.loads(printed.getvalue()) == BODY
        await asyncio.sleep(0.5)
    assert rasa.asked == returned("1", "agent_never_came")
