"""The simulator's Python face: it listens, records what comes in, and finds the answer."""

from __future__ import annotations

import asyncio
import base64
import sys
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from ..faults import ELSEWHERE, FAULTS
from ..personas import PERSONAS
from . import gateway
from .delivery import DELIVERIES
from .gateway import ANY, Gateway, RecordedRequest, Reply, make_reply, parse_json

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Iterable, Iterator, Mapping

    from aiohttp import web
    from typing_extensions import Self

    from ..faults import Delivery

CREDENTIALS = ("username", "password", "api_key", "app_key", "app_secret")
"""Those of its attributes that a client must send, and the settings without their `PS7_`."""
_GRACE = 0.1
"""Seconds that answers under way get at a stop before their connections are closed."""


@dataclass(kw_only=True, eq=False)
class Simulator(Gateway):
    """PS7 behind its gateway, on this machine: for a bot's tests, a demo, or a terminal.

    It answers the contextIds of `PERSONAS` and `FAULTS`, those that `answer()` and `script()` add,
    and all others as PS7 does when it does not know a context (`code` 1). It takes plain contextIds
    and, as `encoded` has it, their Base64 form. `stop()` and `start()` let PS7 go down and come up.

    From another process: `rasa-ps7 simulate`.

    Raises:
        OSError: as it starts, the port is taken, or the host is not of this machine.

    Examples:
        >>> async with Simulator() as simulator:
        ...     simulator.answer("c-1", body={"payload": {"u_seg": "Private"}})
        ...     os.environ.update(simulator.environment)
        ...     async with PS7Client() as client:
        ...         print((await client.lookup("c-1")).segment)
        Private

    """

    port: int = 0
    """0 takes a free one at the first start, and keeps it."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """With one, it speaks https."""
    redirect_to: str = ELSEWHERE
    """Where the faults that redirect lead."""
    keep: int = field(default=sys.maxsize, repr=False)
    """How many requests `requests` and `token_requests` have: the newest ones."""
    _named: dict[str, Reply] = field(default_factory=dict, init=False, repr=False)
    _next: dict[str, list[Reply]] = field(default_factory=dict, init=False, repr=False)
    """The replies for each contextId, one after another, and the last one for good."""
    _for_all: list[Reply] = field(default_factory=list, init=False, repr=False)
    _token_reply: Reply | None = field(default=None, init=False, repr=False)
    _runner: web.ServerRunner | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        for who in PERSONAS.values():
            self._named[who.name] = make_reply(200, who.answer)
            self.script(who.context_id, [who.name])
        for fault in FAULTS.values():
            moved = {"Location": self.redirect_to} if "Location" in fault.headers else {}
            headers = {**fault.headers, **moved}
            self._named[fault.name] = make_reply(fault.status, fault.body, headers, fault.delivery)
        for fault in FAULTS.values():
            self.script(fault.context_id, [*fault.after, fault.name])

    @property
    def url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:40123`.

        Raises RuntimeError if it was never started: no free port was taken yet.
        """
        if not self.port:
            raise RuntimeError("the simulator was not started yet, so it has no port")
        host = self.host_name or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'https' if self.ssl_context else 'http'}://{host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which the plugin finds this simulator; see `url`."""
        given = {name: getattr(self, name) for name in CREDENTIALS}
        needed = ["username", "password", *(["app_key"] if self.app_secret else [])]
        given |= {name: ANY for name in needed if not given[name]}
        named = {f"PS7_{name.upper()}": value for name, value in given.items()}
        return {
            "PS7_BASE_URL": self.url,
            **{name: value for name, value in named.items() if value is not None},
        }

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
        self._next[context_id] = [make_reply(status, body, headers, delivery)]

    def script(self, context_id: str, names: Iterable[str]) -> None:
        """Answer one contextId with these personas and faults in turn, and then with the last one.

        Raises ValueError for no names, or one that is neither a persona nor a fault.
        """
        names = list(names)
        unknown = [name for name in names if name not in self._named]
        if unknown or not names:
            raise ValueError(f"a script is made of names of personas and faults, not {unknown}")
        self._next[context_id] = [self._named[name] for name in names]

    def token_answer(
        self,
        status: int | None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] = b"",
        delivery: Delivery = "whole",
    ) -> None:
        """Answer at the token endpoint in a test's own way from now on.

        As `answer()`, but without any check before it. A status of None ends it.
        """
        self._token_reply = None if status is None else make_reply(status, body, headers, delivery)

    def revoke_tokens(self) -> None:
        """Refuse, from now on, every token that was granted so far."""
        self.tokens.clear()

    async def start(self) -> None:
        """Listen, on the same port as before if there was one. Does nothing if it listens already.

        Raises OSError if the port is taken, or the host is not of this machine.
        """
        from aiohttp import web  # the action server imports this module too

        if self._runner is not None:
            return
        # A client that leaves ends its answer; and no access log: it would name paths and agents.
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_GRACE)
        await runner.setup()
        await web.TCPSite(runner, self.host, self.port, ssl_context=self.ssl_context).start()
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more and close every connection. Does nothing if it does not listen."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        reply = gateway.page(request.method, request.path, request.host, self)
        if reply is None:
            # `request.read()` would refuse a body of more than 1 MiB before it is recorded.
            body = await request.content.read()
            read = (request.method, request.path_qs, request.headers, body, parse_json(body))
            reply = self._serve(RecordedRequest(*read))
        return await DELIVERIES[reply.delivery](request, reply)

    def _serve(self, request: RecordedRequest) -> Reply:
        """Answer a request, and record it with what became of it."""
        record, reply = self.token_requests, self._token_reply
        if self.app_secret is None or request.path.partition("?")[0] != gateway.TOKEN_PATH:
            record = self.requests
            request, reply = gateway.look_up(request, self, self._take)
        elif reply is None:
            request, reply = gateway.grant_token(request, self)
        record.append(replace(request, status=reply.status))
        del record[: -self.keep]
        return reply

    def _take(self, upstream_id: str) -> Reply:
        """Return PS7's answer for a contextId as the gateway passes it on: plain, or in Base64.

        An unknown one is answered as not found.
        """
        plain = upstream_id
        if plain not in self._next:
            with suppress(ValueError):
                plain = base64.b64decode(upstream_id, validate=True).decode()
        replies = self._for_all or self._next.get(plain) or self._next["not-found"]
        return replies.pop(0) if len(replies) > 1 else replies[0]


