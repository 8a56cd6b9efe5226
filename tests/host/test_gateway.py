"""The API Fabric token: when it is fetched, how it is shared, and how its failures come out."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from typing_extensions import Self

from actions.ps7 import AccessDenied, PS7Client, PS7Unavailable, Reason, UnreadableAnswer
from actions.ps7.api.tokens import Token
from tests.host.loopback import Scripted, http
from tests.host.test_client import GOOD, failure_of, lines, settings_for

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

TOKEN_PATH = "/apigovernance/api/oauth/tokenByAkSk"
LOOKUP_PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
KEYS = {"app_key": "planted-app-key", "app_secret": "planted-app-secret"}


@dataclass(eq=False)
class Fabric:
    """An API Fabric gateway that hands out tokens, with PS7 behind it."""

    fetches: list[dict[str, Any]] = field(default_factory=list)
    """Token requests: `headers` and `json` of each."""
    bearers: list[str | None] = field(default_factory=list)
    """The `Authorization` of each lookup."""
    replies: list[web.Response] = field(default_factory=list)
    """What the next token requests get, before tokens are handed out again."""
    lookup_status: int = 200
    """What a lookup with a good token gets …"""
    body: bytes = GOOD
    """… and with it."""
    revoked: set[str] = field(default_factory=set)
    revokes_all: bool = False
    expires: object = "600"
    _goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.ServerRunner | None = None

    def hold(self) -> None:
        """Answer no token request until `go_on()`."""
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    async def asked(self) -> None:
        """Wait for the first token request, from whatever event loop."""
        while not self.fetches:  # noqa: ASYNC110 - an event belongs to one loop
            await asyncio.sleep(0.01)

    @property
    def url(self) -> str:
        assert self._runner is not None
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aenter__(self) -> Self:
        self._goes_on.set()
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.json()
        if request.path == TOKEN_PATH:
            assert request.method == "POST"
            self.fetches.append({"headers": request.headers, "json": body})
            await self._goes_on.wait()
            return self.replies.pop(0) if self.replies else token_reply(self._made(), self.expires)
        assert request.path == LOOKUP_PATH
        self.bearers.append(request.headers.get("Authorization"))
        bearer = self.bearers[-1]
        if self.revokes_all or bearer is None or bearer.removeprefix("Bearer ") in self.revoked:
            return web.json_response({"error_code": "401", "error_msg": "token"}, status=401)
        return web.Response(
            status=self.lookup_status, body=self.body, headers={"Content-Type": "application/json"}
        )

    def _made(self) -> str:
        return f"planted-token-{len(self.fetches)}"


def token_reply(token: object, expires: object = "600") -> web.Response:
    """Return an answer of the token endpoint, as it is documented."""
    return web.json_response(
        {
            "AccessToken": token,
            "ApplyType": "Bearer",
            "CreateTime": "1545650171",
            "Expires": expires,
            "Scope": "",
            "AppKey": KEYS["app_key"],
            "UserID": "1",
        }
    )


@pytest.fixture
async def fabric() -> AsyncIterator[Fabric]:
    """Return a gateway on a free port."""
    async with Fabric() as running:
        yield running


def client_of(fabric: Fabric, **settings: Any) -> PS7Client:  # noqa: ANN401 - any setting
    """Return a client with a key and a secret."""
    return PS7Client(settings_for(fabric.url, **{"deadline": 5.0, **KEYS, **settings}))


async def given_up(client: PS7Client) -> None:
    """Begin a lookup, and cancel it while the token that it needs is fetched."""
    looking = asyncio.create_task(client.lookup("C1"))
    await asyncio.sleep(0.05)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


@pytest.fixture
async def client(fabric: Fabric) -> AsyncIterator[PS7Client]:
    """Return a client with a key and a secret."""
    async with client_of(fabric) as ours:
        yield ours


def bearers(*numbers: int) -> list[str]:
    """Return the `Authorization` headers with the tokens of these numbers."""
    return [f"Bearer planted-token-{number}" for number in numbers]


# When it is fetched


async def test_a_token_is_asked_for_as_the_interface_says(
    fabric: Fabric, client: PS7Client
) -> None:
    """Method and path, the life that is asked for, key and secret in the body alone."""
    await client.lookup("C1")
    (fetch,) = fabric.fetches
    assert fetch["json"] == {"app_key": "planted-app-key", "app_secret": "planted-app-secret"}
    headers = {name: fetch["headers"][name] for name in fetch["headers"]}
    for name in ("Host", "User-Agent", "Content-Length"):
        headers.pop(name)
    assert headers == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "X-Token-Expire": "600",
    }
    assert fabric.bearers == bearers(1)


@pytest.mark.parametrize(("expires", "good_for"), [("600", 540.0), (60, 54.0), ("1.5", 1.35)])
async def test_a_token_is_renewed_before_it_ends(
    fabric: Fabric,
    client: PS7Client,
    monkeypatch: pytest.MonkeyPatch,
    expires: object,
    good_for: float,
) -> None:
    """After nine tenths of its life, counted from the moment at which it was asked for."""
    now = 5000.0
    monkeypatch.setattr("actions.ps7.api.tokens.time.monotonic", lambda: now)
    fabric.expires = expires
    await client.lookup("C1")
    now += good_for - 0.001
    await client.lookup("C1")
    now += 0.002
    await client.lookup("C1")
    assert len(fabric.fetches) == 2
    assert fabric.bearers == bearers(1, 1, 2)


async def test_lookups_in_another_event_loop_use_the_token_too(fabric: Fabric) -> None:
    """It belongs to the process; only what is under way belongs to a loop."""
    async with client_of(fabric) as client:
        await client.lookup("C1")

        async def look_up_and_close() -> None:
            await client.lookup("C1")
            await client.close()

        await asyncio.get_running_loop().run_in_executor(None, asyncio.run, look_up_and_close())
    assert len(fabric.fetches) == 1
    assert fabric.bearers == bearers(1, 1)


# 401


async def test_a_token_that_is_refused_is_replaced_and_the_request_replayed(
    fabric: Fabric, client: PS7Client, said: pytest.LogCaptureFixture
) -> None:
    """The customer comes out; the log counts both requests."""
    await client.lookup("C1")
    fabric.revoked = {"planted-token-1"}
    assert (await client.lookup("C1")).agency == "0341"
    await client.lookup("C1")
    assert len(fabric.fetches) == 2
    assert fabric.bearers == bearers(1, 1, 2, 2)
    assert lines(said)[1] == ("ok", "ok", "200", "2")


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_second_401_is_the_end(fabric: Fabric, attempts: int) -> None:
    """The user name may be what is refused: no loop, and no more requests than attempts."""
    fabric.revokes_all = True
    async with client_of(fabric, attempts=attempts) as client:
        failure = await failure_of(client)
    assert (type(failure), failure.reason, failure.status) == (
        AccessDenied,
        Reason.UNAUTHORIZED,
        401,
    )
    asked = [1, 2][:attempts]
    assert (len(fabric.fetches), fabric.bearers) == (len(asked), bearers(*asked))


async def test_a_single_attempt_replaces_a_token_for_the_next_lookup(fabric: Fabric) -> None:
    """A token that was revoked costs one lookup, and not all until its end."""
    async with client_of(fabric, attempts=1) as client:
        await client.lookup("C1")
        fabric.revoked = {"planted-token-1"}
        assert (await failure_of(client)).reason is Reason.UNAUTHORIZED
        assert (await client.lookup("C1")).agency == "0341"
    assert fabric.bearers == bearers(1, 1, 2)


async def test_refused_credentials_are_not_hammered(fabric: Fabric) -> None:
    """Two lookups with a replay, three without, and a question: a technical user may be locked."""
    fabric.revokes_all = True
    async with client_of(fabric) as client:
        ends = [await failure_of(client) for _ in range(5)]
        await asyncio.sleep(0.1)
        ends += [await failure_of(client) for _ in range(5)]
    assert [end.outcome.value for end in ends] == ["denied"] * 10
    assert [end.reason for end in ends[5:]] == [Reason.CIRCUIT_OPEN] * 5
    assert len(fabric.bearers) == 8
    assert len(fabric.fetches) == 6


async def test_a_replay_that_meets_a_503_is_tried_again_with_the_new_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a 401 after that is the end: one replay for a lookup, not for an attempt."""
    monkeypatch.setattr("actions.ps7.api.policy.uniform", lambda *_: 0.0)
    unauthorized = [http(b"", "Connection: close", status="401 Unauthorized")]
    unavailable = [http(b"", "Connection: close", status="503 Service Unavailable")]
    script = [written(1), unauthorized, written(2), unavailable, unauthorized, unauthorized]
    async with Scripted([], stays=False, script=script) as server:
        settings = settings_for(server.url, deadline=5.0, **KEYS)
        async with PS7Client(settings) as client:
            failure = await failure_of(client)
        assert (failure.reason, len(server.heard)) == (Reason.UNAUTHORIZED, 5)
        assert [TOKEN_PATH.encode() in request for request in server.heard] == [
            True, False, True, False, False,
        ]  # fmt: skip
        assert b"Bearer planted-token-2" in server.heard[4]


