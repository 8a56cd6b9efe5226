"""A small agents' desk: it takes hand-overs, lets an agent write, and returns the conversation.

    HANDOVER_TOKEN=… RASA_URL=http://127.0.0.1:5005 RASA_TOKEN=… python examples/desk.py --port 8090

A real desk is a product of its own. This one has what `actions/hand_over/` of the example bots asks
of any: a bearer token, an `Idempotency-Key` by which a hand-over that comes again is the one that
is there already, and 409 for the same key with another body. It also shows the way back, by Rasa's
HTTP API (`rasa run --enable-api --auth-token …`).

    GET    /handovers                  the tickets, by key
    GET    /handovers/<key>/messages   what customer and agent have written since
    PUT    /handovers/<key>/agent      an agent takes the ticket, and the customer is told
    POST   /handovers/<key>/messages   {"text": "…"}: the agent writes to the customer
    DELETE /handovers/<key>            the conversation goes back to the bot

Each but the first has a header `Agent: <name>`, and a message an `Idempotency-Key`. The first agent
who takes a ticket has it; others get 409. A ticket is over once it was returned, nobody
came, or its conversation is another one: a new hand-over, a new session. Then all of it is 410.

The answer to words says what became of them: 200 `{"delivered": true}`; 502 and false: it failed,
and the same key tries again; 504 and null if nobody knows: the same key looks for the words in
Rasa's tracker, and says nothing twice. Whoever does not wait asks again with the same key.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import os
import re
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable

CHANNELS = ("webchat", "whatsapp")
"""The channels that say how a delivery ended. Of `rest`, Rasa says 200, and nobody hears a word."""
PATIENCE = 900.0
"""Seconds for which a customer waits for an agent, before the bot takes over again."""
LONGEST, LONGEST_NAME = 2_000, 64
"""Characters of a message, and of a key or an agent's name."""
SIGNALS = {
    "joined": "{agent}, da nossa equipe, entrou na conversa.",
    "returned": "{agent} saiu da conversa. Estou de volta: posso ajudar em algo mais?",
    "never_came": "Nossa equipe não conseguiu atender agora. Continuo por aqui: como posso ajudar?",
}
"""What the page is told, by `custom` of what the desk says, and the customer."""
ONLY_TEXT = "Por aqui, a nossa equipe só recebe texto: o arquivo não chegou."
NO_TEXT, FILE = "/send_media", "(arquivo que este canal não traz)"
"""What a channel sends for a picture or a voice note, and what the agent reads."""

_DEADLINE = aiohttp.ClientTimeout(120.0)
"""Words wait for the turn that runs: Rasa locks a conversation for up to a minute."""
_QUERY = {"include_events": "ALL", "output_channel": "latest", "execute_side_effects": "true"}
_TOLD = re.compile(r"\b(not|perhaps) delivered: [^\n\"]*")
"""What a channel raises that says how a delivery ended: Rasa's answer has it."""
_AWAY = (aiohttp.ClientError, asyncio.TimeoutError, ValueError)
_DEAF = "over this channel nothing reaches the customer"

Outcome = tuple[int, dict[str, Any]]
"""What became of words: the status of the desk's answer, and its body."""
_DELIVERED: Outcome = 200, {"delivered": True}


