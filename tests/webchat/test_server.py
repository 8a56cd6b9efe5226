"""The page's server, without a browser: what it hands out, to whom, and what it keeps back."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from actions.ps7.settings import PS7Settings
from actions.ps7.testing import FAULTS, PERSONAS
from examples.webchat import server
from examples.webchat.cards import CARDS
from examples.webchat.server import Backstage, application
from tests.support.processes import free_port

Page = TestClient[web.Request, web.Application]
KEY = "a secret of the bank's back-end, made up"
TOKEN = "made up as well"
TRACKER = {
    "events": [
        {"event": "user", "metadata": {"contextId": "ana", "correlationId": "one"}},
        {"event": "slot", "name": "cpf", "value": "52998224725"},
    ]
}
LOOKED_UP = "PS7 lookup: outcome=ok reason=ok status=200 attempts=1 ms=7 correlation=one\n"
HANDED_OVER = {"correlation_id": "one", "conversation": "r2S0", "reason": "asked"}


@pytest.fixture
def asked() -> list[str]:
    """Return what Rasa and the simulator were asked."""
    return []


@pytest.fixture
def rasa() -> list[dict[str, Any]]:
    """Return the trackers that Rasa gives, one after the other; the last stays."""
    return [TRACKER]


@pytest.fixture
async def backstage(
    asked: list[str], rasa: list[dict[str, Any]], tmp_path: Path
) -> AsyncIterator[Backstage]:
    """Answer as Rasa and the simulator do, the latter with no request."""

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        if request.path == "/ps7/requests":
            return web.json_response({"requests": []})
        return web.json_response(rasa.pop(0) if len(rasa) > 1 else rasa[0])

    actions_log, desk_log = tmp_path / "actions.log", tmp_path / "desk.log"
    actions_log.write_text(LOOKED_UP)
    desk_log.write_text(json.dumps(HANDED_OVER))
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application, host="127.0.0.1") as behind:
        url = str(behind.make_url("")).rstrip("/")
        yield Backstage(f"{url}/rasa", f"{url}/ps7", actions_log, desk_log, TOKEN, KEY)


@asynccontextmanager
async def page_of(backstage: Backstage) -> AsyncIterator[Page]:
    """Serve the page, and call its server."""
    async with TestClient(TestServer(application(backstage), host="127.0.0.1")) as client:
        yield client


@pytest.fixture
async def page(backstage: Backstage) -> AsyncIterator[Page]:
    """Serve the page."""
    async with page_of(backstage) as client:
        yield client


async def arrive(page: Page, card: str, conversation: str = "r2S0_Ic8") -> Any:  # noqa: ANN401 - JSON
    """Open a chat with this card."""
    asked = {"card": card, "conversation": conversation}
    async with page.post("/api/arrivals", json=asked) as answer:
        return await answer.json() if answer.ok else answer.status


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/page", "/nothing"])
async def test_every_answer_is_strict(backstage: Backstage, page: Page, path: str) -> None:
    """A page may load and call this server and Rasa's socket, and nothing else; nothing is kept."""
    headers = (await page.get(path)).headers
    socket = backstage.rasa.replace("http", "ws")
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    strict = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    strict |= {"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}
    strict |= {"Cross-Origin-Opener-Policy": "same-origin"}
    assert headers.items() >= strict.items()


@pytest.mark.parametrize(
    "path", ["/nothing", "/..%2fserver.py", "/package.json", "/app/main.js", "/api/turns/a%20b/one"]
)
async def test_no_other_file_is_handed_out(page: Page, asked: list[str], path: str) -> None:
    """What is not the page's is not there, and no address of Rasa's is made of what is no id."""
    assert (await page.get(path)).status == 404
    assert asked == []


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/main.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/mark.svg", "image/svg+xml"),
    ],
)
async def test_each_file_says_what_it_is(page: Page, path: str, kind: str) -> None:
    """A browser takes it for nothing else, since `nosniff` forbids it."""
    assert (await page.get(path)).content_type == kind


@pytest.mark.parametrize(
    ("name", "status"), [("bank.example", 421), ("localhost:7000", 200), ("127.0.0.1", 200)]
)
async def test_it_answers_under_the_names_of_this_machine(
    page: Page, name: str, status: int
) -> None:
    """A page elsewhere may point a name of its own at 127.0.0.1, and get nothing."""
    assert (await page.get("/", headers={"Host": name})).status == status