def written(number: int) -> Sequence[bytes]:
    """Return the token endpoint's answer as bytes."""
    body = json.dumps({"AccessToken": f"planted-token-{number}", "Expires": "600"}).encode()
    return [http(body, "Connection: close")]


async def test_a_revoked_token_is_replaced_once_for_all_who_hold_it(
    fabric: Fabric, client: PS7Client
) -> None:
    """Twenty lookups meet a 401; they do not fetch twenty tokens."""
    await client.lookup("C1")
    fabric.revoked = {"planted-token-1"}
    await asyncio.gather(*(client.lookup("C1") for _ in range(20)))
    assert len(fabric.fetches) == 2
    assert sorted(map(str, fabric.bearers)) == sorted(bearers(*[1] * 21, *[2] * 20))


async def test_a_token_that_was_replaced_meanwhile_is_not_dropped(client: PS7Client) -> None:
    """A late 401 about the old one does not take the new one from the others."""
    ours = client._tokens
    assert ours is not None
    ours._token = Token("new", time.monotonic() + 60)
    ours.drop("old")
    assert await ours.get() == "new"
    ours.drop("new")
    ours.drop("new")
    assert ours._token is None


# Lookups that are cancelled


async def test_a_lookup_that_is_cancelled_does_not_take_the_fetch_from_the_others(
    fabric: Fabric, client: PS7Client
) -> None:
    """Not even the one that began it."""
    fabric.hold()
    first = asyncio.create_task(client.lookup("C1"))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(client.lookup("C2"))
    await asyncio.sleep(0.05)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    fabric.go_on()
    assert (await second).agency == "0341"
    assert len(fabric.fetches) == 1


