"""What a post of Meta says, and how the bot's answers leave: pywa without a bot."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pywa_async import WhatsApp
from pywa_async.types import SectionList

from examples.channels import cloud_api
from examples.channels.cloud_api import Sender, failure, keyboard, parts, read, split
from examples.channels.try_it import post_of
from tests.channels.updates import (
    CODE,
    CONTACT,
    NOTHING_SAID,
    NUMBER_ID,
    PHONE,
    SAID,
    UNREADABLE,
    USER,
    WITHOUT_TEXT,
    message,
    post,
    text,
)

WA = WhatsApp(NUMBER_ID, "made up", app_secret="made up", verify_token="made up")


def values(content: object) -> list[dict[str, Any]]:
    return [*split(json.loads(json.dumps(content)), NUMBER_ID)]


def said(content: Any, **value: Any) -> Any:  # noqa: ANN401
    (one,) = values(post(message(content), **value))
    return read(WA, one)


@pytest.mark.parametrize("name", SAID)
def test_what_a_customer_says(name: str) -> None:
    """A text, a caption or what was pressed; a typed slash is no command, a code is no text."""
    content, expected = SAID[name]
    found = said(content)
    assert found is not None
    assert (found.text, found.phone, found.user_id) == (expected, PHONE, USER)
    assert found.code == (CODE if "code" in name else None)
    assert (found.delivery, found.sent_at) == ("wamid.1", 1764374400.0)


@pytest.mark.parametrize(
    "metadata",
    [{"phone_number_id": NUMBER_ID}, {"phone_number_id": NUMBER_ID, "something_new": 1}],
)
def test_what_meta_says_of_the_banks_number_may_change(metadata: dict[str, object]) -> None:
    """Its id is enough."""
    assert said(text("Oi"), metadata=metadata).text == "Oi"


def test_the_trial_without_meta_is_read() -> None:
    """`try_it.py` posts what Meta would."""
    written = {"from": PHONE, **text("Oi")}
    (one,) = values(json.loads(post_of(NUMBER_ID, **written)))
    found = read(WA, one)
    assert found is not None
    assert (found.text, found.phone, time.time() - found.sent_at < 60) == ("Oi", PHONE, True)


@pytest.mark.parametrize("name", WITHOUT_TEXT)
def test_what_is_no_text_is_still_a_message(name: str) -> None:
    """The bot answers it in its own way."""
    found = said(WITHOUT_TEXT[name])
    assert found is not None
    assert found.text is None


@pytest.mark.parametrize("name", NOTHING_SAID)
def test_what_wants_no_answer(name: str) -> None:
    """And what others in a group can read."""
    assert said(NOTHING_SAID[name]) is None


@pytest.mark.parametrize("name", UNREADABLE)
def test_one_that_cannot_be_read_costs_no_other(name: str) -> None:
    """Each message of a post is read alone."""
    first, broken, last = values(post(*map(message, (text("1"), UNREADABLE[name], text("2")))))
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        read(WA, broken)
    assert [getattr(read(WA, one), "text", None) for one in (first, last)] == ["1", "2"]


@pytest.mark.parametrize(
    ("writer", "contacts", "phone", "user_id"),
    [
        ({"from_user_id": USER}, [{"user_id": USER, "profile": {"username": "ana"}}], None, USER),
        ({"from_user_id": USER}, [], None, USER),
        ({"from": PHONE}, [CONTACT], PHONE, USER),
        ({"from": PHONE}, [{"wa_id": "5521900000000", "user_id": "BR.2"}, CONTACT], PHONE, USER),
        ({"from": PHONE}, [{"wa_id": "5521900000000", "user_id": "BR.2"}], PHONE, ""),
        ({"from": PHONE}, [{"wa_id": PHONE, "profile": None}], PHONE, ""),
        ({"from": PHONE}, [None, 1], PHONE, ""),
        ({"from": PHONE}, None, PHONE, ""),
    ],
)
def test_who_writes(
    writer: dict[str, str], contacts: object, phone: str | None, user_id: str
) -> None:
    """With a number, a user id, or both; never the contact of another message of the post."""
    written = text("Oi", **{"from": None, "from_user_id": None, **writer})
    (one,) = values(post(message(written), contacts=contacts))
    found = read(WA, one)
    assert found is not None
    assert (found.phone, found.user_id) == (phone, user_id)


@pytest.mark.parametrize(
    "content",
    [
        *(None, [], 1, {}, {"entry": 1}, {"entry": [1, None, {}]}, {"entry": [{"changes": [1]}]}),
        {"entry": [{"changes": [{"field": "messages", "value": None}]}]},
        {"entry": [{"changes": [{"field": "account_update", "value": {"event": "X"}}]}]},
        {"entry": [{"changes": [{"value": {"metadata": [], "messages": [1]}}]}]},
        post(message(text("Oi")), metadata={"phone_number_id": "15559999"}),
        post(messages=None),
    ],
)
def test_a_post_of_something_else_has_no_message(content: object) -> None:
    """Another field, another number of the bank, or nothing that Meta documents."""
    assert values(content) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"id": "wamid.1", "status": "read", "timestamp": "1", "recipient_id": PHONE}, None),
        ({"id": "wamid.1", "status": "failed", "errors": [{"code": 131047}]}, 131047),
        ({"status": "failed", "errors": []}, None),
    ],
)
def test_why_an_answer_was_not_delivered(status: dict[str, Any], code: int | None) -> None:
    """Meta says so later, by its code."""
    first, other = values(post(message(text("Oi")), statuses=[status]))
    assert "messages" in first
    assert failure(other) == code


LONG = "Uma linha.\n" + "palavra " * 900 + "x" * 5000


def test_a_long_text_is_sent_whole() -> None:
    """In parts that WhatsApp takes, cut between words."""
    made = [*parts(LONG, 4096)]
    assert all(len(part) <= 4096 for part in made)
    assert "".join("".join(made).split()) == "".join(LONG.split())
    assert made[0].endswith("palavra")
    assert [*parts("  ", 4096)] == []


def options(*titles: str, payload: str = "") -> list[dict[str, Any]]:
    return [{"title": each, "payload": f"/{payload}{number}"} for number, each in enumerate(titles)]


@pytest.mark.parametrize(
    ("buttons", "made"),
    [
        (options("Sim", "Não"), list),
        ([{"title": "Sim"}], list),
        (options("Um título de mais de vinte"[:24]), SectionList),
        (options(*"ABCD"), SectionList),
        (options("A", payload="x" * 199), list),
        (options(*"ABCD", payload="x" * 199), type(None)),
        (options("A", payload="x" * 256), type(None)),
        (options("Sim", "Sim"), type(None)),
        (options("Um título de mais de vinte e quatro"), type(None)),
        (options(*"ABCDEFGHIJK"), type(None)),
        ([{"title": "Site", "url": "https://bank.example"}], type(None)),
        ([], type(None)),
    ],
)
def test_what_can_be_pressed(buttons: list[dict[str, Any]], made: type) -> None:
    """As WhatsApp takes it, or not at all: nothing is cut."""
    assert isinstance(keyboard(buttons), made)


class Graph:
    """The Graph API: the next answers, and what it was sent."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.sent: list[dict[str, Any]] = []
        self.counted: list[str] = []
        session = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        wa = WhatsApp(NUMBER_ID, "made up", app_secret="x", verify_token="x", session=session)
        self.sender = Sender(wa, self.counted.append)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers.pop(0) if self.answers else taken()
        if isinstance(answer, Exception):
            raise answer
        if answer.status_code == 200:
            self.sent.append(json.loads(request.content))
        return answer


