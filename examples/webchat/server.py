"""The server of the page: its files, who arrives, and what each turn left behind.

It stands for two things of a bank. The back-end that knows who is logged in: a cookie that no
script can read names the login, each login has one conversation, and `sign_pass` gives its page a
pass for the channel, with what goes into the metadata, above all the contextId. `show_turn` is for
whoever looks over the bot's shoulder: it reads Rasa's tracker, the simulator's record and the logs
of action server and agents' desk, and lets nothing personal through.

It listens on 127.0.0.1, answers under that name only, and allows the page to load and to call
nothing but this server and Rasa's socket.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import jwt
from aiohttp import web

from examples.channels.customer_text import seal_payload
from examples.channels.said import history

from .cards import CARDS, Card
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
_TURN_TIMEOUT = 15.0  # seconds; a lookup takes at most PS7_DEADLINE, four seconds
_TURN_PAUSE = 0.03
_PASS_SECONDS = 60
_COOKIE = "login"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; "
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
    webchat_key: str = field(repr=False)
    """The channel's `key` in credentials.yml: it signs which conversation a page may open."""
    rasa_token: str | None = field(default=None, repr=False)
    """Rasa's `--auth-token`: with one, the tracker is for this server alone."""
    arrival_key: str | None = field(default=None, repr=False)
    """One of the action server's `PS7_ARRIVAL_KEYS`: with one, contextIds leave here signed."""


@dataclass(frozen=True)
class Login:
    """Somebody who is logged in."""

    card: Card
    conversation: str = field(default_factory=partial(secrets.token_urlsafe, 24))
    """Rasa's sender id: random, and another one at the next login."""


_BACKSTAGE = web.AppKey("backstage", Backstage)
_HTTP = web.AppKey("http", aiohttp.ClientSession)
_LOGINS = web.AppKey("logins", dict[str, Login])


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
    app[_LOGINS] = {}
    app.cleanup_ctx.append(_client)
    app.on_response_prepare.append(_headers)
    app.add_routes(
        [
            *(web.get(path, _sender(file)) for path, file in _files().items()),
            web.get("/api/page", _page),
            web.post("/api/login", log_in),
            web.post("/api/logout", log_out),
            web.post("/api/pass", sign_pass),
            web.get("/api/said", show_said),
            web.get("/api/turns/{correlation}", show_turn),
        ]
    )
    return app


async def log_in(request: web.Request) -> web.Response:
    """Let somebody arrive. In production they log in, and the cookie is `Secure` as well."""
    try:
        card = CARDS.get((await request.json())["card"])
    except (ValueError, TypeError, KeyError):
        raise web.HTTPBadRequest(text='{"card": "…"}, please') from None
    if card is None:
        raise web.HTTPNotFound(text="nobody of that name")
    answer = await log_out(request)
    name = secrets.token_urlsafe(24)
    request.app[_LOGINS][name] = Login(card)
    answer.set_cookie(_COOKIE, name, httponly=True, samesite="Strict")
    return answer


async def log_out(request: web.Request) -> web.Response:
    """End a login, and with it the way into its conversation."""
    request.app[_LOGINS].pop(request.cookies.get(_COOKIE, ""), None)
    answer = web.json_response({})
    answer.del_cookie(_COOKIE)
    return answer


def _login(request: web.Request) -> Login:
    if login := request.app[_LOGINS].get(request.cookies.get(_COOKIE, "")):
        return login
    raise web.HTTPUnauthorized(text="nobody is logged in here")


async def sign_pass(request: web.Request) -> web.Response:
    """Return a pass for the conversation of whoever is logged in.

    In production the customer's contextId comes from the phone menu or the app's session, never
    from the browser, and leaves signed for this one conversation.
    """
    login, backstage, now = _login(request), request.app[_BACKSTAGE], int(time.time())
    metadata, context_id = {}, login.card.context_id
    if context_id is not None:
        if key := backstage.arrival_key:
            context_id = arrival_token(key, context_id, login.conversation, now)
        metadata["contextId"] = context_id
    claims = {"sub": login.conversation, "exp": now + _PASS_SECONDS, "metadata": metadata}
    return web.json_response({"pass": jwt.encode(claims, backstage.webchat_key, "HS256")})


async def show_said(request: web.Request) -> web.Response:
    """Return what was said in the conversation so far, for a page that comes back."""
    login, key = _login(request), request.app[_BACKSTAGE].webchat_key.encode()
    events = await _events(request, login)
    return web.json_response([*history(events, partial(seal_payload, key, login.conversation))])


async def show_turn(request: web.Request) -> web.Response:
    """Wait until Rasa is done with a turn, and return what may be seen of it."""
    login, deadline = _login(request), time.monotonic() + _TURN_TIMEOUT
    while (shown := await _turn(request, login, request.match_info["correlation"])) is None:
        if time.monotonic() > deadline:
            raise web.HTTPGatewayTimeout(text="Rasa knows no such message")
        await asyncio.sleep(_TURN_PAUSE)
    return web.json_response(shown)


async def _events(request: web.Request, login: Login) -> list[dict[str, Any]]:
    """Read a conversation from Rasa."""
    backstage = request.app[_BACKSTAGE]
    url = f"{backstage.rasa}/conversations/{login.conversation}/tracker"
    query = {"include_events": "ALL", "token": backstage.rasa_token or ""}
    tracker = await _json(request, url, query)
    events: list[dict[str, Any]] = tracker["events"]
    return events


async def _json(request: web.Request, url: str, query: dict[str, str]) -> Any:  # noqa: ANN401
    try:
        async with request.app[_HTTP].get(url, params=query, raise_for_status=True) as answer:
            return await answer.json()
    except aiohttp.ClientError as error:
        raise web.HTTPBadGateway(text="Rasa or the simulator does not answer") from error


async def _turn(request: web.Request, login: Login, correlation: str) -> dict[str, Any] | None:
    backstage, events = request.app[_BACKSTAGE], await _events(request, login)
    if all(_correlation(event) != correlation for event in events):
        return None
    requests = (await _json(request, f"{backstage.ps7}/requests", {}))["requests"]
    log = await asyncio.to_thread(backstage.actions_log.read_text, errors="replace")
    handed_over = await asyncio.to_thread(backstage.desk_log.read_text, "utf-8")
    return turn(events, requests, log, correlation, handed_over)


def _correlation(event: dict[str, Any]) -> object:
    return (event.get("metadata") or {}).get("correlationId")


async def _page(request: web.Request) -> web.Response:
    """Return what the page starts with."""
    backstage, who = request.app[_BACKSTAGE], None
    with suppress(web.HTTPUnauthorized):
        who = _login(request).card.name
    return web.json_response(
        {
            "rasa": backstage.rasa,
            "signed": backstage.arrival_key is not None,
            "who": who,
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