async def test_a_fetch_that_fails_after_its_lookup_was_cancelled_is_no_error_of_the_loop(
    fabric: Fabric, caplog: pytest.LogCaptureFixture
) -> None:
    """And the next lookup begins another."""
    fabric.hold()
    fabric.replies = [web.Response(status=500)]
    async with client_of(fabric) as client:
        await given_up(client)
        fabric.go_on()
        await asyncio.sleep(0.1)
        assert (await client.lookup("C2")).agency == "0341"
    gc.collect()
    assert len(fabric.fetches) == 2
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_a_fetch_ends_where_no_lookup_is_left_to_end_it(fabric: Fabric) -> None:
    """It has a deadline of its own, of the same length."""
    fabric.hold()
    async with client_of(fabric, deadline=0.3, read_timeout=100) as client:
        await given_up(client)
        late = await failure_of(client)
        assert late.reason is Reason.DEADLINE
        ours = client._tokens
        assert ours is not None
        await asyncio.sleep(0.05)
        assert ours._fetches == {}


def test_a_client_that_is_closed_leaves_no_fetch_behind(caplog: pytest.LogCaptureFixture) -> None:
    """The event loop that ends right afterwards has nothing to complain about."""

    async def begin_and_close() -> None:
        async with Fabric() as fabric:
            fabric.hold()
            async with client_of(fabric, read_timeout=100) as client:
                await given_up(client)
            ours = client._tokens
            assert ours is not None
            assert ours._fetches == {}

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(begin_and_close())
    finally:
        loop.close()
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the loop took the connection along
async def test_an_event_loop_that_ends_takes_its_fetch_along(fabric: Fabric) -> None:
    """A lookup in another one begins its own."""
    async with client_of(fabric, read_timeout=100) as client:

        async def begin() -> None:
            looking = asyncio.create_task(client.lookup("C1"))
            await asyncio.wait_for(fabric.asked(), 10)
            looking.cancel()

        fabric.hold()
        await asyncio.get_running_loop().run_in_executor(None, asyncio.run, begin())
        assert client._tokens is not None
        assert client._tokens._fetches == {}
        fabric.go_on()
        assert (await client.lookup("C1")).agency == "0341"
    assert len(fabric.fetches) == 2


# Failures of the token endpoint


