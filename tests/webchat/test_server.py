"""The page's server, without a browser: what it hands out, to whom, and what it keeps back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
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


class Behind:
    """What stands behind the page's server: Rasa, and the simulator with no request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trackers: list[dict[str, Any]] = [TRACKER]
        """What Rasa gives, one after the other; the last stays."""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        if request.path == "/ps7/requests":
            return web.json_response({"requests": []})
        return web.json_response(self.trackers.pop(0) if self.trackers[1:] else self.trackers[0])


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
async def backstage(behind: Behind, tmp_path: Path) -> AsyncIterator[Backstage]:
    actions_log, desk_log = tmp_path / "actions.log", tmp_path / "desk.log"
    actions_log.write_text(LOOKED_UP)
    desk_log.write_text(json.dumps(HANDED_OVER))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", behind.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        url = str(server.make_url("")).rstrip("/")
        yield Backstage(f"{url}/rasa", f"{url}/ps7", actions_log, desk_log, TOKEN, KEY)


def page_of(backstage: Backstage) -> Page:
    return TestClient(TestServer(application(backstage), host="127.0.0.1"))


@pytest.fixture
async def page(backstage: Backstage) -> AsyncIterator[Page]:
    async with page_of(backstage) as client:
        yield client


async def arrive(page: Page, card: str, conversation: str = "r2S0_Ic8") -> Any:  # noqa: ANN401 - JSON
    """Open a chat with this card."""
    asked = {"card": card, "conversation": conversation}
    async with page.post("/api/arrivals", json=asked) as answer:
        return await answer.json() if answer.ok else answer.status


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *(("/", "text/html"), ("/main.js", "text/javascript"), ("/style.css", "text/css")),
        *(("/mark.svg", "image/svg+xml"), ("/api/page", "application/json")),
        ("/nothing", "text/plain"),
    ],
)
async def test_every_answer_is_strict(
    backstage: Backstage, page: Page, path: str, kind: str
) -> None:
    """A page may load and call this server and Rasa's socket, and nothing else; nothing is kept.

    A browser takes each file for what it says, since `nosniff` forbids anything else.
    """
    answer = await page.get(path)
    socket = backstage.rasa.replace("http", "ws")
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    strict = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
    strict |= {"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}
    strict |= {"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store"}
    assert answer.headers.items() >= strict.items()
    assert answer.content_type == kind


@pytest.mark.parametrize("path", ["/..%2fserver.py", "/app/main.js", "/api/turns/a%20b/one"])
async def test_no_other_file_is_handed_out(page: Page, behind: Behind, path: str) -> None:
    """What is not the page's is not there, and no address of Rasa's is made of what is no id."""
    assert (await page.get(path)).status == 404
    assert behind.asked == []


async def test_it_answers_under_the_names_of_this_machine(page: Page) -> None:
    """A page elsewhere may point a name of its own at 127.0.0.1, and get nothing."""
    names = ("bank.example", "localhost:7000", "127.0.0.1")
    answers = [(await page.get("/", headers={"Host": name})).status for name in names]
    assert answers == [421, 200, 200]


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
    card, fault = CARDS[name], FAULTS.get(name)
    if name in PERSONAS:
        shown = ("customers", "ok", PERSONAS[name].slots["segment"])
        assert PERSONAS[name].title.endswith(card.about["pt-BR"])
    else:
        shown = ("faults", fault.outcome if fault else "missing", None)
    assert (card.group, card.outcome, card.segment) == shown
    assert card.about["en"] != card.about["pt-BR"]


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


async def test_a_card_or_socket_that_is_none_gets_404(page: Page) -> None:
    for card, conversation in (("zoe", "r2S0"), ("ana", "../x"), ("ana", ""), ("ana", "x" * 129)):
        assert await arrive(page, card, conversation) == 404


async def test_a_turn_is_masked_and_the_token_stays_here(page: Page, behind: Behind) -> None:
    """The server asks Rasa, with its token, until the turn is over; the browser gets the turn."""
    behind.trackers.insert(0, {"events": []})
    turn = await (await page.get("/api/turns/r2S0/one")).json()
    shown = {"name": "cpf", "value": "***.982.247-**", "masked": True, "changed": True}
    assert turn["slots"] == [shown]
    assert [each["ms"] for each in turn["lookups"]] == [7]
    assert [each["value"] for each in turn["handedOver"]] == ["asked"]
    tracker = "/rasa/conversations/r2S0/tracker?include_events=ALL&token=made+up+as+well"
    assert behind.asked == [tracker, tracker, "/ps7/requests"]


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