def taken() -> httpx.Response:
    content = {"contacts": [{"input": "x", "wa_id": "x"}], "messages": [{"id": "wamid.1"}]}
    return httpx.Response(200, json=content)


def refused(status: int, code: int) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": f"to {PHONE}"}})


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    monkeypatch.setattr(cloud_api, "DEADLINE", 3.0)
    return Graph()  # type: ignore[return-value]


@pytest.mark.parametrize(("to", "key"), [(PHONE, "to"), (USER, "recipient")])
async def test_an_answer_goes_to_a_number_or_to_a_user_id(graph: Graph, to: str, key: str) -> None:
    """Whichever the customer has."""
    await graph.sender.text(to, "Olá")
    (sent,) = graph.sent
    assert (sent[key], sent["type"], sent["text"]["body"]) == (to, "text", "Olá")


async def test_choices_beside_a_long_text(graph: Graph) -> None:
    """The text goes first, and what can be pressed stands below its end."""
    await graph.sender.choices(PHONE, "palavra " * 300, options("Sim", "Não"))
    *before, last = graph.sent
    assert [each["type"] for each in before] == ["text"] * 2
    assert len(last["interactive"]["body"]["text"]) <= 1024
    buttons = [each["reply"] for each in last["interactive"]["action"]["buttons"]]
    assert buttons == [{"id": "/0", "title": "Sim"}, {"id": "/1", "title": "Não"}]