@pytest.mark.parametrize("status", [400, 401, 403, 201, 307, 404, 500, 520])
async def test_a_status_that_gives_no_token_ends_the_lookup(
    fabric: Fabric, client: PS7Client, said: pytest.LogCaptureFixture, status: int
) -> None:
    """One fetch, no lookup; the line says that no request was made to PS7."""
    kind = AccessDenied if status in (400, 401, 403) else PS7Unavailable
    reason = "token_refused" if kind is AccessDenied else "token_unavailable"
    headers = {"Location": f"{fabric.url}/other", "Retry-After": "0"}
    fabric.replies = [web.Response(status=status, headers=headers)]
    failure = await failure_of(client)
    assert (type(failure), failure.reason.value, failure.status) == (kind, reason, status)
    assert (len(fabric.fetches), fabric.bearers) == (1, [])
    assert lines(said) == [(failure.outcome.value, reason, str(status), "0")]


async def test_a_token_endpoint_that_is_busy_is_asked_again(
    fabric: Fabric, client: PS7Client
) -> None:
    """As PS7 itself is; a `Retry-After` beyond the deadline ends the lookup at once."""
    fabric.replies = [web.Response(status=status) for status in (429, 503)]
    assert (await client.lookup("C1")).agency == "0341"
    assert (len(fabric.fetches), fabric.bearers) == (3, bearers(3))
    fabric.revoked = {"planted-token-3"}
    fabric.replies = [web.Response(status=503, headers={"Retry-After": "60"})]
    failure = await failure_of(client)
    assert (failure.status, len(fabric.fetches)) == (503, 4)


BODIES = {
    "nothing": b"",
    "an HTML page": b"<html>planted-token</html>",
    "half of a JSON": b'{"AccessToken": "planted-token", "Exp',
    "a list": b'["planted-token"]',
    "a text": b'"planted-token"',
    "null": b"null",
    "bytes": bytes(range(256)),
    "no token": b'{"Expires": "600"}',
    "no life": b'{"AccessToken": "planted-token"}',
    "a token that is null": b'{"AccessToken": null, "Expires": "600"}',
    "a blank token": b'{"AccessToken": "  ", "Expires": "600"}',
    "a token that is a list": b'{"AccessToken": ["planted-token"], "Expires": "600"}',
    "a token with a line break": b'{"AccessToken": "planted\\r\\nuserName: x", "Expires": "600"}',
    "a token with a control character": b'{"AccessToken": "planted\\u0000", "Expires": "600"}',
    "a token with half a character": b'{"AccessToken": "planted\\ud800", "Expires": "600"}',
    "a token beyond ASCII": b'{"AccessToken": "planted\\u00e9", "Expires": "600"}',
    "a life of nothing": b'{"AccessToken": "planted-token", "Expires": "0"}',
    "a life of less": b'{"AccessToken": "planted-token", "Expires": "-600"}',
    "a life of letters": b'{"AccessToken": "planted-token", "Expires": "abc"}',
    "a life that is null": b'{"AccessToken": "planted-token", "Expires": null}',
    "a life that is none": b'{"AccessToken": "planted-token", "Expires": "nan"}',
    "a life without end": b'{"AccessToken": "planted-token", "Expires": "inf"}',
    "a life beyond numbers": b'{"AccessToken": "planted-token", "Expires": "1e999"}',
    "a life that is a list": b'{"AccessToken": "planted-token", "Expires": [600]}',
    "a life that is true": b'{"AccessToken": "planted-token", "Expires": true}',
    "larger than an answer may be": b'{"AccessToken": "t", "Expires": "600"}' + b" " * 64 * 1024,
}


@pytest.mark.parametrize("name", BODIES)
async def test_an_answer_that_is_no_token_ends_the_lookup(
    fabric: Fabric, client: PS7Client, name: str
) -> None:
    """It is not used, not kept, and not asked for again before the next lookup."""
    fabric.replies = [web.Response(body=BODIES[name], headers={"Content-Type": "application/json"})]
    failure = await failure_of(client)
    assert (type(failure), failure.status) == (UnreadableAnswer, 200)
    assert failure.reason is Reason.TOKEN_UNREADABLE
    assert (len(fabric.fetches), fabric.bearers) == (1, [])
    assert (await client.lookup("C1")).agency == "0341"
    assert fabric.bearers == bearers(2)


# What is never said


async def test_neither_keys_nor_tokens_are_shown(fabric: Fabric) -> None:
    """In the `repr` of nothing; what is logged and raised is watched by the tests of faults."""
    async with client_of(fabric) as client:
        await client.lookup("C1")
        ours = client._tokens
        assert ours is not None
        held = [client, ours, *vars(ours).values(), client.settings]
    assert "planted" not in "\n".join(map(repr, held))
