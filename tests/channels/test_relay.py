"""Ana behind CEC: the relay of examples/backend in front of a real Rasa."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestClient, TestServer
from relay import Relay, main

from actions.ps7.testing import Simulator
from examples.desk import Rasa
from tests.channels.services import ARRIVAL_KEY
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = [
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("channels"),
]

TOKEN = "made up, for CEC"
A_PERSON, BALANCE = "quero falar com uma pessoa", "qual meu saldo"
BACK = spoken.answer("agent_returned")
Client = TestClient[web.Request, web.Application]


class Cec:
    """CEC with one customer in it."""

    def __init__(self, http: Client) -> None:
        self._http, self.session, self.next = http, uuid4().hex, ""

    async def says(self, text: str, context_id: str | None = None) -> list[str]:
        """Post what the customer writes; return the texts of the answers."""
        message = {"session": self.session, "text": text, "contextId": context_id}
        answer = await self.post({**message, "channel": "app"})
        self.next = answer["next"]
        assert [each for each in answer["answers"] if "custom" in each] == []
        return [each["text"] for each in answer["answers"]]

    async def post(self, body: object, token: str = TOKEN) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._http.post("/messages", data=content, headers=headers) as answer:
            return await answer.json() if answer.ok else answer.status


def relay(rasa: str) -> Client:
    made = Relay(rasa, ARRIVAL_KEY, TOKEN)
    return TestClient(TestServer(made.application(), host="127.0.0.1"))


@pytest_asyncio.fixture(loop_scope="session")
async def cec(channel_bot: RunningBot) -> AsyncIterator[Cec]:
    async with relay(channel_bot.url) as http:
        yield Cec(http)


async def test_ana_behind_cec_is_known_and_handed_over(
    channel_bot: RunningBot, cec: Cec, ps7: Simulator, rasa_stage: Stage
) -> None:
    """She is known by a signed arrival, handed over, and comes back with a new contextId."""
    before = len(rasa_stage.handed_over())
    assert await cec.says("oi", "ana") == [spoken.GREETINGS["Personnalité"][0], spoken.OFFER]
    assert await cec.says(BALANCE, "ana") == spoken.BALANCES["ana"]
    assert cec.next == "bot"
    assert await cec.says(A_PERSON, "ana") == [spoken.HANDOVER]
    assert cec.next == "agent"
    (ticket,) = rasa_stage.handed_over()[before:]
    assert (ticket["conversation"], ticket["channel"]) == (cec.session, "app")
    assert (ticket["ps7_status"], ticket["segment"]) == ("ok", "Personnalité")

    assert await cec.says(A_PERSON, "ana") == []
    assert cec.next == "agent", "as long as the bot is silent"
    await Rasa(channel_bot.url).resume(ticket["conversation"], "agent_returned")
    assert await cec.says(BALANCE, "ana") == spoken.NO_BALANCE["missing"]
    assert await cec.says(BALANCE, "diego") == spoken.BALANCES["diego"]
    assert cec.next == "bot"
    assert len(rasa_stage.handed_over()) == before + 1
    assert [json.loads(each.body)["contextId"] for each in ps7.requests] == ["ana", "diego"]


async def test_leaving_is_passed_on(cec: Cec) -> None:
    """CEC hears that nobody goes on; whoever is in that session afterwards is not Ana."""
    assert await cec.says(BALANCE, "ana") == spoken.BALANCES["ana"]
    assert await cec.says("tchau", "ana") == spoken.GOODBYE
    assert cec.next == "nobody"
    assert await cec.says(BALANCE, "ana") == spoken.NO_BALANCE["missing"]


async def test_a_contextid_is_signed_for_its_session(cec: Cec, channel_bot: RunningBot) -> None:
    """Rasa is told no contextId in clear, and the bot would take none."""
    await cec.says("oi", "ana")
    url = f"{channel_bot.url}/conversations/{cec.session}/tracker"
    async with channel_bot.http.get(url, params={"include_events": "ALL"}) as answer:
        events = (await answer.json())["events"]
    (said,) = (each for each in events if each["event"] == "user")
    assert said["metadata"]["contextId"].startswith("eyJ")
    assert said["input_channel"] == "app"


@pytest.mark.parametrize("text", ["/restart", " //ask_balance", "/ /restart"])
async def test_a_text_that_begins_with_a_slash_is_text(cec: Cec, text: str) -> None:
    """It is no command."""
    assert await cec.says(BALANCE, "ana") == spoken.BALANCES["ana"]
    assert await cec.says(text, "ana") in (spoken.OUT_OF_SCOPE, spoken.NOT_UNDERSTOOD, BALANCE)
    assert await cec.says(BALANCE, "ana") == spoken.BALANCES["ana"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *((body, 400) for body in (b"", b"null", b"[]", b"{}", b'{"text": "oi"}')),
        ({"session": None, "text": "oi"}, 400),
        ({"session": "a" * 15, "text": "oi"}, 400),
        ({"session": "a" * 129, "text": "oi"}, 400),
        ({"session": f"{'a' * 32}/../b", "text": "oi"}, 400),
        ({"session": "a" * 32, "text": None}, 400),
        ({"session": 1, "text": "oi"}, 400),
    ],
)
async def test_what_is_no_message_is_refused(cec: Cec, body: object, status: int) -> None:
    """Above all one without a session: all of those would be one conversation."""
    assert await cec.post(body) == status


async def test_whoever_is_not_cec_is_refused(cec: Cec) -> None:
    """By its token."""
    message = {"session": cec.session, "text": "oi"}
    assert [await cec.post(message, token) for token in ("", "another", "é")] == [401] * 3


@asynccontextmanager
async def before(answer: web.Response) -> AsyncIterator[tuple[Cec, list[dict[str, Any]]]]:
    """Run a relay before a Rasa that gives one answer; give what that Rasa was posted."""
    posted: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        posted.append(await request.json())
        return answer

    rasa = web.Application()
    rasa.router.add_post("/webhooks/rest/webhook", take)
    async with (
        TestServer(rasa, host="127.0.0.1") as server,
        relay(str(server.make_url("")).rstrip("/")) as http,
    ):
        yield Cec(http), posted


async def test_what_the_bot_shows_is_passed_on() -> None:
    """Pictures and buttons as well as texts, and nothing else.

    Of a customer nobody told of, Rasa hears no contextId, and that CEC brings them.
    """
    shown: list[dict[str, Any]] = [
        {"text": "Sim?", "buttons": [{"title": "Sim", "payload": "sim"}]},
        {"image": "a.png"},
    ]
    answer = web.json_response([{"recipient_id": "one", **each} for each in shown])
    async with before(answer) as (cec, posted):
        answered = await cec.post({"session": cec.session, "text": "oi"})
    assert answered == {"answers": shown, "next": "bot"}
    said = {"sender": cec.session, "message": "oi", "metadata": {}, "input_channel": "cec"}
    assert posted == [said]


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response({"reason": "it fell"}, status=500),
        web.Response(text="[", content_type="application/json"),
    ],
    ids=["an error", "half an answer"],
)
async def test_what_is_no_answer_of_the_bot_is_a_502(answer: web.Response) -> None:
    """As is silence: CEC may try again."""
    async with before(answer) as (cec, _):
        assert await cec.post({"session": cec.session, "text": "oi"}) == 502


@pytest.mark.parametrize(
    ("listens", "error"),
    [(False, "ClientConnectorError"), (True, "TimeoutError")],
    ids=["away", "too slow"],
)
async def test_the_relay_answers_502_when_rasa_does_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, listens: bool, error: str
) -> None:
    """CEC hears so; the log names neither session nor text."""
    with socket.socket() as rasa:
        rasa.bind(("127.0.0.1", 0))
        if listens:
            rasa.listen()
            monkeypatch.setattr("relay.DEADLINE", ClientTimeout(0.1))
        async with relay(f"http://127.0.0.1:{rasa.getsockname()[1]}") as http:
            cec = Cec(http)
            message = {"session": cec.session, "text": "meu CPF é 529"}
            assert await cec.post(message) == 502
    lines = [each.getMessage() for each in caplog.records if each.name == "relay"]
    assert lines == [f"Rasa did not answer: {error}"]


async def test_the_relay_starts_with_its_key_and_its_token_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the token whoever comes would be CEC. It listens on this machine alone."""
    made: dict[str, Any] = {}
    monkeypatch.setattr(sys, "argv", ["relay.py", "--rasa", "http://127.0.0.1:1", "--port", "8061"])
    monkeypatch.setattr(web, "run_app", lambda app, **told: made.update(told, app=app))
    both = {"ARRIVAL_KEY": ARRIVAL_KEY, "RELAY_TOKEN": TOKEN}
    for name, value in both.items():
        monkeypatch.setenv(name, value)
    for name, value in both.items():
        monkeypatch.setenv(name, "")
        with pytest.raises(SystemExit, match="must be set"):
            main()
        monkeypatch.setenv(name, value)
    assert made == {}
    main()
    assert (made["host"], made["port"]) == ("127.0.0.1", 8061)
    async with TestClient(TestServer(made["app"], host="127.0.0.1")) as http:
        cec = Cec(http)
        answers = [
            await cec.post({"session": cec.session, "text": "oi"}, token)
            for token in (TOKEN, ARRIVAL_KEY, "")
        ]
    assert answers == [502, 401, 401]
