"""The server of the page: its files, who arrives, and what each turn left behind.

It stands for two things of a bank. `arrive` is the back-end that knows who is there: it says what
goes into the metadata of the channel, above all the contextId. `show_turn` is for whoever looks
over the bot's shoulder: it reads Rasa's tracker, the simulator's record and the logs of action
server and agents' desk, and lets nothing personal through.

It listens on 127.0.0.1, answers under that name only, and allows the page to load and to call
nothing but this server and Rasa's socket.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from .cards import CARDS
from .turns import turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "backend"))

from arrival_token import arrival_token  # noqa: E402 - a folder of scripts, and no package

CLIENT = HERE / "node_modules" / "socket.io-client" / "dist" / "socket.io.esm.min.js"
"""socket.io's own client, as `npm install` puts it there."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_WORD = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TURN_TIMEOUT = 15.0  # seconds; a lookup takes at most PS7_DEADLINE, four seconds
_TURN_PAUSE = 0.03
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Backstage:
    """What the page's server knows, and the browser does not."""

    rasa: str
    ps7: str
    actions_log: Path
    desk_log: Path
    rasa_token: str | None = field(default=None, repr=False)
    """Rasa's `--auth-token`: with one, the tracker is for this server alone."""
    arrival_key: str | None = field(default=None, repr=False)
    """One of the action server's `PS7_ARRIVAL_KEYS`: with one, contextIds leave here signed."""


_BACKSTAGE = web.AppKey("backstage", Backstage)
_HTTP = web.AppKey("http", aiohttp.ClientSession)


def require_client() -> None:
    """See that npm was here.

    Raises:
        SystemExit: it was not; the text says what to do.

    """
    if not CLIENT.exists():
        sys.exit(
            "socket.io's client is not there: `make webchat` gets it, or run "
            "`npm install --no-package-lock` in examples/webchat"
        )


def application(backstage: Backstage) -> web.Application:
    """Make the server; who calls it decides where it listens."""
    app = web.Application(middlewares=[_only_this_machine])
    app[_BACKSTAGE] = backstage
    app.cleanup_ctx.append(_client)
    app.on_response_prepare.append(_headers)
    app.add_routes(
        [
            *(web.get(path, _sender(file)) for path, file in _files().items()),
            web.get("/api/page", _page),
            web.post("/api/arrivals", arrive),
            web.get("/api/turns/{conversation}/{correlation}", show_turn),
        ]
    )
    return app


async def arrive(request: web.Request) -> web.Response:
    """Return the metadata that the chat sends along in this conversation.

    In production the customer's contextId comes from the phone menu or the app's session, never
    from the browser, and leaves signed for this one conversation. Its id is that of the socket:
    Rasa's server made it.
    """
    asked = await request.json()
    card, conversation = CARDS.get(asked["card"]), str(asked["conversation"])
    if card is None or not _WORD.fullmatch(conversation):
        raise web.HTTPNotFound(text="nobody of that name")
    if card.context_id is None:
        return web.json_response({})
    key = request.app[_BACKSTAGE].arrival_key
    context_id = card.context_id
    if key:
        context_id = arrival_token(key, context_id, conversation, int(time.time()))
    return web.json_response({"contextId": context_id})


async def show_turn(request: web.Request) -> web.Response:
    """Wait until Rasa is done with a turn, and give what may be seen of it."""
    names = request.match_info
    if not all(_WORD.fullmatch(name) for name in names.values()):
        raise web.HTTPNotFound
    deadline = time.monotonic() + _TURN_TIMEOUT
    try:
        while (shown := await _turn(request, **names)) is None:
            if time.monotonic() > deadline:
                raise web.HTTPGatewayTimeout(text="Rasa knows no such message")
            await asyncio.sleep(_TURN_PAUSE)
    except aiohttp.ClientError as error:
        raise web.HTTPBadGateway(text="Rasa or the simulator does not answer") from error
    return web.json_response(shown)


async def _turn(request: web.Request, conversation: str, correlation: str) -> dict[str, Any] | None:
    backstage, http = request.app[_BACKSTAGE], request.app[_HTTP]
    token = {"token": backstage.rasa_token} if backstage.rasa_token else {}
    url = f"{backstage.rasa}/conversations/{conversation}/tracker"
    query = {"include_events": "ALL", **token}
    async with http.get(url, params=query, raise_for_status=True) as answer:
        events = (await answer.json())["events"]
    if all(_correlation(event) != correlation for event in events):
        return None
    async with http.get(f"{backstage.ps7}/requests", raise_for_status=True) as answer:
        requests = (await answer.json())["requests"]
    log = await asyncio.to_thread(backstage.actions_log.read_text, errors="replace")
    handed_over = await asyncio.to_thread(backstage.desk_log.read_text, "utf-8")
    return turn(events, requests, log, correlation, handed_over)


def _correlation(event: dict[str, Any]) -> object:
    return (event.get("metadata") or {}).get("correlationId")


async def _page(request: web.Request) -> web.Response:
    """Return what the page starts with."""
    backstage = request.app[_BACKSTAGE]
    return web.json_response(
        {
            "rasa": backstage.rasa,
            "signed": backstage.arrival_key is not None,
            "cards": [card.shown() for card in CARDS.values()],
        }
    )


def _files() -> dict[str, Path]:
    """List what may be asked for: the files of app/, and socket.io's client."""
    files = {f"/{file.name}": file for file in (HERE / "app").iterdir() if file.suffix in _TYPES}
    return {"/": HERE / "app" / "index.html", **files, "/socket.io.js": CLIENT}


def _sender(file: Path) -> Any:  # noqa: ANN401 - aiohttp's own type is wider than a function
    async def send(_: web.Request) -> web.FileResponse:
        return web.FileResponse(file, headers={"Content-Type": _TYPES[file.suffix]})

    return send


async def _client(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as app[_HTTP]:
        yield


@web.middleware
async def _only_this_machine(request: web.Request, handler: Any) -> Any:  # noqa: ANN401
    """Refuse other names for this address: a page elsewhere could have them point here."""
    if request.url.host not in {"127.0.0.1", "localhost"}:
        raise web.HTTPMisdirectedRequest
    return await handler(request)


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    socket = request.app[_BACKSTAGE].rasa.replace("http://", "ws://", 1)
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = _POLICY.format(socket=socket)
