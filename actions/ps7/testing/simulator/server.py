"""The simulator's Python face: it records what comes in, and finds the answer.

What is checked stands in `gateway` and `token_endpoint`, what is known in `upstream`, the ways of
sending in `delivery`, and the socket in `listener`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..faults import ELSEWHERE
from . import gateway, pages, token_endpoint
from .delivery import DELIVERIES
from .listener import Listener
from .recorded import RecordedRequest
from .reply import Reply, make_reply
from .tokens import Tokens
from .upstream import Answers

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from aiohttp import web
    from typing_extensions import Self

    from ..faults import Delivery

_UNNAMED = "simulator"
"""A credential for clients where any will do."""


@dataclass(kw_only=True, eq=False)
class Simulator:
    """PS7 behind its gateway, on this machine: for a bot's tests, a demo, or a terminal.

    In a test, on a free port::

        async with Simulator() as ps7:
            settings = ps7.environment                  # PS7_BASE_URL, PS7_USERNAME, …
            ...                                         # let the bot talk
            assert ps7.requests[0].json == {"contextId": "ana"}

    It answers the contextIds of `PERSONAS` and `FAULTS`, those that `answer()` and `script()` add,
    and all others as PS7 does when it does not know a context (`code` 1). It takes plain contextIds
    and, as `encoded` has it, their Base64 form. `stop()` and `start()` let PS7 go down and come up.

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
    app_secret: str | None = field(default=None, repr=False)
    """With one, the token endpoint gives tokens for it and `app_key`, and lookups must bring one;
    None asks for none."""
    token_seconds: int = token_endpoint.MOST_SECONDS
    """For how long a token holds at most, whatever was asked for."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """With one, it speaks https."""
    host_name: str | None = None
    """The host in `url`, such as one that a certificate is made for; None: that of `host`."""
    redirect_to: str = ELSEWHERE
    """Where the faults that redirect lead."""
    keep: int = field(default=sys.maxsize, repr=False)
    """How many requests `requests` and `token_requests` hold: the newest ones."""
    requests: list[RecordedRequest] = field(default_factory=list, init=False, repr=False)
    """What came in, oldest first, refused requests included; clear it as you like."""
    token_requests: list[RecordedRequest] = field(default_factory=list, init=False, repr=False)
    """What came in at the token endpoint, likewise."""
    _answers: Answers = field(init=False, repr=False)
    _tokens: Tokens = field(default_factory=Tokens, init=False, repr=False)
    _token_reply: Reply | None = field(default=None, init=False, repr=False)
    _listener: Listener = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._answers = Answers(self.redirect_to)
        self._listener = Listener(self._handle)

    @property
    def url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:40123`.

        Raises:
            RuntimeError: it was never started, so no free port was taken yet.

        """
        if not self.port:
            raise RuntimeError("the simulator was not started yet, so it has no port")
        host = self.host_name or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'https' if self.ssl_context else 'http'}://{host}:{self.port}"

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
            "PS7_APP_KEY": self.app_key or (_UNNAMED if self.app_secret else None),
            "PS7_APP_SECRET": self.app_secret,
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
        self._answers.put(context_id, make_reply(status, body, headers, delivery))

    def script(self, context_id: str, names: Iterable[str]) -> None:
        """Answer one contextId with these personas and faults in turn, and then with the last one.

        Raises:
            ValueError: there are no names, or one is nobody's.

        """
        self._answers.script(context_id, names)

    def token_answer(
        self,
        status: int | None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] = b"",
        delivery: Delivery = "whole",
    ) -> None:
        """Answer at the token endpoint in a test's own way from now on, whoever asks.

        As `answer()`, but without any check before it. A status of None ends it.
        """
        own = None if status is None else make_reply(status, body, headers, delivery)
        self._token_reply = own

    def revoke_tokens(self) -> None:
        """Refuse, from now on, every token that was given so far."""
        self._tokens.revoke()

    async def start(self) -> None:
        """Listen, on the same port as before if there was one. Does nothing where it listens.

        Raises:
            OSError: the port is taken, or the host is none of this machine.

        """
        self.port = await self._listener.start(self.host, self.port, self.ssl_context)

    async def stop(self) -> None:
        """Listen no more and close every connection. Does nothing where it does not listen."""
        await self._listener.stop()

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
        reply = pages.page(request.method, request.path, self.requests, self.token_requests)
        if reply is None:
            # `request.read()` would refuse a body of more than 1 MiB before it is recorded.
            body = await request.content.read()
            reply = self._serve(
                RecordedRequest(
                    method=request.method,
                    path=request.path_qs,
                    headers=request.headers,
                    body=body,
                    json=gateway.parse_json(body),
                ),
                for_token=self.app_secret is not None and request.path == token_endpoint.PATH,
            )
        return await DELIVERIES[reply.delivery](request, reply)

    def _serve(self, request: RecordedRequest, *, for_token: bool) -> Reply:
        known = gateway.Credentials(
            *(self.username, self.password, self.api_key, self.app_key, self.app_secret),
            self._tokens,
        )
        if not for_token:
            record = self.requests
            request, reply = gateway.serve(request, known, self._answers.take)
        elif self._token_reply is None:
            record = self.token_requests
            request, reply = token_endpoint.serve(request, known, self.token_seconds)
        else:
            record, reply = self.token_requests, self._token_reply
        record.append(replace(request, status=reply.status))
        del record[: -self.keep]
        return reply
