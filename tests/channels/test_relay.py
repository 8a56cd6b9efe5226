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

from actions.ps7.settings import PS7Settings
from examples.channels.customer_text import TOO_LONG
from tests.channels.cec import TOKEN, Cec, relay
from tests.channels.services import ARRIVAL_KEY
from tests.support.answering import answering

WHOLE = {"session": "a" * 16, "text": "oi", "contextId": None}


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [each for each in caplog.records if each.name == "relay"]
    return [f"{each.levelname}: {each.getMessage()}" for each in records]


@asynccontextmanager
async def before(answer: str, status: int = 200) -> AsyncIterator[tuple[Cec, list[Any]]]:
    """Run a relay before a Rasa that always gives this answer; give what that Rasa was posted."""
    posted: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        assert (request.method, request.path) == ("POST", "/webhooks/rest/webhook")
        posted.append(await request.json())
        return web.Response(text=answer, status=status, content_type="application/json")

    async with answering(take) as rasa, relay(rasa) as http:
        yield Cec(http), posted


async def test_a_contextid_leaves_signed_for_its_session() -> None:
    """And with the channel that CEC names. It is none of Rasa's, over which a desk would write."""
    async with before("[]") as (cec, posted):
        assert await cec.says("oi", "ana") == ([], "agent"), "a silent bot has handed over"
        for nobody in (None, ""):
            await cec.post({"session": cec.session, "text": "oi", "contextId": nobody})
        await cec.says("oi", 123123213)
    claims = jwt.decode(posted[0]["metadata"].pop("contextId"), ARRIVAL_KEY, algorithms=["HS256"])
    assert (claims["contextId"], claims["sub"]) == ("ana", cec.session)
    bare = {"sender": cec.session, "message": "oi", "metadata": {}}
    number = jwt.decode(posted.pop()["metadata"]["contextId"], ARRIVAL_KEY, algorithms=["HS256"])
    assert number["contextId"] == "123123213"
    assert posted == [{**bare, "input_channel": each} for each in ("cec-app", "cec", "cec")]


@pytest.mark.parametrize("text", ["/\u00a0/restart", "x" * 2_001, "x" * 900_000, "x" * 2**20])
async def test_a_text_is_no_command_and_has_a_limit(text: str) -> None:
    """By `customer_text`. What is longer gets an answer to show, and Rasa is not asked."""
    async with before("[]") as (cec, posted):
        answer = await cec.post({"session": cec.session, "text": text, "contextId": None})
    if text.endswith("restart"):
        assert [each["message"] for each in posted] == ["restart"]
    else:
        assert answer == {"answers": [{"text": TOO_LONG}], "error": "too long", "status": 413}
        assert posted == []


async def test_only_a_button_of_the_bot_carries_a_command() -> None:
    """Of this conversation. What its title says is what the customer said, and the desk reads it.

    A payload of CEC's own is none: the title counts.
    """
    buttons = [{"title": "Sim", "payload": "/affirm"}, {}, {"title": "Não"}]
    async with before(json.dumps([{"text": "Quer?", "buttons": buttons}])) as (cec, posted):
        one, another = Cec(cec.http), cec
        pressed = {"session": one.session, "text": "Sim", "contextId": None}
        (answer,) = (await one.post(pressed))["answers"]
        yes, no = answer["buttons"]
        assert (yes["title"], no) == ("Sim", {"title": "Não"})
        for session, payload in (
            *((one.session, each) for each in (yes["payload"], "/affirm", yes["payload"] + "x")),
            *((one.session, each) for each in (None, 1, ["/affirm"])),
            (another.session, yes["payload"]),
        ):
            await one.post({**pressed, "session": session, "payload": payload})
    assert [each["message"] for each in posted] == ["Sim", "/affirm", *["Sim"] * 6]
    assert [each["metadata"] for each in posted] == [{}, {"title": "Sim"}, *[{}] * 6]


