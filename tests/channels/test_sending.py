"""How the bot's answers leave for WhatsApp: pywa without a bot."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pywa_async import WhatsApp
from pywa_async.types import SectionList

from examples.channels import cloud_api
from examples.channels.cloud_api import Sender, keyboard, parts
from tests.channels.updates import NUMBER_ID, PHONE, USER
from tests.support.waiting import within

LONG = "Uma linha.\n" + "palavra " * 900 + "x" * 5000


def options(*titles: str, payload: str = "") -> list[dict[str, Any]]:
    return [{"title": each, "payload": f"/{payload}{number}"} for number, each in enumerate(titles)]


@pytest.mark.parametrize(
    ("buttons", "made"),
    [
        (options("x" * 20, "B", "C"), list),
        (options("x" * 21), SectionList),
        (options("x" * 24, *"BCDEFGHIJ"), SectionList),
        (options("x" * 25), type(None)),
        (options(*"ABCD"), SectionList),
        (options("A", payload="x" * 254), list),
        (options("A", payload="x" * 255), type(None)),
        (options(*"ABCD", payload="x" * 198), SectionList),
        (options(*"ABCD", payload="x" * 199), type(None)),
        (options("Sim", "Sim"), type(None)),
        ([{"title": 1, "url": None}, {"title": "B", "payload": {"a": 1}}], list),
        ([{"title": "Sim", "payload": "/ok"}, {"title": "Pois não", "payload": "/ok"}], type(None)),
        (options(*"ABCDEFGHIJ"), SectionList),
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


TAKEN = {"contacts": [{"input": "x", "wa_id": "x"}], "messages": [{"id": "wamid.1"}]}


class Graph:
    """The Graph API: the next answers, and what it was sent."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.sent: list[dict[str, Any]] = []
        self.counted: list[str] = []
        self.seconds = 0.0
        session = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        wa = WhatsApp(NUMBER_ID, "made up", app_secret="x", verify_token="x", session=session)
        self.sender = Sender(wa, self.counted.append)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.seconds)
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json=TAKEN)
        if isinstance(answer, Exception):
            raise answer
        if answer.status_code == 200:
            self.sent.append(json.loads(request.content))
        return answer


def refused(status: int, code: int, **more: object) -> httpx.Response:
    error = {"code": code, "message": f"to {PHONE}", **more}
    return httpx.Response(status, json={"error": error})


@pytest.fixture
def graph() -> Graph:
    return Graph()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses, which take no time here."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    here = SimpleNamespace(sleep=sleep, wait_for=asyncio.wait_for)
    monkeypatch.setattr(cloud_api, "asyncio", here)
    monkeypatch.setattr(cloud_api, "time", SimpleNamespace(monotonic=lambda: sum(pauses)))
    return pauses


async def test_an_answer_goes_to_a_number_or_to_a_user_id(graph: Graph) -> None:
    """Whichever the customer has."""
    for to in (PHONE, USER):
        await graph.sender.text(to, "Olá")
    assert [each["text"]["body"] for each in graph.sent] == ["Olá"] * 2
    assert (graph.sent[0]["to"], graph.sent[1]["recipient"]) == (PHONE, USER)


async def test_a_long_text_is_sent_whole(graph: Graph) -> None:
    """In parts that WhatsApp takes, cut between words. Of nothing, nothing is sent."""
    await graph.sender.text(PHONE, "  ")
    assert graph.sent == []
    await graph.sender.text(PHONE, LONG)
    made = [each["text"]["body"] for each in graph.sent]
    assert all(len(part) <= 4096 for part in made)
    assert [len(part) for part in made][-2:] == [4096, 904], "what has no blank is cut at the end"
    assert "".join("".join(made).split()) == "".join(LONG.split())
    assert made[0].endswith("palavra")
    assert [len(each) for each in parts("oi " + "x" * 5000, 4096)] == [4096, 907]
    assert [*parts("oi oi", 5), *parts("oioi\noioi", 7)] == ["oi oi", "oioi", "oioi"]
    graph.answers = [httpx.Response(200, json=TAKEN), refused(400, 7), refused(400, 8)]
    assert await graph.sender.text(PHONE, "x" * 8193) == "not delivered: code 7"


async def test_choices_are_below_the_end_of_a_long_text(graph: Graph) -> None:
    """The text goes first, and what can be pressed stands below its end."""
    long = " ".join(map(str, range(1000, 1500)))
    await graph.sender.choices(PHONE, long, options("Sim", "Não"))
    *before, last = graph.sent
    texts = [*(each["text"]["body"] for each in before), last["interactive"]["body"]["text"]]
    assert " ".join(texts) == long
    assert [*map(len, texts)] == [1019, 1019, 459]
    buttons = [each["reply"] for each in last["interactive"]["action"]["buttons"]]
    assert buttons == [{"id": "/0", "title": "Sim"}, {"id": "/1", "title": "Não"}]