class Rasa:
    """The part of Rasa's HTTP API that a desk needs. A conversation's id is Rasa's `sender_id`."""

    def __init__(self, url: str, token: str = "") -> None:
        """Take its address, and its `--auth-token`."""
        self._url, self._query = url, _QUERY | ({"token": token} if token else {})

    async def _tracker(self, conversation: str, *events: dict[str, Any]) -> dict[str, Any]:
        """Return the conversation, after these events.

        Raises:
            aiohttp.ClientError, asyncio.TimeoutError, ValueError: Rasa is away, or refuses.

        """
        method, what = ("POST", "tracker/events") if events else ("GET", "tracker")
        url = f"{self._url}/conversations/{quote(conversation, safe='')}/{what}"
        async with (
            aiohttp.ClientSession(timeout=_DEADLINE) as http,
            http.request(method, url, params=self._query, json=events or None) as answer,
        ):
            if not answer.ok:
                raise aiohttp.ClientError(await answer.text())
            tracker: dict[str, Any] = await answer.json()
            return tracker

    async def since_pause(self, conversation: str) -> list[dict[str, Any]] | None:
        """Return the events since the pause, oldest first; None if the bot has the conversation."""
        tracker = await self._tracker(conversation)
        events: list[dict[str, Any]] = tracker["events"]
        pauses = [place for place, event in enumerate(events) if event["event"] == "pause"]
        return events[pauses[-1] :] if tracker["paused"] and pauses else None

    async def say(
        self, conversation: str, key: str, text: str, agent: str | None, signal: object
    ) -> Outcome:
        """Write to the customer, over the channel from which they wrote last.

        The channel knows the desk's words by the event's metadata: `message_key` is there, and
        `agent`, None if the desk itself speaks. `signal` is for the page.
        """
        data = {"custom": {"data": signal}} if signal else {}
        metadata = {"agent": agent, "message_key": key}
        said = {"event": "bot", "text": text, "data": data, "metadata": metadata}
        try:
            await self._tracker(conversation, said)
        except _AWAY as error:
            told = _TOLD.search(str(error))
            if told and told[1] == "not":
                return 502, {"delivered": False, "why": told[0]}
            return 504, {"delivered": None, "why": told[0] if told else "Rasa did not answer"}
        return _DELIVERED

    async def resume(self, conversation: str) -> None:
        """End the pause: the bot answers what the customer writes from now on."""
        slot = {"event": "slot", "name": "handed_over", "value": False}
        await self._tracker(conversation, slot, {"event": "resume"})


@dataclass(eq=False)
class Ticket:
    """One hand-over: it waits, then an agent has it, then it is over."""

    context: dict[str, Any]
    agent: str | None = None
    over: bool = False
    timer: asyncio.Task[None] | None = None
    name: str = field(default_factory=secrets.token_urlsafe)
    said: dict[str, tuple[str, asyncio.Task[Outcome]]] = field(default_factory=dict)
    """Each text by its key, and what becomes of it."""

    @property
    def conversation(self) -> str:
        """Return Rasa's `sender_id`."""
        return str(self.context["conversation"])

    def end(self) -> None:
        """Let nobody write any more. What runs may be its timer."""
        self.over = True
        if self.timer is not None and self.timer is not asyncio.current_task():
            self.timer.cancel()

    def shown(self) -> dict[str, Any]:
        """Return what the list has of it. One that is over tells nothing of the customer."""
        state = "over" if self.over else "with an agent" if self.agent else "waiting"
        return {"state": state, "agent": self.agent, **({} if self.over else self.context)}