@pytest.mark.parametrize(
    ("conversation", "goes_on"),
    [("handed_over", "agent"), ("ended", "nobody"), ("returned", "bot")],
)
async def test_cec_gets_what_is_for_the_customer_and_who_goes_on(
    conversation: str, goes_on: str
) -> None:
    """Texts, pictures and buttons."""
    question = {"text": "Sim?", "buttons": [{"title": "Sim", "url": "https://bank.example"}]}
    shown: list[dict[str, Any]] = [question, {"image": "a.png"}, {"attachment": {"type": "file"}}]
    parts = [*shown, {"custom": {"data": {"conversation": conversation}}}]
    async with before(json.dumps([{"recipient_id": "one", **each} for each in parts])) as (cec, _):
        answered = await cec.post({"session": cec.session, "text": "oi", "contextId": None})
    assert answered == {"answers": shown, "next": goes_on}


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        ({"recipient_id": "one", "text": None, "buttons": [], "custom": {}}, None),
        *(({"custom": each}, "custom") for each in ("x", 1, ["x"], {"data": "x"}, {"y": 1})),
        ({"custom": {"data": {"conversation": ["handed_over"]}}}, "custom"),
        *(
            ({"buttons": each}, "buttons")
            for each in ([None], ["Sim"], [{"payload": "/affirm"}], 1)
        ),
        ({"image": ["a.png"], "text": 1}, "image, text"),
        *((None, None), ("Oi", "an item"), (["Oi"], "an item"), ({"video": "a.mp4"}, "video")),
    ],
)
async def test_the_words_go_on_whatever_is_beside_them(
    caplog: pytest.LogCaptureFixture, odd: object, named: str | None
) -> None:
    """What cannot be shown is named in the log, without what is in it."""
    parts = [{"text": "Oi \ud800"}, odd, {"text": "Tchau"}]
    async with before(json.dumps(parts)) as (cec, _):
        answer = await cec.post(WHOLE)
    assert answer == {"answers": [{"text": "Oi ?"}, {"text": "Tchau"}], "next": "bot"}
    assert said(caplog) == ([f"WARNING: Not shown: {named}"] if named else [])


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", {**WHOLE, "session": None}),
        *({**WHOLE, "session": each} for each in ("a" * 15, "a" * 129, f"{'a' * 32}/../b")),
        *({**WHOLE, "text": each} for each in (None, 1, ["oi"])),
        *({**WHOLE, "contextId": each} for each in (True, False, 1.5, ["ana"], {"id": "ana"})),
        *({**WHOLE, "channel": each} for each in (1, ["app"])),
        *({name: WHOLE[name] for name in WHOLE if name != each} for each in WHOLE),
        *(b"[" * 100_000, b'{"session"', b"\xff"),
    ],
)
async def test_what_is_no_message_is_refused(body: object) -> None:
    """Above all one without a session: all of those would be one conversation.

    Or one that does not say who is there, if only by null: Rasa might go on with whom it knew.
    """
    async with before("[]") as (cec, posted):
        assert (await cec.post(body), posted) == (400, [])


@pytest.mark.parametrize(
    ("answer", "deadline", "error"),
    [
        (("{}", 500), 15, "ClientResponseError"),
        (("[", 200), 15, "JSONDecodeError"),
        (('{"text": "oi"}', 200), 15, "TypeError"),
        (("[]", 200), 1e-9, "TimeoutError"),
    ],
    ids=["an error", "half an answer", "no list", "too slow"],
)
async def test_what_is_no_answer_of_the_bot_is_a_502(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: tuple[str, int],
    deadline: float,
    error: str,
) -> None:
    """CEC may try again; the log names neither session nor text. A lookup may take its time."""
    assert PS7Settings.model_fields["deadline"].default < main.__globals__["DEADLINE"].total
    monkeypatch.setattr("relay.DEADLINE", ClientTimeout(deadline))
    async with before(*answer) as (cec, _):
        assert await cec.post({**WHOLE, "text": "meu CPF é 529"}) == 502
    assert said(caplog) == [f"WARNING: Rasa did not answer: {error}"]


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
        answers = [await Cec(http).post(WHOLE, each) for each in (TOKEN, ARRIVAL_KEY, "", "é")]
    assert answers == [502, 401, 401, 401]