async def test_a_row_of_a_list_answers_with_its_payload_or_its_title(graph: Graph) -> None:
    """And a list without a text has one all the same: WhatsApp wants it."""
    await graph.sender.choices(PHONE, "", [*options(*"ABC"), {"title": "D"}])
    (sent,) = (each["interactive"] for each in graph.sent)
    assert sent["body"]["text"]
    rows = {each["id"]: each["title"] for each in sent["action"]["sections"][0]["rows"]}
    assert rows == {"/0": "A", "/1": "B", "/2": "C", "D": "D"}


async def test_choices_that_whatsapp_does_not_take_become_lines_of_text(graph: Graph) -> None:
    """The customer writes one."""
    link = {"title": "Site", "url": "https://bank.example"}
    await graph.sender.choices(PHONE, "Qual?", [*options("Conta"), link])
    (sent,) = graph.sent
    assert sent["text"]["body"] == "Qual?\n• Conta\n• Site https://bank.example"


async def test_a_picture_is_a_link(graph: Graph) -> None:
    """And no file of the server."""
    for link in ("https://a.example/1.png", "http://a.example/1.png", "/etc/hostname"):
        await graph.sender.picture(PHONE, link)
    image, *texts = graph.sent
    assert image["image"]["link"] == "https://a.example/1.png"
    assert [each["text"]["body"] for each in texts] == ["http://a.example/1.png", "/etc/hostname"]


@pytest.mark.parametrize(
    ("answers", "pauses", "ending"),
    [
        ([], [], ""),
        ([refused(429, 130429)], [0.5], ""),
        ([refused(400, 131056)], [0.5], ""),
        ([refused(400, 1, is_transient=True)], [0.5], ""),
        ([refused(400, 1, is_transient=False)], [], "not delivered: code 1"),
        ([refused(500, 1), httpx.Response(503, text="<html>")], [0.5, 1], ""),
        ([httpx.ConnectError(PHONE)], [0.5], ""),
        ([httpx.ConnectError(PHONE)] * 9, [0.5, 1, 2, 4], "not delivered: code ConnectError"),
        ([refused(503, 2)] * 9, [0.5, 1, 2, 4], "not delivered: code 2"),
        ([refused(499, 190)], [], "not delivered: code 190"),
        ([httpx.ReadTimeout(PHONE)], [], "perhaps delivered: code ReadTimeout"),
        ([httpx.Response(200, text="<html>")], [], "perhaps delivered: code JSONDecodeError"),
    ],
)
async def test_an_answer_is_sent_again_or_counted_by_its_code(
    graph: Graph, clock: list[float], answers: list[Any], pauses: list[float], ending: str
) -> None:
    """Again after 429, 5xx and what Meta says for them, for ten seconds; then nobody is named.

    One that may have arrived is not sent twice. Whoever waits for it is told how it ended.
    """
    graph.answers = [*answers]
    assert await graph.sender.text(PHONE, "Olá") == ending
    assert clock == pauses
    _, _, code = ending.partition(": ")
    assert graph.counted == ([f"an answer was not taken ({code})"] if code else [])
    assert code or len(graph.sent) == 1


async def test_the_words_go_though_meta_does_not_take_what_is_beside_them(graph: Graph) -> None:
    """Buttons become lines, and a picture its link; not if Meta may have it already.

    What went before them is not said again.
    """
    link, long = "https://a.example/1.png", "x" * 1024
    graph.answers = [httpx.Response(200, json=TAKEN), refused(400, 131009)]
    assert await graph.sender.choices(PHONE, f"{long}Quer?", options("Sim", "Não")) == ""
    graph.answers = [refused(400, 131053)]
    assert await graph.sender.picture(PHONE, link) == ""
    assert [each["text"]["body"] for each in graph.sent] == [long, "Quer?\n• Sim\n• Não", link]
    for send in (
        graph.sender.choices(PHONE, "Quer?", options("A")),
        graph.sender.picture(PHONE, link),
    ):
        graph.answers = [httpx.ReadTimeout(PHONE)]
        assert await send == "perhaps delivered: code ReadTimeout"
    assert len(graph.sent) == 3


async def test_a_slow_graph_api_holds_nobody_up(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is for the whole message, and other conversations go on meanwhile."""
    monkeypatch.setattr(cloud_api, "DEADLINE", 0.1)
    graph.seconds = 9.0
    await within(3, "a slow Graph API holds nobody up", graph.sender.text(PHONE, "Olá"))
    assert graph.counted == ["an answer was not taken (code TimeoutError)"]