@dataclass(eq=False)
class Desk:
    """The tickets, by key, with the token that the action server has, and the way back."""

    token: str
    rasa: Rasa
    patience: float = PATIENCE
    channels: Collection[str] = CHANNELS
    shown: bool = True
    """Whether each hand-over is printed."""
    tickets: dict[str, Ticket] = field(default_factory=dict)

    def application(self) -> web.Application:
        """Return the server; the caller decides where it listens."""
        app = web.Application(middlewares=[self._check])
        app.cleanup_ctx.append(self._end)
        one = "/handovers/{key}"
        app.add_routes(
            [
                web.get("/", self._health),
                web.post("/handovers", self._take),
                web.get("/handovers", self._show),
                web.get(f"{one}/messages", self._read),
                web.put(f"{one}/agent", self._join),
                web.post(f"{one}/messages", self._write),
                web.delete(one, self._return),
            ]
        )
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="The desk is open.")

    async def _take(self, request: web.Request) -> web.Response:
        key, context = _header(request, "Idempotency-Key"), await _json(request)
        conversation = context.get("conversation")
        if not _is_named(conversation) or conversation in {".", ".."}:  # another path of Rasa's
            raise web.HTTPBadRequest(text="the conversation has no usable id")
        known = self.tickets.get(key)
        if known is not None and not known.over:
            if known.context != context:
                raise web.HTTPConflict(text="this key has another body")
            return web.json_response({})
        if (earlier := self._open(conversation)) is not None:
            earlier.end()
        ticket = self.tickets[key] = Ticket(context)
        if self.shown:
            print(json.dumps(context, ensure_ascii=False), flush=True)
        ticket.timer = asyncio.create_task(self._give_up(ticket))
        return web.json_response({}, status=201)

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response({key: ticket.shown() for key, ticket in self.tickets.items()})

    async def _read(self, request: web.Request) -> web.Response:
        ticket, _, events = await self._ticket(request)
        for event in events if ticket.agent else ():
            if event["event"] == "user" and event.get("text") == NO_TEXT:
                await self._say(ticket, f"file {event['timestamp']}", ONLY_TEXT)
        return web.json_response(written(events))

    async def _join(self, request: web.Request) -> web.Response:
        ticket, agent, _ = await self._ticket(request)
        if ticket.context.get("channel") not in self.channels:
            raise web.HTTPConflict(text=_DEAF)
        ticket.agent = agent
        if ticket.timer is not None:
            ticket.timer.cancel()
        return _answer(await self._tell(ticket, "joined"))

    async def _write(self, request: web.Request) -> web.Response:
        key, text = _header(request, "Idempotency-Key"), (await _json(request)).get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
            raise web.HTTPBadRequest(text=f"a text, please, of at most {LONGEST} characters")
        ticket, agent, _ = await self._ticket(request)
        if ticket.agent is None:
            raise web.HTTPConflict(text="nobody has taken this ticket")
        return _answer(await self._say(ticket, f"agent {key}", text, agent))

    async def _return(self, request: web.Request) -> web.Response:
        ticket, agent, _ = await self._ticket(request)
        ticket.agent = agent
        ticket.end()  # first: nobody writes while it goes
        return _answer(await asyncio.shield(self._back(ticket, "returned")))

    async def _ticket(self, request: web.Request) -> tuple[Ticket, str, list[dict[str, Any]]]:
        """Return a ticket that this agent has or may take, the agent, and the events since then."""
        agent = _header(request, "Agent")
        ticket = self.tickets.get(request.match_info["key"])
        if ticket is None:
            raise web.HTTPNotFound
        had = ticket.agent
        events = None if ticket.over else await self.rasa.since_pause(ticket.conversation)
        if events is None and had:  # a session's end, a restart: who is there now is another
            ticket.end()
        if ticket.over:
            raise web.HTTPGone(text="this ticket is over")
        if ticket.agent not in {None, agent}:
            raise web.HTTPConflict(text="another agent has this ticket")
        if events is None:
            raise web.HTTPConflict(text="the bot has this conversation")
        return ticket, agent, events

    async def _tell(self, ticket: Ticket, signal: str) -> Outcome:
        """Say who has the conversation now, to the customer and to the page."""
        if ticket.context.get("channel") not in self.channels:
            return 200, {"delivered": False, "why": _DEAF}
        told = {"conversation": signal, "agent": ticket.agent}
        text = SIGNALS[signal].format(agent=ticket.agent)
        return await self._say(ticket, signal, text, signal=told)

    async def _say(
        self, ticket: Ticket, key: str, text: str, agent: str | None = None, signal: object = None
    ) -> Outcome:
        """Say it once: a key that comes again joins what runs, or tries anew what has failed."""
        before, attempt = ticket.said.get(key, (text, None))
        if before != text:
            raise web.HTTPConflict(text="this key has another text")
        if attempt is None or (attempt.done() and attempt.result() != _DELIVERED):
            message = (f"{ticket.name} {key}", text, agent, signal)
            attempt = asyncio.create_task(self._attempt(ticket.conversation, message, attempt))
            ticket.said[key] = text, attempt
        return await asyncio.shield(attempt)

    async def _attempt(
        self,
        conversation: str,
        message: tuple[str, str, str | None, object],
        before: asyncio.Task[Outcome] | None,
    ) -> Outcome:
        """Say it; if nobody knows what became of it before, look for it instead."""
        if before is None or before.result()[1]["delivered"] is False:
            return await self.rasa.say(conversation, *message)
        with suppress(*_AWAY):
            events = await self.rasa.since_pause(conversation) or ()
            if message[0] in [_metadata(event).get("message_key") for event in events]:
                return _DELIVERED
        return before.result()

    async def _back(self, ticket: Ticket, signal: str) -> Outcome:
        """Return the conversation to the bot, and say so. If Rasa is away, the ticket stays."""
        try:
            await self.rasa.resume(ticket.conversation)
        except _AWAY:
            ticket.over = self._open(ticket.conversation) is not None
            raise
        return await self._tell(ticket, signal)

    def _open(self, conversation: object) -> Ticket | None:
        """Return the ticket of a conversation that is not over."""
        there = (each for each in self.tickets.values() if each.conversation == conversation)
        return next((ticket for ticket in there if not ticket.over), None)

    async def _give_up(self, ticket: Ticket) -> None:
        """Return a conversation to which no agent came. If Rasa is away, the session's end does."""
        await asyncio.sleep(self.patience)
        try:
            paused = await self.rasa.since_pause(ticket.conversation) is not None
            ticket.end()
            if paused:
                await self._back(ticket, "never_came")
        except _AWAY as error:
            print(f"A conversation was not returned: {type(error).__name__}", file=sys.stderr)

    async def _end(self, _: web.Application) -> AsyncIterator[None]:
        yield
        for ticket in self.tickets.values():
            ticket.end()
            for _text, attempt in ticket.said.values():
                attempt.cancel()

    @web.middleware
    async def _check(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401
        said = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if request.path != "/" and not hmac.compare_digest(said, f"Bearer {self.token}".encode()):
            raise web.HTTPUnauthorized
        try:
            answer: web.StreamResponse = await handler(request)
        except _AWAY:
            raise web.HTTPBadGateway(text="Rasa is away") from None
        return answer


def written(events: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Return what customer, agent and desk wrote. A pressed button has its title, if it is told."""
    lines = []
    for event in events:
        if text := event.get("text"):
            if event["event"] == "user":
                title = _metadata(event).get("title") if text.startswith("/") else None
                lines.append(
                    {"who": "customer", "text": FILE if text == NO_TEXT else title or text}
                )
            elif event["event"] == "bot":
                who = "agent" if _metadata(event).get("agent") else "desk"
                lines.append({"who": who, "text": text})
    return lines


def _metadata(event: dict[str, Any]) -> dict[str, Any]:
    return event.get("metadata") or {}


def _is_named(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip()) and name.isprintable()


def _header(request: web.Request, name: str) -> str:
    given = request.headers.get(name, "").strip()
    if not _is_named(given) or len(given) > LONGEST_NAME:
        raise web.HTTPBadRequest(text=f"a header {name}, please")
    return given


async def _json(request: web.Request) -> dict[str, Any]:
    with suppress(ValueError, LookupError, RecursionError):
        if isinstance(body := await request.json(), dict):
            return body
    raise web.HTTPBadRequest(text="a JSON object, please")


def _answer(outcome: Outcome) -> web.Response:
    status, body = outcome
    return web.json_response(body, status=status)


def main() -> None:
    """Take hand-overs until Ctrl+C.

    Raises:
        SystemExit: HANDOVER_TOKEN is not set.

    """
    parser = argparse.ArgumentParser(description="A small agents' desk.")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds for an agent")
    parser.add_argument("--channels", nargs="*", default=CHANNELS, help="that say what arrived")
    options = parser.parse_args()
    token = os.environ.get("HANDOVER_TOKEN") or sys.exit("HANDOVER_TOKEN is not set")
    url = os.environ.get("RASA_URL") or "http://127.0.0.1:5005"
    rasa = Rasa(url, os.environ.get("RASA_TOKEN", ""))
    app = Desk(token, rasa, patience=options.patience, channels=options.channels).application()
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
