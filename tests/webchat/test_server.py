"""The page's server, without a browser: what it hands out, to whom, and what it keeps back."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from actions.ps7.settings import PS7Settings
from actions.ps7.testing import FAULTS, PERSONAS
from examples.channels.customer_text import seal_payload
from examples.webchat import server
from examples.webchat.cards import CARDS
from examples.webchat.server import Backstage, application
from tests.support.answering import answering
from tests.support.processes import free_port

Page = TestClient[web.Request, web.Application]
KEY = "a secret of the bank's back-end, made up"
TOKEN = "made up as well"
PASS_KEY = "made up, and what the channel in Rasa has"
LOOKED_UP = "PS7 lookup: outcome=ok reason=ok status=200 attempts=1 ms=7 correlation=one\n"
QUERY = "tracker?include_events=ALL&token=made+up+as+well"
PICTURE = "https://a.example/b.png"
BUTTON = {"payload": "/affirm"}


def user(text: str, **metadata: object) -> dict[str, Any]:
    return {"event": "user", "text": text, "metadata": metadata}


def bot(text: str | None, metadata: object = None, **data: object) -> dict[str, Any]:
    return {"event": "bot", "text": text, "data": data, "metadata": metadata}


GREETED = user("/greet", correlationId="one", contextId="ana")
GREETED["parse_data"] = {"intent": {"name": "greet"}}
CPF = {"event": "slot", "name": "cpf", "value": "52998224725"}
EVENTS: list[dict[str, Any]] = [
    {"event": "action", "name": "action_session_start"},
    *(GREETED, CPF),
    bot(
        "Olá!\n\nQuer?",
        {"utter_action": "utter_greet", "model_id": "m"},
        buttons=[{"title": "Sim", **BUTTON}],
        elements=None,
        custom=None,
    ),
    user("/affirm", correlationId="two", title="Sim"),
    bot("Aguarde.", custom={"data": {"conversation": "handed_over"}}),
    {"event": "user", "text": "oi"},
    bot("Olá", {"agent": "Caio", "message_key": "k1"}),
    bot("Só texto.", {"agent": None, "message_key": "k2"}),
    # `attachment` beside a picture, as Rasa had it once
    bot(None, image=PICTURE, attachment=PICTURE, elements=[{"title": "Ouro", "buttons": [BUTTON]}]),
    {"event": "bot", "text": "", "data": {"attachment": "https://a.example/c.pdf"}},
    bot(None, custom=["of any shape"]),
    user("EXTERNAL: remind", is_external=True),
    {"event": "resume"},
]
"""What Rasa has of a conversation; of Ana's CPF and contextId the page learns nothing."""
TRACKER = {"events": [GREETED, CPF]}
HANDED_OVER = {"correlation_id": "one", "conversation": "r2S0", "reason": "asked"}


class Behind:
    """What stands behind the page's server: Rasa, and the simulator with no request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.trackers: list[dict[str, Any]] = [TRACKER]
        """What Rasa gives, one after the other; the last stays."""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        if request.path == "/ps7/requests":
            return web.json_response({"requests": []})
        told = self.trackers.pop(0) if self.trackers[1:] else self.trackers[0]
        return web.json_response(told, status=self.status)


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
async def backstage(behind: Behind, tmp_path: Path) -> AsyncIterator[Backstage]:
    actions_log, desk_log = tmp_path / "actions.log", tmp_path / "desk.log"
    actions_log.write_text(LOOKED_UP)
    desk_log.write_text(json.dumps(HANDED_OVER))
    async with answering(behind.answer) as url:
        yield Backstage(f"{url}/rasa", f"{url}/ps7", actions_log, desk_log, PASS_KEY, TOKEN, KEY)


def page_of(backstage: Backstage) -> Page:
    return TestClient(TestServer(application(backstage), host="127.0.0.1"))


@pytest.fixture
async def page(backstage: Backstage) -> AsyncIterator[Page]:
    async with page_of(backstage) as client:
        yield client


async def log_in(page: Page, card: str) -> str:
    """Log in with this card; return the cookie."""
    async with page.post("/api/login", json={"card": card}) as answer:
        assert answer.status == 200
        return answer.cookies["login"].OutputString()


async def passed(page: Page) -> dict[str, Any]:
    """Return what the pass says of whoever is logged in."""
    async with page.post("/api/pass") as answer:
        shown = (await answer.json())["pass"]
    claims: dict[str, Any] = jwt.decode(shown, PASS_KEY, algorithms=["HS256"])
    return claims


@pytest.fixture
async def ana(page: Page) -> str:
    """Let Ana log in; return her conversation."""
    await log_in(page, "ana")
    return str((await passed(page))["sub"])


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
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    strict = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
    strict |= {"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}
    strict |= {"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store"}
    assert answer.headers.items() >= strict.items()
    assert answer.content_type == kind


@pytest.mark.parametrize("path", ["/..%2fserver.py", "/app/main.js", "/api/turns/r2S0/one"])
async def test_no_other_file_is_handed_out(page: Page, path: str) -> None:
    """What is not the page's is not there."""
    assert (await page.get(path)).status == 404


