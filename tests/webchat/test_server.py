"""The page's server, without a browser: what it hands out, to whom, and what it keeps back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from actions.ps7.testing import PERSONAS
from examples.webchat.server import Backstage
from tests.support.processes import free_port
from tests.webchat.visit import served

KEY = "a secret of the bank's back-end, made up"
TOKEN = "made up as well"
TRACKER = {
    "events": [
        {"event": "user", "metadata": {"contextId": "ana", "correlationId": "one"}},
        {"event": "slot", "name": "cpf", "value": "52998224725"},
    ]
}


@pytest.fixture
def asked() -> list[str]:
    """Return what Rasa and the simulator were asked."""
    return []


@pytest.fixture
async def backstage(asked: list[str], tmp_path: Path) -> AsyncIterator[Backstage]:
    """Answer as Rasa and the simulator do: one tracker, and no request."""

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return web.json_response({"requests": []} if request.path == "/requests" else TRACKER)

    log = tmp_path / "actions.log"
    desk = tmp_path / "desk.log"
    log.touch()
    desk.touch()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application, host="127.0.0.1") as behind:
        url = str(behind.make_url("")).rstrip("/")
        yield Backstage(url, url, log, desk, TOKEN, KEY)


@pytest.fixture
async def url(backstage: Backstage) -> AsyncIterator[str]:
    """Serve the page."""
    async with served(backstage) as url:
        yield url


async def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Return the status, the text and the headers of an answer."""
    async with aiohttp.request("GET", url, headers=headers) as answer:
        return answer.status, await answer.text(), dict(answer.headers)


async def arrive(url: str, card: str, conversation: str = "r2S0_Ic8") -> Any:  # noqa: ANN401 - JSON
    """Open a chat with this card."""
    asked = {"card": card, "conversation": conversation}
    async with aiohttp.request("POST", f"{url}api/arrivals", json=asked) as answer:
        return await answer.json() if answer.ok else answer.status


@pytest.mark.parametrize("path", ["", "main.js", "api/page", "nothing"])
async def test_every_answer_is_strict(backstage: Backstage, url: str, path: str) -> None:
    """A page may load and call this server and Rasa's socket, and nothing else; nothing is kept."""
    _, _, headers = await get(url + path)
    socket = backstage.rasa.replace("http", "ws")
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    strict = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    strict |= {"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}
    assert headers.items() >= strict.items()


@pytest.mark.parametrize(
    "path", ["nothing", "..%2fserver.py", "package.json", "app/main.js", "api/turns/a%20b/one"]
)
async def test_no_other_file_is_handed_out(url: str, asked: list[str], path: str) -> None:
    """What is not the page's is not there, and no address of Rasa's is made of what is no id."""
    assert (await get(url + path))[0] == 404
    assert asked == []


async def test_it_answers_under_the_names_of_this_machine(url: str) -> None:
    """A page elsewhere may point a name of its own at 127.0.0.1, and get nothing."""
    assert (await get(url, Host="bank.example"))[0] == 421


async def test_the_page_knows_no_context_id_before_an_arrival(
    backstage: Backstage, url: str
) -> None:
    """The cards hold names and texts."""
    _, text, _ = await get(f"{url}api/page")
    page = json.loads(text)
    assert (page["rasa"], page["signed"]) == (backstage.rasa, True)
    assert page["cards"][0]["heading"] == {"pt-BR": "Ana", "en": "Ana"}
    assert PERSONAS["exemplo"].context_id not in text


async def test_an_arrival_brings_a_signed_context_id(backstage: Backstage, url: str) -> None:
    """Signed for this conversation and for two minutes; without a key it comes as it is."""
    metadata = await arrive(url, "exemplo")
    assert metadata.keys() == {"contextId"}
    claims = jwt.decode(metadata["contextId"], KEY, algorithms=["HS256"])
    assert (claims["contextId"], claims["sub"]) == ("123123213", "r2S0_Ic8")
    assert claims["exp"] - claims["iat"] == 120

    logs = (backstage.actions_log, backstage.desk_log)
    async with served(Backstage(backstage.rasa, backstage.ps7, *logs)) as bare:
        assert await arrive(bare, "exemplo") == {"contextId": "123123213"}
        assert await arrive(bare, "nobody") == {}


@pytest.mark.parametrize(
    ("card", "conversation"), [("zoe", "r2S0"), ("ana", "../x"), ("ana", ""), ("ana", "x" * 129)]
)
async def test_an_arrival_that_is_none(url: str, card: str, conversation: str) -> None:
    """There is no such card, or what is named is no id of a socket."""
    assert await arrive(url, card, conversation) == 404


async def test_a_turn_is_masked_and_the_token_stays_here(url: str, asked: list[str]) -> None:
    """The server asks Rasa with its token; the browser gets the turn alone."""
    _, text, _ = await get(f"{url}api/turns/r2S0/one")
    shown = {"name": "cpf", "value": "***.982.247-**", "masked": True, "changed": True}
    assert json.loads(text)["slots"] == [shown]
    assert asked == [
        "/conversations/r2S0/tracker?include_events=ALL&token=made+up+as+well",
        "/requests",
    ]


async def test_rasa_does_not_answer(tmp_path: Path) -> None:
    """The page is told, and no address of what stands behind it."""
    closed = f"http://127.0.0.1:{free_port()}"
    async with served(Backstage(closed, closed, tmp_path, tmp_path)) as url:
        *said, _ = await get(f"{url}api/turns/r2S0/one")
    assert said == [502, "Rasa or the simulator does not answer"]