class BackgroundSimulator(Simulator):
    """A simulator beside a test, in its own thread: it runs while a plain `with` block does.

    So a test may run in any event loop, or in none, and an action may block it. Every connection
    ends with its answer. The fixture `ps7` is one.

    Raises:
        OSError: as `Simulator`.

    Examples:
        >>> with ps7.failing("http-503"):
        ...     result = await bot.arrives("bruno")
        >>> result.slots["ps7_status"], ps7.asked
        ('unavailable', ['ana', 'bruno', 'bruno', 'bruno'])

    """

    _loop: asyncio.AbstractEventLoop
    _ended: asyncio.Event
    _thread: Thread

    @property
    def asked(self) -> list[str]:
        """The contextIds that PS7 was asked about, in order; one for each request.

        A request that the gateway refused did not reach PS7. `requests.clear()` empties it.
        """
        return [request.json["contextId"] for request in self.requests if not request.refusal]

    @contextmanager
    def failing(self, name: str) -> Iterator[None]:
        """Answer every contextId with this one of `FAULTS` while the block runs.

        Raises ValueError for a name that no fault has.
        """
        if name not in FAULTS:
            raise ValueError(f"{name!r} is no fault; those are {', '.join(FAULTS)}")
        self._for_all = [self._named[each] for each in (*FAULTS[name].after, name)]
        try:
            yield
        finally:
            self._for_all = []

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse every connection while the block runs."""
        self._send(super().stop()).result()
        try:
            yield
        finally:
            self._send(super().start()).result()

    async def start(self) -> None:
        """Listen again, on the same port; see `Simulator.start`."""
        await asyncio.wrap_future(self._send(super().start()))

    async def stop(self) -> None:
        """Listen no more and close every connection; see `Simulator.stop`."""
        await asyncio.wrap_future(self._send(super().stop()))

    def __enter__(self) -> Self:
        started: Future[None] = Future()
        self._thread = Thread(target=asyncio.run, args=(self._live(started),), daemon=True)
        self._thread.start()
        if (error := started.exception()) is not None:
            self._thread.join()
            raise error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _live(self, started: Future[None]) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        try:
            await super().start()
        except Exception as error:  # noqa: BLE001 - the thread that waits gets it
            started.set_exception(error)
            return
        started.set_result(None)
        await self._ended.wait()
        await super().stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await super()._handle(request)
        response.force_close()
        return response

    def _send(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)
