"""The desk itself: an agent writes to a customer, and the conversation goes back to the bot."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientResponseError, web
from aiohttp.test_utils import TestClient, TestServer

from examples import desk as module
from examples.desk import Desk, Rasa, main

TOKEN = "made up, for the desk"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
BODY = {"reason": "ask_human", "conversation": "1", "channel": "whatsapp"}
KEY = {"Idempotency-Key": "k"}

Opened = AbstractAsyncContextManager[TestClient[web.Request, web.Application]]


class FakeRasa:
    """What the desk asks of Rasa."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.refuses: Exception | None = None

    async def written(self, conversation: str) -> list[dict[str, str]]:
        return [{"who": "customer", "text": conversation}]

    async def write(self, *asked: str) -> None:
        self.asked.append(asked)

    async def resume(self, *asked: str) -> None:
        if self.refuses:
            raise self.refuses
        self.asked.append(asked)


def opened(rasa: Any, patience: float = 60) -> Opened:  # noqa: ANN401
    desk = Desk(TOKEN, rasa, patience=patience, shown=False)
    return TestClient(TestServer(desk.application(), host="127.0.0.1"), headers=AUTHORIZED)


async def test_an_agent_writes_and_returns_the_conversation() -> None:
    """By the key of the hand-over; nothing happens to a conversation that is not the desk's."""
    rasa = FakeRasa()
    async with opened(rasa) as http:
        assert (await http.post("/handovers", json=BODY, headers=KEY)).status == 201
        read = await (await http.get("/handovers/k/messages")).json()
        assert read == [{"who": "customer", "text": "1"}]
        assert (await http.post("/handovers/k/messages", json={"text": "Olá"})).status == 200
        assert (await http.delete("/handovers/k")).status == 200
        assert (await http.delete("/handovers/x")).status == 404
        nobody = {"Authorization": "Bearer nobody"}
        assert (await http.delete("/handovers/k", headers=nobody)).status == 401
    assert rasa.asked == [("1", "Olá"), ("1", "agent_returned")]


async def test_a_key_with_another_body_is_refused() -> None:
    """And with the same one it is the hand-over that is there already. Without a key, it is none.

    Without a way back it is taken all the same.
    """
    async with opened(None) as http:
        for body, headers in ((BODY, {}), ([], KEY)):
            assert (await http.post("/handovers", json=body, headers=headers)).status == 400
        answers = [
            (await http.post("/handovers", json=body, headers=KEY)).status
            for body in (BODY, BODY, {**BODY, "reason": "another"})
        ]
        assert answers == [201, 200, 409]
        assert await (await http.get("/handovers")).json() == {"k": BODY}
        assert (await http.delete("/handovers/k")).status == 404


@pytest.mark.parametrize(
    ("does", "said"),
    [("writes", "Olá"), ("returns it", "agent_returned"), ("nothing", "agent_never_came")],
)
async def test_where_no_agent_comes_the_bot_does(does: str, said: str) -> None:
    """After the desk's patience, unless an agent has written or has returned the conversation."""
    rasa = FakeRasa()
    async with opened(rasa, patience=0.5) as http:
        await http.post("/handovers", json=BODY, headers=KEY)
        if does == "writes":
            await http.post("/handovers/k/messages", json={"text": "Olá"})
        if does == "returns it":
            await http.delete("/handovers/k")
        await asyncio.sleep(0.8)
    assert rasa.asked == [("1", said)]


async def test_a_conversation_that_rasa_does_not_take_back_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without whose it is. A session's end lets the bot go on then."""
    rasa = FakeRasa()
    rasa.refuses = ClientConnectionError("1")
    async with opened(rasa, patience=0) as http:
        await http.post("/handovers", json=BODY, headers=KEY)
        await http.get("/")
    assert capsys.readouterr().err == "A conversation was not returned: ClientConnectionError\n"


async def test_an_agent_reads_what_was_written_since_the_last_hand_over() -> None:
    """And not what another agent was told before it: the bot had the conversation in between."""
    asked: list[web.Request] = []
    said = [{"event": "user", "text": "meu cartão"}, {"event": "bot", "text": "Sou a Bia"}]
    again = [{"event": "user", "text": "de novo eu"}, {"event": "bot", "text": "Sou o Caio"}]
    paused, resumed = {"event": "pause"}, {"event": "resume"}

    async def tracker(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response({"events": [paused, *said, resumed, paused, *again]})

    app = web.Application()
    app.router.add_get("/conversations/{id}/tracker", tracker)
    async with TestServer(app, host="127.0.0.1") as server:
        read = await Rasa(str(server.make_url("")).rstrip("/"), "made up").written("../1?a#b")
    assert read == [
        {"who": "customer", "text": "de novo eu"},
        {"who": "agent", "text": "Sou o Caio"},
    ]
    (request,) = asked
    assert (request.match_info["id"], request.query["token"]) == ("../1?a#b", "made up")


@pytest.mark.parametrize(
    ("what", "status", "heard"),
    [
        ("tracker/events", 401, True),
        ("tracker/events", 404, True),
        ("trigger_intent", 404, False),
        ("trigger_intent", 500, True),
    ],
)
async def test_an_agent_hears_what_rasa_refuses(what: str, status: int, *, heard: bool) -> None:
    """But for an intent that a bot does not have: then it says nothing, and goes on."""

    async def answer(request: web.Request) -> web.Response:
        refused = request.path.endswith(what)
        return web.json_response({}, status=status if refused else 200)

    app = web.Application()
    app.router.add_post("/conversations/1/{what:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        rasa = Rasa(str(server.make_url("")).rstrip("/"))
        with pytest.raises(ClientResponseError) if heard else nullcontext():
            await rasa.resume("1", "agent_returned")


async def test_the_desk_starts_with_its_token_and_the_way_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a token whoever comes would be the bot. It listens on this machine alone.

    Each hand-over is printed as it comes: the chats read it while the desk runs.
    """
    made: dict[str, Any] = {}
    rasa, printed = FakeRasa(), io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="utf-8"))
    monkeypatch.setattr(sys, "argv", ["desk.py", "--port", "8091", "--patience", "0"])
    monkeypatch.setattr(web, "run_app", lambda app, **told: made.update(told, app=app))
    monkeypatch.setattr(module, "Rasa", lambda *told: made.update(rasa=told) or rasa)
    monkeypatch.setenv("HANDOVER_TOKEN", "")
    monkeypatch.setenv("RASA_URL", "http://rasa.example")
    monkeypatch.setenv("RASA_TOKEN", "made up, for Rasa")
    with pytest.raises(SystemExit, match="HANDOVER_TOKEN"):
        main()
    monkeypatch.setenv("HANDOVER_TOKEN", TOKEN)
    main()
    assert (made["host"], made["port"]) == ("127.0.0.1", 8091)
    assert made["rasa"] == ("http://rasa.example", "made up, for Rasa")
    async with TestClient(TestServer(made["app"], host="127.0.0.1")) as http:
        assert (await http.get("/")).status == 200, "whoever starts it asks whether it answers"
        assert (await http.post("/handovers", json=BODY, headers=KEY)).status == 401
        assert (await http.post("/handovers", json=BODY, headers=KEY | AUTHORIZED)).status == 201
        assert json.loads(printed.getvalue()) == BODY
        await http.get("/")
    assert rasa.asked == [("1", "agent_never_came")]
