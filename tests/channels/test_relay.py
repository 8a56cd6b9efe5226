"""The relay of examples/backend, before a Rasa that the test plays: see also `test_handover`."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestClient, TestServer
from relay import main

from tests.channels.cec import TOKEN, Cec, relay
from tests.channels.services import ARRIVAL_KEY


@asynccontextmanager
async def before(answer: str, status: int = 200) -> AsyncIterator[tuple[Cec, list[Any]]]:
    """Run a relay before a Rasa that always gives this answer; give what that Rasa was posted."""
    posted: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        posted.append(await request.json())
        return web.Response(text=answer, status=status, content_type="application/json")

    rasa = web.Application()
    rasa.router.add_post("/webhooks/rest/webhook", take)
    async with (
        TestServer(rasa, host="127.0.0.1") as server,
        relay(str(server.make_url("")).rstrip("/")) as http,
    ):
        yield Cec(http), posted


async def test_a_contextid_leaves_signed_for_its_session() -> None:
    """And with the channel that CEC names: `cec` if it names none."""
    async with before("[]") as (cec, posted):
        assert await cec.says("oi", "ana") == ([], "agent"), "a silent bot has handed over"
        await cec.post({"session": cec.session, "text": "oi"})
    claims = jwt.decode(posted[0]["metadata"].pop("contextId"), ARRIVAL_KEY, algorithms=["HS256"])
    assert (claims["contextId"], claims["sub"]) == ("ana", cec.session)
    said = {"sender": cec.session, "message": "oi", "metadata": {}}
    assert posted == [{**said, "input_channel": "app"}, {**said, "input_channel": "cec"}]


@pytest.mark.parametrize("text", ["/restart", " //restart", "/ /restart "])
async def test_a_text_that_begins_with_a_slash_is_no_command(text: str) -> None:
    async with before("[]") as (cec, posted):
        await cec.says(text)
    assert [each["message"] for each in posted] == ["restart"]


@pytest.mark.parametrize(
    ("conversation", "goes_on"),
    [("handed_over", "agent"), ("ended", "nobody"), ("returned", "bot")],
)
async def test_cec_gets_what_is_for_the_customer_and_who_goes_on(
    conversation: str, goes_on: str
) -> None:
    """Texts, pictures and buttons."""
    question = {"text": "Sim?", "buttons": [{"title": "Sim", "payload": "sim"}]}
    shown: list[dict[str, Any]] = [question, {"image": "a.png"}]
    parts = [*shown, {"custom": {"data": {"conversation": conversation}}}]
    async with before(json.dumps([{"recipient_id": "one", **each} for each in parts])) as (cec, _):
        answered = await cec.post({"session": cec.session, "text": "oi"})
    assert answered == {"answers": shown, "next": goes_on}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", {"text": "oi"}, {"session": None, "text": "oi"}),
        *({"session": each, "text": "oi"} for each in ("a" * 15, "a" * 129, f"{'a' * 32}/../b")),
        {"session": "a" * 32, "text": None},
    ],
)
async def test_what_is_no_message_is_refused(body: object) -> None:
    """Above all one without a session: all of those would be one conversation."""
    async with before("[]") as (cec, posted):
        assert (await cec.post(body), posted) == (400, [])


@pytest.mark.parametrize(
    ("answer", "deadline", "error"),
    [
        (("{}", 500), 15, "ClientResponseError"),
        (("[", 200), 15, "JSONDecodeError"),
        (("[]", 200), 1e-9, "TimeoutError"),
    ],
    ids=["an error", "half an answer", "too slow"],
)
async def test_what_is_no_answer_of_the_bot_is_a_502(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: tuple[str, int],
    deadline: float,
    error: str,
) -> None:
    """CEC may try again; the log names neither session nor text."""
    monkeypatch.setattr("relay.DEADLINE", ClientTimeout(deadline))
    async with before(*answer) as (cec, _):
        assert await cec.post({"session": cec.session, "text": "meu CPF é 529"}) == 502
    lines = [each.getMessage() for each in caplog.records if each.name == "relay"]
    assert lines == [f"Rasa did not answer: {error}"]


async def test_the_relay_starts_with_its_key_and_its_token_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever is not CEC is refused, by the token. It listens on this machine alone."""
    made: dict[str, Any] = {}
    monkeypatch.setattr(sys, "argv", ["relay.py", "--rasa", "http://127.0.0.1:1", "--port", "8061"])
    monkeypatch.setattr(web, "run_app", lambda app, **told: made.update(told, app=app))
    for key, token in (("", TOKEN), (ARRIVAL_KEY, "")):
        monkeypatch.setenv("ARRIVAL_KEY", key)
        monkeypatch.setenv("RELAY_TOKEN", token)
        with pytest.raises(SystemExit, match="must be set"):
            main()
    monkeypatch.setenv("RELAY_TOKEN", TOKEN)
    main()
    assert (made["host"], made["port"]) == ("127.0.0.1", 8061)
    async with TestClient(TestServer(made["app"], host="127.0.0.1")) as http:
        message = {"session": "a" * 16, "text": "oi"}
        answers = [await Cec(http).post(message, each) for each in (TOKEN, ARRIVAL_KEY, "", "é")]
    assert answers == [502, 401, 401, 401]
