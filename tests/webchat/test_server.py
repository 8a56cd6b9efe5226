"""The page's server, without a browser: what it hands out, to whom, and what it keeps back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from actions.ps7.testing import PERSONAS
from examples.webchat import server
from examples.webchat.server import Backstage
from tests.support.processes import free_port
from tests.webchat.visit import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEY = "a secret of the bank's back-end, made up"
TOKEN = "made up as well"
TRACKER = {
    "events": [
        {"event": "user", "metadata": {"contextId": "ana", "correlationId": "one"}},
        {"event": "slot", "name": "cpf", "value": "52998224725"},
    ]
}


class Stand:
    """Stands where Rasa and the simulator stand, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Give one tracker, and no request."""
        self.asked.append(request.path_qs)
        return web.json_response({"requests": []} if request.path == "/requests" else TRACKER)


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest_asyncio.fixture
async def backstage(stand: Stand, tmp_path: Path) -> AsyncIterator[Backstage]:
    """Have something to ask behind the page."""
    log = tmp_path / "actions.log"
    log.touch()
    handler = web.Application()
    handler.router.add_route("*", "/{path:.*}", stand.answer)
    async with TestServer(handler, host="127.0.0.1") as behind:
        url = str(behind.make_url("")).rstrip("/")
        yield Backstage(url, url, log, TOKEN, KEY)


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def arrive(
    http: aiohttp.ClientSession, url: str, card: str, conversation: str = "r2S0_Ic8"
) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Open a chat as somebody."""
    asked = {"card": card, "conversation": conversation}
    async with http.post(f"{url}api/arrivals", json=asked) as answer:
        return await answer.json() if answer.ok else answer.status


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("", "text/html; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("main.js", "text/javascript; charset=utf-8"),
        ("mark.svg", "image/svg+xml"),
        ("api/page", "application/json; charset=utf-8"),
        ("nothing", "text/plain; charset=utf-8"),
    ],
)
async def test_every_answer_is_strict(
    http: aiohttp.ClientSession, backstage: Backstage, path: str, kind: str
) -> None:
    """A page may load and call this server and Rasa's socket, and nothing else; nothing is kept."""
    async with served(backstage) as url, http.get(url + path) as answer:
        said = {name: answer.headers[name] for name in answer.headers}

    socket = backstage.rasa.replace("http", "ws")
    assert said.pop("Content-Type") == kind
    assert {name: said[name] for name in server._HEADERS} == {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    assert said["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


@pytest.mark.parametrize("path", ["nothing", "..%2fserver.py", "package.json", "app/main.js"])
async def test_no_other_file_is_handed_out(
    http: aiohttp.ClientSession, backstage: Backstage, path: str
) -> None:
    """What is not the page's is not there."""
    async with served(backstage) as url, http.get(url + path) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(("host", "status"), [("bank.example", 421), ("localhost", 200)])
async def test_it_answers_under_the_names_of_this_machine(
    http: aiohttp.ClientSession, backstage: Backstage, host: str, status: int
) -> None:
    """A page elsewhere may point a name of its own at 127.0.0.1, and get nothing."""
    async with served(backstage) as url, http.get(url, headers={"Host": host}) as answer:
        assert answer.status == status


async def test_the_page_knows_no_context_id_before_somebody_arrives(
    http: aiohttp.ClientSession, backstage: Backstage
) -> None:
    """The cards hold names and texts."""
    async with served(backstage) as url, http.get(f"{url}api/page") as answer:
        page = await answer.json()

    assert page.keys() == {"rasa", "signed", "cards"}
    assert (page["rasa"], page["signed"]) == (backstage.rasa, True)
    assert page["cards"][0] == {
        "name": "ana",
        "group": "customers",
        "outcome": "ok",
        "segment": "Personnalité",
        "heading": {"pt-BR": "Ana", "en": "Ana"},
        "about": {"pt-BR": "autenticada, token válido", "en": "authenticated, token valid"},
    }
    assert PERSONAS["exemplo"].context_id not in json.dumps(page)


async def test_who_arrives_brings_a_signed_context_id(
    http: aiohttp.ClientSession, backstage: Backstage
) -> None:
    """It is signed for this conversation, and for two minutes."""
    async with served(backstage) as url:
        metadata = await arrive(http, url, "exemplo")

    assert metadata.keys() == {"contextId"}
    claims = jwt.decode(metadata["contextId"], KEY, algorithms=["HS256"])
    assert (claims["contextId"], claims["sub"]) == ("123123213", "r2S0_Ic8")
    assert claims["exp"] - claims["iat"] == 120


async def test_without_a_key_the_context_id_comes_as_it_is(
    http: aiohttp.ClientSession, backstage: Backstage
) -> None:
    """As `make webchat` has it unless told otherwise."""
    bare = Backstage(backstage.rasa, backstage.ps7, backstage.actions_log)
    async with served(bare) as url:
        assert await arrive(http, url, "exemplo") == {"contextId": "123123213"}
        assert await arrive(http, url, "nobody") == {}


@pytest.mark.parametrize(
    ("card", "conversation"), [("zoe", "r2S0"), ("ana", "../x"), ("ana", ""), ("ana", "x" * 129)]
)
async def test_nobody_of_that_name(
    http: aiohttp.ClientSession, backstage: Backstage, card: str, conversation: str
) -> None:
    """Who has no card does not arrive, and what is no id of a socket opens nothing."""
    async with served(backstage) as url:
        assert await arrive(http, url, card, conversation) == 404


async def test_a_turn_is_masked_and_the_token_stays_here(
    http: aiohttp.ClientSession, backstage: Backstage, stand: Stand
) -> None:
    """The server asks Rasa with its token; the browser gets the turn alone."""
    async with served(backstage) as url, http.get(f"{url}api/turns/r2S0/one") as answer:
        turn = await answer.json()

    assert turn["slots"] == [{"name": "cpf", "value": "***.982.247-**", "changed": True}]
    assert stand.asked == [
        "/conversations/r2S0/tracker?include_events=ALL&token=made+up+as+well",
        "/requests",
    ]


async def test_a_turn_that_never_comes(
    http: aiohttp.ClientSession,
    backstage: Backstage,
    stand: Stand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rasa is asked again for a while, and then the page is told."""
    monkeypatch.setattr(server, "_TURN_TIMEOUT", 0.1)
    async with served(backstage) as url, http.get(f"{url}api/turns/r2S0/two") as answer:
        assert (answer.status, await answer.text()) == (504, "Rasa knows no such message")

    assert len(stand.asked) > 1


async def test_ids_that_are_none(
    http: aiohttp.ClientSession, backstage: Backstage, stand: Stand
) -> None:
    """They never get into an address of Rasa's."""
    async with served(backstage) as url, http.get(f"{url}api/turns/a%20b/one") as answer:
        assert answer.status == 404

    assert stand.asked == []


async def test_rasa_does_not_answer(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """The page is told, and no address of what stands behind it."""
    nobody = f"http://127.0.0.1:{free_port()}"
    dark = Backstage(nobody, nobody, tmp_path / "actions.log")
    async with served(dark) as url, http.get(f"{url}api/turns/r2S0/one") as answer:
        said = (answer.status, await answer.text())

    assert said == (502, "Rasa or the simulator does not answer")


def test_what_the_server_knows_stays_out_of_its_text(backstage: Backstage) -> None:
    """Neither the token nor the key is in a log that shows the object."""
    assert TOKEN not in repr(backstage)
    assert KEY not in repr(backstage)


def test_without_the_client_of_socket_io(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line says what is missing and where it comes from."""
    monkeypatch.setattr(server, "CLIENT", tmp_path / "socket.io.js")

    with pytest.raises(SystemExit) as ended:
        server.require_client()

    assert ended.value.code == (
        "socket.io's client is not there: `make webchat` gets it, or run "
        "`npm install --no-package-lock` in examples/webchat"
    )
