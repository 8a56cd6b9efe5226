"""A small agents' desk: it takes hand-overs, lets an agent write, and returns the conversation.

    HANDOVER_TOKEN=… RASA_URL=http://127.0.0.1:5005 RASA_TOKEN=… python examples/desk.py --port 8090

A real desk is a product of its own. This one has what `actions/desk.py` of the example bots asks of
any: a bearer token, an `Idempotency-Key` by which a hand-over that comes again is the one that is
there already, and 409 for the same key with another body. It also shows the way back, by Rasa's
HTTP API (`rasa run --enable-api --auth-token …`).

    GET    /handovers                  what has arrived, by key
    GET    /handovers/<key>/messages   what customer and agent have written since
    POST   /handovers/<key>/messages   {"text": "…"}: an agent writes to the customer
    DELETE /handovers/<key>            the conversation goes back to the bot
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import os
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE = 900.0
"""Seconds for which a customer waits for an agent, before the bot takes over again."""
_DEADLINE = aiohttp.ClientTimeout(10.0)


class Rasa:
    """The part of Rasa's HTTP API that a desk needs. A conversation's id is Rasa's `sender_id`."""

    def __init__(self, url: str, token: str = "") -> None:
        """Take its address, and its `--auth-token`."""
        self._url, self._token = url, {"token": token} if token else {}

    async def _call(self, method: str, conversation: str, what: str, body: object = None) -> Any:  # noqa: ANN401
        query = {**self._token, "output_channel": "latest", "execute_side_effects": "true"}
        url = f"{self._url}/conversations/{quote(conversation, safe='')}/{what}"
        async with (
            aiohttp.ClientSession(timeout=_DEADLINE, raise_for_status=True) as http,
            http.request(
                method, url, params={**query, "include_events": "ALL"}, json=body
            ) as answer,
        ):
            return await answer.json()

    async def written(self, conversation: str) -> list[dict[str, str]]:
        """Return what was written since the last pause, oldest first."""
        events = (await self._call("GET", conversation, "tracker"))["events"]
        pauses = [place for place, event in enumerate(events) if event["event"] == "pause"]
        return [
            {"who": {"user": "customer"}.get(event["event"], "agent"), "text": event["text"]}
            for event in events[max(pauses, default=len(events)) :]
            if event["event"] in {"user", "bot"} and event.get("text")
        ]

    async def write(self, conversation: str, text: str) -> None:
        """Write to the customer, over the channel from which they wrote last."""
        said = {"event": "bot", "text": text, "data": {}, "metadata": {}}
        await self._call("POST", conversation, "tracker/events", [said])

    async def resume(self, conversation: str, intent: str) -> None:
        """End the pause, and let the bot say something: `intent` names why.

        A bot without intents, in CALM, says nothing until the customer writes. Its next prompt
        has what the agent wrote.
        """
        back = [{"event": "slot", "name": "handed_over", "value": False}, {"event": "resume"}]
        await self._call("POST", conversation, "tracker/events", back)
        try:
            await self._call("POST", conversation, "trigger_intent", {"name": intent})
        except aiohttp.ClientResponseError as error:
            if error.status != web.HTTPNotFound.status_code:
                raise


class Desk:
    """What has arrived, by its key."""

    def __init__(
        self,
        token: str,
        rasa: Rasa | None = None,
        *,
        patience: float = PATIENCE,
        shown: bool = True,
    ) -> None:
        """Take the token that the action server has, and the way back; `shown`: print each."""
        self._shown, self._rasa, self._patience = shown, rasa, patience
        self._token = f"Bearer {token}".encode()
        self.arrived: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}

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
                web.post(f"{one}/messages", self._write),
                web.delete(one, self._return),
            ]
        )
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="The desk is open.")

    async def _take(self, request: web.Request) -> web.Response:
        key, context = request.headers.get("Idempotency-Key"), await request.json()
        if not key or not isinstance(context, dict):
            raise web.HTTPBadRequest(text="an Idempotency-Key and a JSON object, please")
        taken = self.arrived.setdefault(key, context)
        if taken is context:
            if self._shown:
                print(json.dumps(context, ensure_ascii=False), flush=True)
            if self._rasa is not None:
                self._waiting[key] = asyncio.create_task(self._give_up(key, self._rasa))
            return web.json_response({}, status=201)
        if taken != context:
            raise web.HTTPConflict(text="this key has another body")
        return web.json_response({})

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response(self.arrived)

    async def _read(self, request: web.Request) -> web.Response:
        rasa, conversation = self._conversation(request)
        return web.json_response(await rasa.written(conversation))

    async def _write(self, request: web.Request) -> web.Response:
        rasa, conversation = self._conversation(request)
        text = str((await request.json())["text"])
        self._came(request.match_info["key"])
        await rasa.write(conversation, text)
        return web.json_response({})

    async def _return(self, request: web.Request) -> web.Response:
        rasa, conversation = self._conversation(request)
        self._came(request.match_info["key"])
        await rasa.resume(conversation, "agent_returned")
        return web.json_response({})

    def _conversation(self, request: web.Request) -> tuple[Rasa, str]:
        context = self.arrived.get(request.match_info["key"])
        if context is None or self._rasa is None:
            raise web.HTTPNotFound
        return self._rasa, str(context["conversation"])

    def _came(self, key: str) -> None:
        """Note that an agent is there: the customer no longer waits."""
        if (waiting := self._waiting.pop(key, None)) is not None:
            waiting.cancel()

    async def _give_up(self, key: str, rasa: Rasa) -> None:
        """Return a conversation to which no agent came. If Rasa is away, the session's end does."""
        await asyncio.sleep(self._patience)
        del self._waiting[key]
        try:
            await rasa.resume(str(self.arrived[key]["conversation"]), "agent_never_came")
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            print(f"A conversation was not returned: {type(error).__name__}", file=sys.stderr)

    async def _end(self, _: web.Application) -> AsyncIterator[None]:
        yield
        for waiting in self._waiting.values():
            waiting.cancel()

    @web.middleware
    async def _check(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401
        said = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if request.path != "/" and not hmac.compare_digest(said, self._token):
            raise web.HTTPUnauthorized
        answer: web.StreamResponse = await handler(request)
        return answer


def main() -> None:
    """Take hand-overs until Ctrl+C.

    Raises:
        SystemExit: HANDOVER_TOKEN is not set.

    """
    parser = argparse.ArgumentParser(description="A small agents' desk.")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds for an agent")
    options = parser.parse_args()
    token = os.environ.get("HANDOVER_TOKEN") or sys.exit("HANDOVER_TOKEN is not set")
    url = os.environ.get("RASA_URL")
    rasa = Rasa(url, os.environ.get("RASA_TOKEN", "")) if url else None
    app = Desk(token, rasa, patience=options.patience).application()
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
