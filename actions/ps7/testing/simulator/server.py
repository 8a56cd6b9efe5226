"""The simulator's server: it listens, records what comes in, and sends the answer.

What is checked stands in `gateway`, what is known in `upstream`, the ways of sending in `delivery`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import gateway, pages, upstream
from .delivery import DELIVERIES
from .recorded import RecordedRequest
from .reply import Reply, make_reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from aiohttp import web
    from typing_extensions import Self

    from ..faults import Delivery

_UNNAMED = "simulator"
"""A credential for clients where any will do."""
_GRACE = 0.1
"""Seconds that answers under way get at a stop before their connections are closed."""


@dataclass(kw_only=True, eq=False)
class Simulator:
    """PS7 behind its gateway, on this machine: for a bot's tests, a demo, or a terminal.

    In a test, on a free port::

        async with Simulator() as ps7:
            settings = ps7.environment                  # PS7_BASE_URL, PS7_USERNAME, …
            ...                                         # let the bot talk
            assert ps7.requests[0].json == {"contextId": "ana"}

    It answers the contextIds of `PERSONAS` and `FAULTS`, those that `answer()` adds, and all others
    as PS7 does when it does not know a context (`code` 1). It takes plain contextIds and, as
    `encoded` has it, their Base64 form. `stop()` and `start()` let PS7 go down and come up again.

    From another process: `python -m actions.ps7.testing.simulator`.
    """

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free one at the first start, and keeps it."""
    username: str | None = _UNNAMED
    """The `userName` that a client must send; None takes any that is not empty."""
    password: str | None = field(default=_UNNAMED, repr=False)
    """The `password` that a client must send; None takes any that is not empty."""
    api_key: str | None = field(default=None, repr=False)
    """The `x-itau-apikey` that a client must send; None asks for none."""
    app_key: str | None = field(default=None, repr=False)
    """The `x-app-key` that a client must send; None asks for none."""
    keep: int = field(default=sys.maxsize, repr=False)
    """How many requests `requests` holds: the newest ones."""
    requests: list[RecordedRequest] = field(default_factory=list, init=False, repr=False)
    """What came in, oldest first, refused requests included; clear it as you like."""
    _answers: dict[str, Reply] = field(
        default_factory=upstream.known_answers, init=False, repr=False
    )
    _runner: web.ServerRunner | None = field(default=None, init=False, repr=False)

    @property
    def url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:40123`.

        Raises:
            RuntimeError: it was never started, so no free port was taken yet.

        """
        if not self.port:
            raise RuntimeError("the simulator was not started yet, so it has no port")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which the plugin finds this simulator.

        Raises:
            RuntimeError: it was never started.

        """
        variables = {
            "PS7_BASE_URL": self.url,
            "PS7_USERNAME": self.username or _UNNAMED,
            "PS7_PASSWORD": self.password or _UNNAMED,
            "PS7_API_KEY": self.api_key,
            "PS7_APP_KEY": self.app_key,
        }
        return {name: value for name, value in variables.items() if value is not None}

    def answer(
        self,
        context_id: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] = b"",
        delivery: Delivery = "whole",
    ) -> None:
        """Answer one contextId in a test's own way from now on, a persona's or a fault's included.

        A mapping goes out as JSON, bytes as they are; both say `application/json` unless the
        headers say otherwise. The gateway's checks still come first.
        """
        self._answers[context_id] = make_reply(status, body, headers, delivery)

    async def start(self) -> None:
        """Listen, on the same port as before if there was one. Does nothing where it listens.

        Raises:
            OSError: the port is taken, or the host is none of this machine.

        """
        from aiohttp import web  # noqa: PLC0415 - the action server imports this module too

        if self._runner is not None:
            return
        # A client that leaves ends its answer; and no access log: it would name paths and agents.
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_GRACE)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def stop(self) -> None:
        """Listen no more and close every connection. Does nothing where it does not listen."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        reply = pages.page(request.method, request.path, self.requests)
        if reply is None:
            # `request.read()` would refuse a body of more than 1 MiB before it is recorded.
            body = await request.content.read()
            reply = self._look_up(
                RecordedRequest(
                    method=request.method,
                    path=request.path_qs,
                    headers=request.headers,
                    body=body,
                    json=gateway.parse_json(body),
                )
            )
        return await DELIVERIES[reply.delivery](request, reply)

    def _look_up(self, request: RecordedRequest) -> Reply:
        refusal = gateway.check(request, self._credentials)
        if refusal is not None:
            reply = make_reply(refusal.status, refusal.body, refusal.headers)
            request = replace(request, refusal=refusal.reason)
        else:
            upstream_id = gateway.upstream_id(request.json)
            reply = upstream.answer(upstream_id, self._answers)
            request = replace(request, upstream_id=upstream_id)
        self.requests.append(replace(request, status=reply.status))
        del self.requests[: -self.keep]
        return reply

    @property
    def _credentials(self) -> gateway.Credentials:
        return gateway.Credentials(self.username, self.password, self.api_key, self.app_key)