async def test_choices_that_whatsapp_does_not_take(graph: Graph) -> None:
    """They are lines of text, and the customer writes one."""
    await graph.sender.choices(PHONE, "Qual?", options("Conta", "Conta"))
    assert graph.sent[0]["text"]["body"] == "Qual?\n• Conta\n• Conta"


@pytest.mark.parametrize(
    ("link", "kind"), [("https://a.example/1.png", "image"), ("/etc/hostname", "text")]
)
async def test_a_picture_is_a_link(graph: Graph, link: str, kind: str) -> None:
    """And no file of the server."""
    await graph.sender.picture(PHONE, link)
    assert [each["type"] for each in graph.sent] == [kind]


@pytest.mark.parametrize(
    ("answers", "arrives", "counted"),
    [
        ([], True, []),
        ([refused(429, 130429)], True, []),
        ([refused(400, 131056)], True, []),
        ([refused(500, 1), httpx.Response(503, text="<html>")], True, []),
        ([httpx.ConnectError(PHONE)], True, []),
        ([httpx.ReadTimeout(PHONE)], False, ["an answer was not taken (code ReadTimeout)"]),
        ([refused(400, 131047)], False, ["an answer was not taken (code 131047)"]),
        ([refused(401, 190)], False, ["an answer was not taken (code 190)"]),
        ([refused(503, 2)] * 9, False, ["an answer was not taken (code 2)"]),
        (
            [httpx.Response(200, text="<html>")],
            False,
            ["an answer was not taken (code JSONDecodeError)"],
        ),
    ],
)
async def test_what_the_graph_api_does_not_take(
    graph: Graph, answers: list[Any], counted: list[str], *, arrives: bool
) -> None:
    """Again after 429 and 5xx, within a deadline; then counted by its code, and nobody is named."""
    graph.answers = [*answers]
    began = time.monotonic()
    await graph.sender.text(PHONE, "Olá")
    assert time.monotonic() - began < 3.5
    assert (len(graph.sent) == 1 and not graph.counted) is arrives
    assert graph.counted == counted


async def test_a_slow_graph_api_holds_nobody_up(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is for the whole message, and other conversations go on meanwhile."""
    monkeypatch.setattr(cloud_api, "DEADLINE", 0.3)

    async def slow(**_: object) -> None:
        await asyncio.sleep(9)

    monkeypatch.setattr(graph.sender, "_wa", type("Slow", (), {"send_message": staticmethod(slow)}))
    turn = asyncio.create_task(graph.sender.text(PHONE, "Olá"))
    await asyncio.sleep(0.05)
    assert not turn.done()
    await turn
    assert graph.counted == ["an answer was not taken (code TimeoutError)"]