async def test_it_answers_under_the_names_of_this_machine(page: Page) -> None:
    """A page elsewhere may point a name of its own at 127.0.0.1, and get nothing."""
    names = ("localhost:7000", "127.0.0.1", "bank.example", "127.0.0.1.bank.example", "127.0.0.2")
    answers = [(await page.get("/", headers={"Host": name})).status for name in names]
    assert answers == [200, 200, 421, 421, 421]


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
    assert PASS_KEY not in repr(backstage)


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


async def test_a_login_has_one_conversation_and_a_cookie_that_no_script_reads(page: Page) -> None:
    """A page that is loaded again is in it; the next login is in another, also of the same card."""
    cookie = await log_in(page, "ana")
    assert {*cookie.split("; ")[1:]} == {"HttpOnly", "Path=/", "SameSite=Strict"}
    first, again = await passed(page), await passed(page)
    assert len(first["sub"]) >= 22, "nobody guesses it: 128 bits at least"
    assert len(cookie.partition(";")[0]) >= len("login=") + 22
    assert first["sub"] == again["sub"]
    assert (await (await page.get("/api/page")).json())["who"] == "ana"
    assert await log_in(page, "ana") != cookie
    assert (await passed(page))["sub"] != first["sub"]
    page.session.cookie_jar.clear()
    old = {"Cookie": cookie.split(";", maxsplit=1)[0]}
    assert (await page.post("/api/pass", headers=old)).status == 401, "the login before has ended"


async def test_a_pass_is_for_a_minute_and_brings_a_signed_context_id(
    backstage: Backstage, page: Page
) -> None:
    """Signed for this conversation and for a minute; without a key it comes as it is."""
    await log_in(page, "exemplo")
    claims = await passed(page)
    assert claims.keys() == {"sub", "exp", "metadata"}
    assert claims["metadata"].keys() == {"contextId"}
    arrival = jwt.decode(claims["metadata"]["contextId"], KEY, algorithms=["HS256"])
    assert (arrival["contextId"], arrival["sub"]) == ("123123213", claims["sub"])
    assert arrival["exp"] - arrival["iat"] == 60
    assert 55 < claims["exp"] - time.time() <= 60

    async with page_of(replace(backstage, arrival_key=None)) as bare:
        assert not (await (await bare.get("/api/page")).json())["signed"]
        for card, metadata in (("exemplo", {"contextId": "123123213"}), ("nobody", {})):
            await log_in(bare, card)
            assert (await passed(bare))["metadata"] == metadata


async def test_whoever_is_not_logged_in_learns_nothing(page: Page, behind: Behind) -> None:
    """Nor whoever has logged out, or makes a cookie up."""
    cookie = (await log_in(page, "ana")).split(";")[0]
    async with page.post("/api/logout") as answer:
        assert answer.cookies["login"]["max-age"] == "0"
    for sent in ({}, {"Cookie": cookie}, {"Cookie": "login=ana"}, {"Cookie": "login="}):
        page.session.cookie_jar.clear()
        asks = (page.post("/api/pass", headers=sent), page.get("/api/said", headers=sent))
        answers = [await each for each in (*asks, page.get("/api/turns/one", headers=sent))]
        assert [each.status for each in answers] == [401] * 3
        assert (await (await page.get("/api/page", headers=sent)).json())["who"] is None
    assert behind.asked == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        *(("{", 400), ("[]", 400), ("null", 400), ("{}", 400), ('{"card": []}', 400)),
        *((f'{{"card": "{name}"}}', 404) for name in ("zoe", "Ana", " ana", "ana ", "")),
    ],
)
async def test_a_card_that_is_none_lets_nobody_in(page: Page, sent: str, status: int) -> None:
    async with page.post("/api/login", data=sent) as answer:
        assert (answer.status, dict(answer.cookies)) == (status, {})


