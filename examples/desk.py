"""A small agents' desk: it takes hand-overs from the bot's action server, and shows them.

`HANDOVER_TOKEN=… python examples/desk.py --port 8090`. A real desk is a product of its own; this
one has what the example bots' `actions/desk.py` asks of any: a bearer token, and an
`Idempotency-Key` by which a hand-over that comes again is the one that is there already.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import sys
from typing import Any

from aiohttp import web


class Desk:
    """What has arrived, by its key."""

    def __init__(self, token: str, *, shown: bool = True) -> None:
        """Take the token that the action server has as well; `shown`: each is printed."""
        self._shown = shown
        self._token = f"Bearer {token}".encode()
        self.arrived: dict[str, dict[str, Any]] = {}

    def application(self) -> web.Application:
        """Return the server; the caller decides where it listens."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._health),
                web.post("/handovers", self._take),
                web.get("/handovers", self._show),
            ]
        )
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="The desk is open.")

    async def _take(self, request: web.Request) -> web.Response:
        self._check(request)
        key, context = request.headers.get("Idempotency-Key"), await request.json()
        if not key or not isinstance(context, dict):
            raise web.HTTPBadRequest(text="an Idempotency-Key and a JSON object, please")
        new = self.arrived.setdefault(key, context) is context
        if new and self._shown:
            print(json.dumps(context, ensure_ascii=False), flush=True)
        return web.json_response({}, status=201 if new else 200)

    async def _show(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response([*self.arrived.values()])

    def _check(self, request: web.Request) -> None:
        said = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(said, self._token):
            raise web.HTTPUnauthorized


def main() -> None:
    """Take hand-overs until Ctrl+C.

    Raises:
        SystemExit: HANDOVER_TOKEN is not set.

    """
    parser = argparse.ArgumentParser(description="A small agents' desk.")
    parser.add_argument("--port", type=int, default=8090)
    options = parser.parse_args()
    token = os.environ.get("HANDOVER_TOKEN") or sys.exit("HANDOVER_TOKEN is not set")
    app = Desk(token).application()
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
