"""How the bot's answers leave for WhatsApp: pywa without a bot."""

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
from examples.channels.cloud_api import Sender, keyboard
from tests.channels.updates import NUMBER_ID, PHONE, USER

LONG = "Uma linha.\n" + "palavra " * 900 + "x" * 5000


def options(*titles: str, payload: str = "") -> list[dict[str, Any]]:
    return [{"title": each, "payload": f"/{payload}{number}"} for number, each in enumerate(titles)]


@pytest.mark.parametrize(
    ("buttons", "made"),
    [
        (options("Sim", "Não"), list),
        (options("x" * 20), list),
        (options("x" * 21), SectionList),
        (options("x" * 24), SectionList),
        (options("x" * 25), type(None)),
        (options(*"ABC"), list),
        (options(*"ABCD"), SectionList),
        (options(*"ABCDEFGHIJ"), SectionList),
        (options("A", payload="x" * 254), list),
        (options("A", payload="x" * 255), type(None)),
        (options(*"ABCD", payload="x" * 198), SectionList),
        (options(*"ABCD", payload="x" * 199), type(None)),
        (options("Sim", "Sim"), type(None)),
        ([{"title": "Sim", "payload": "/ok"}, {"title": "Pois não", "payload": "/ok"}], type(None)),
        (options(*"ABCDEFGHIJK"), type(None)),
        ([{"title": "Site", "url": "https://bank.example"}], type(None)),
        ([], type(None)),
    ],
)
def test_buttons_are_made_as_whatsapp_takes_them_or_not_at_all(
    buttons: list[dict[str, Any]], made: type
) -> None:
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


async def test_a_long_text_is_sent_whole(graph: Graph) -> None:
    """In parts that WhatsApp takes, cut between words. Of nothing, nothing is sent."""
    await graph.sender.text(PHONE, "  ")
    assert graph.sent == []
    await graph.sender.text(PHONE, LONG)
    made = [each["text"]["body"] for each in graph.sent]
    assert all(len(part) <= 4096 for part in made)
    assert "".join("".join(made).split()) == "".join(LONG.split())
    assert made[0].endswith("palavra")


async def test_choices_are_below_the_end_of_a_long_text(graph: Graph) -> None:
    """The text goes first, and what can be pressed stands below its end."""
    await graph.sender.choices(PHONE, "palavra " * 300, options("Sim", "Não"))
    *before, last = graph.sent
    assert [each["type"] for each in before] == ["text"] * 2
    assert len(last["interactive"]["body"]["text"]) <= 1024
    buttons = [each["reply"] for each in last["interactive"]["action"]["buttons"]]
    assert buttons == [{"id": "/0", "title": "Sim"}, {"id": "/1", "title": "Não"}]


async def test_a_row_of_a_list_answers_with_its_payload_or_its_title(graph: Graph) -> None:
    """And a list without a text has one all the same: WhatsApp wants it."""
    await graph.sender.choices(PHONE, "", [*options(*"ABC"), {"title": "D"}])
    (sent,) = (each["interactive"] for each in graph.sent)
    assert sent["body"]["text"]
    rows = {each["id"]: each["title"] for each in sent["action"]["sections"][0]["rows"]}
    assert rows == {"/0": "A", "/1": "B", "/2": "C", "D": "D"}


@pytest.mark.parametrize(
    ("buttons", "lines"),
    [
        (options("Conta", "Conta"), "• Conta\n• Conta"),
        ([{"title": "Site", "url": "https://bank.example"}], "• Site https://bank.example"),
    ],
    ids=["twice the same", "a link"],
)
async def test_choices_that_whatsapp_does_not_take_become_lines_of_text(
    graph: Graph, buttons: list[dict[str, Any]], lines: str
) -> None:
    """They are lines of text, and the customer writes one."""
    await graph.sender.choices(PHONE, "Qual?", buttons)
    assert graph.sent[0]["text"]["body"] == f"Qual?\n{lines}"


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ("https://a.example/1.png", "image"),
        ("http://a.example/1.png", "text"),
        ("/etc/hostname", "text"),
    ],
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
async def test_an_answer_is_sent_again_or_counted_by_its_code(
    graph: Graph, answers: list[Any], counted: list[str], *, arrives: bool
) -> None:
    """Again after 429 and 5xx, within a deadline; then counted by its code, and nobody is named."""
    graph.answers = [*answers]
    began = time.monotonic()
    await graph.sender.text(PHONE, "Olá")
    assert time.monotonic() - began < 3.5
    assert (len(graph.sent) == 1 and not graph.counted) is arrives
    assert graph.counted == counted
    assert len(answers) - len(graph.answers) <= 3, "the pauses between them double"


async def test_a_slow_graph_api_holds_nobody_up(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is for the whole message, and other conversations go on meanwhile."""
    monkeypatch.setattr(cloud_api, "DEADLINE", 0.8)

    async def slow(**_: object) -> None:
        await asyncio.sleep(9)

    monkeypatch.setattr(graph.sender, "_wa", type("Slow", (), {"send_message": staticmethod(slow)}))
    turn = asyncio.create_task(graph.sender.text(PHONE, "Olá"))
    await asyncio.sleep(0.05)
    assert not turn.done()
    await turn
    assert graph.counted == ["an answer was not taken (code TimeoutError)"]