@pytest.mark.parametrize("asked", ["..", "%2e%2e", ".%2f..", "one%2f..", "another"])
async def test_no_address_of_rasas_is_made_of_what_a_page_asks_for(
    page: Page, behind: Behind, ana: str, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """The login names the conversation. A turn that Rasa never knows is given up.

    The panel does not wait for ever; but longer than a lookup may take.
    """
    assert PS7Settings.model_fields["deadline"].default < server._TURN_TIMEOUT
    monkeypatch.setattr(server, "_TURN_TIMEOUT", 0.0)
    url = URL(f"{page.make_url('/api/turns/')}{asked}", encoded=True)
    assert (await page.session.get(url)).status == 504
    assert {*behind.asked} == {f"/rasa/conversations/{ana}/{QUERY}"}


async def test_a_page_that_comes_back_reads_what_was_said(
    page: Page, behind: Behind, ana: str
) -> None:
    """The words of all, and nothing else of the tracker; payloads are sealed, as in the channel."""
    behind.trackers = [{"events": EVENTS}]
    sealed = seal_payload(PASS_KEY.encode(), ana, "/affirm")
    assert await (await page.get("/api/said")).json() == [
        {"you": "", "id": "one"},
        {"text": "Olá!\n\nQuer?", "quick_replies": [{"title": "Sim", "payload": sealed}]},
        {"you": "Sim", "id": "two"},
        {"text": "Aguarde.", "custom": {"data": {"conversation": "handed_over"}}},
        {"you": "oi", "id": None},
        {"text": "Olá", "id": "k1", "agent": "Caio"},
        {"text": "Só texto.", "id": "k2", "agent": None},
        {"attachment": {"type": "image", "payload": {"src": PICTURE}}},
        {
            "attachment": {
                "type": "template",
                "payload": {
                    "template_type": "generic",
                    "elements": [{"title": "Ouro", "buttons": [{"payload": sealed}]}],
                },
            }
        },
        {"attachment": "https://a.example/c.pdf"},
        {"custom": ["of any shape"]},
        {"you": "", "id": None},
        {"custom": {"data": {"conversation": "returned"}}},
    ]
    assert behind.asked == [f"/rasa/conversations/{ana}/{QUERY}"]


async def test_a_turn_is_masked_and_the_token_stays_here(
    page: Page, behind: Behind, ana: str
) -> None:
    """The server asks Rasa, with its token, until the turn is over; the browser gets the turn."""
    behind.trackers.insert(0, {"events": []})
    turn = await (await page.get("/api/turns/one")).json()
    shown = {"name": "cpf", "value": "***.982.247-**", "masked": True, "changed": True}
    assert turn["slots"] == [shown]
    assert [each["ms"] for each in turn["lookups"]] == [7]
    assert [each["value"] for each in turn["handedOver"]] == ["asked"]
    tracker = f"/rasa/conversations/{ana}/{QUERY}"
    assert behind.asked == [tracker, tracker, "/ps7/requests"]


@pytest.mark.parametrize("status", [None, 401, 500])
async def test_the_page_hears_502_when_rasa_is_away(
    backstage: Backstage, behind: Behind, status: int | None
) -> None:
    """Or refuses. The page is told, and no address of what stands behind it."""
    closed = f"http://127.0.0.1:{free_port()}"
    behind.status = status or 200
    async with page_of(backstage if status else replace(backstage, rasa=closed)) as page:
        await log_in(page, "ana")
        for path in ("/api/turns/one", "/api/said"):
            answer = await page.get(path)
            assert answer.status == 502
            assert await answer.text() == "Rasa or the simulator does not answer"
