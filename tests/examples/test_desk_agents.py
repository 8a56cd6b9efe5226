"""The desk itself: an agent writes to a customer, and the conversation goes back to the bot."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from examples.desk import Desk, Rasa

TOKEN = "made up, for the desk"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
BODY = {"reason": "ask_human", "conversation": "1", "channel": "whatsapp"}
KEY = {"Idempotency-Key": "k"}

Opened = AbstractAsyncContextManager[TestClient[web.Request, web.Application]]


class FakeRasa:
    """What the desk asks of Rasa."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def written(self, conversation: str) -> list[dict[str, str]]:
        return [{"who": "customer", "text": conversation}]

    async def write(self, *asked: str) -> None:
        self.asked.append(asked)

    async def resume(self, *asked: str) -> None:
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
    """And with the same one it is the hand-over that is there already."""
    async with opened(FakeRasa()) as http:
        answers = [
            (await http.post("/handovers", json=body, headers=KEY)).status
            for body in (BODY, BODY, {**BODY, "reason": "another"})
        ]
        assert answers == [201, 200, 409]
        assert await (await http.get("/handovers")).json() == {"k": BODY}


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


async def test_an_agent_reads_what_was_written_since_the_last_hand_over() -> None:
    """And not what another agent was told before it: the bot had the conversation in between."""
    said = [{"event": "user", "text": "meu cartão"}, {"event": "bot", "text": "Sou a Bia"}]
    again = [{"event": "user", "text": "de novo eu"}, {"event": "bot", "text": "Sou o Caio"}]
    paused, resumed = {"event": "pause"}, {"event": "resume"}

    async def tracker(_: web.Request) -> web.Response:
        return web.json_response({"events": [paused, *said, resumed, paused, *again]})

    app = web.Application()
    app.router.add_get("/conversations/1/tracker", tracker)
    async with TestServer(app, host="127.0.0.1") as server:
        read = await Rasa(str(server.make_url("")).rstrip("/")).written("1")
    assert read == [
        {"who": "customer", "text": "de novo eu"},
        {"who": "agent", "text": "Sou o Caio"},
    ]