async def test_the_page_knows_no_context_id_before_an_arrival(
    backstage: Backstage, page: Page
) -> None:
    """The cards hold names and texts."""
    text = await (await page.get("/api/page")).text()
    shown = json.loads(text)
    assert (shown["rasa"], shown["signed"]) == (backstage.rasa, True)
    assert shown["cards"][0]["heading"] == {"pt-BR": "Ana", "en": "Ana"}
    assert PERSONAS["exemplo"].context_id not in text
    assert TOKEN not in repr(backstage)
    assert KEY not in repr(backstage)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_says_who_arrives_in_both_languages(name: str) -> None:
    """The simulator's customers, and what goes wrong with its name for it."""
    card = CARDS[name]
    if name in PERSONAS:
        shown = ("customers", "ok", PERSONAS[name].slots["segment"])
        assert PERSONAS[name].title.endswith(card.about["pt-BR"])
    else:
        shown = ("faults", FAULTS[name].outcome if name in FAULTS else "missing", None)
    assert (card.group, card.outcome, card.segment) == shown
    assert card.about["en"] != card.about["pt-BR"]
    assert re.search(r"\b(the|and|not|no|it|with|token|valid)\b", card.about["en"])


async def test_an_arrival_brings_a_signed_context_id(backstage: Backstage, page: Page) -> None:
    """Signed for this conversation and for a minute; without a key it comes as it is."""
    metadata = await arrive(page, "exemplo")
    assert metadata.keys() == {"contextId"}
    claims = jwt.decode(metadata["contextId"], KEY, algorithms=["HS256"])
    assert (claims["contextId"], claims["sub"]) == ("123123213", "r2S0_Ic8")
    assert claims["exp"] - claims["iat"] == 60

    async with page_of(replace(backstage, arrival_key=None)) as bare:
        assert not (await (await bare.get("/api/page")).json())["signed"]
        assert await arrive(bare, "exemplo") == {"contextId": "123123213"}
        assert await arrive(bare, "nobody") == {}


@pytest.mark.parametrize(
    ("card", "conversation"), [("zoe", "r2S0"), ("ana", "../x"), ("ana", ""), ("ana", "x" * 129)]
)
async def test_a_card_or_socket_that_is_none_gets_404(
    page: Page, card: str, conversation: str
) -> None:
    """There is no such card, or what is named is no id of a socket."""
    assert await arrive(page, card, conversation) == 404


async def test_a_turn_is_masked_and_the_token_stays_here(
    backstage: Backstage, asked: list[str]
) -> None:
    """The server asks Rasa with its token; the browser gets the turn alone."""
    async with page_of(replace(backstage, arrival_key=None)) as page:
        turn = await (await page.get("/api/turns/r2S0/one")).json()
    shown = {"name": "cpf", "value": "***.982.247-**", "masked": True, "changed": True}
    assert turn["slots"] == [shown]
    assert [each["ms"] for each in turn["lookups"]] == [7]
    assert [each["value"] for each in turn["handedOver"]] == ["asked"]
    assert asked == [
        "/rasa/conversations/r2S0/tracker?include_events=ALL&token=made+up+as+well",
        "/ps7/requests",
    ]


async def test_a_turn_that_rasa_is_not_done_with_is_waited_for(
    page: Page, rasa: list[dict[str, Any]]
) -> None:
    """Rasa saves a conversation once its turn is over."""
    rasa.insert(0, {"events": []})
    assert (await page.get("/api/turns/r2S0/one")).status == 200


async def test_a_turn_that_rasa_never_knows_is_given_up(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The panel does not wait for ever; but longer than a lookup may take."""
    assert PS7Settings.model_fields["deadline"].default < server._TURN_TIMEOUT
    monkeypatch.setattr(server, "_TURN_TIMEOUT", 0.0)
    assert (await page.get("/api/turns/r2S0/another")).status == 504


async def test_the_page_hears_502_when_rasa_is_away(backstage: Backstage) -> None:
    """The page is told, and no address of what stands behind it."""
    closed = f"http://127.0.0.1:{free_port()}"
    async with page_of(replace(backstage, rasa=closed)) as page:
        answer = await page.get("/api/turns/r2S0/one")
        assert answer.status == 502
        assert await answer.text() == "Rasa or the simulator does not answer"
