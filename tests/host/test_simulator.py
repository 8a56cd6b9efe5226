"""The simulator over HTTP: what it refuses, what it answers, what it remembers."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientConnectionError

from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from actions.ps7.testing.simulator import gateway
from tests.support.simulator_client import JSON, LOGIN, PATH, Answer, Client, own_client

TOKEN_PATH = "/apigovernance/api/oauth/tokenByAkSk"
APP = {"app_key": "our-app", "app_secret": "our-secret"}
ANA = b'{"contextId": "ana"}'


client = pytest.fixture(own_client)


@pytest.fixture
async def ps7(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """Yield a simulator on a free port, with the options that a test gives as a parameter."""
    async with Simulator(**getattr(request, "param", {})) as simulator:
        yield simulator


with_options = pytest.mark.parametrize("ps7", [APP], indirect=True, ids=["tokens"])


def encoded(text: str) -> str:
    """Return the Base64 form of a contextId."""
    return base64.b64encode(text.encode()).decode()


# What it answers

ANSWERS: dict[str, tuple[int, Any, Any]] = {
    **{who.context_id: (200, {}, who.answer) for who in PERSONAS.values()},
    **{
        fault.context_id: (fault.status, fault.headers, fault.body)
        for fault in FAULTS.values()
        if fault.delivery == "whole" and fault.name not in {"huge-header", "flapping"}
    },
    "unknown": (200, {}, FAULTS["not-found"].body),
}


@pytest.mark.parametrize("context_id", ANSWERS)
async def test_a_context_id_leads_to_its_answer(
    ps7: Simulator, client: Client, context_id: str
) -> None:
    """Status, headers and body of a customer or a fault; an unknown one is not found."""
    status, headers, body = ANSWERS[context_id]
    answer = await client.look_up(ps7, context_id)
    assert answer.status == status
    assert {"Content-Type": "application/json", **headers}.items() <= answer.headers.items()
    assert body == (answer.body if isinstance(body, bytes) else answer.json)


@pytest.mark.parametrize(
    ("context_id", "more", "upstream_id"),
    [
        ("ana", {}, encoded("ana")),
        *(("ana", {"encoded": value}, encoded("ana")) for value in (1, "1", None, False)),
        *(("ana", {"encoded": value}, "ana") for value in (0, "0")),
        (encoded("ana"), {"encoded": 0}, encoded("ana")),
    ],
)
async def test_encoded_decides_what_goes_on_to_ps7(
    ps7: Simulator, client: Client, context_id: str, more: dict[str, object], upstream_id: str
) -> None:
    """`encoded` 0: as it is, else in Base64; encoded twice, PS7 does not know it."""
    answer = await client.look_up(ps7, context_id, **more)
    assert ps7.requests[-1].upstream_id == upstream_id
    assert answer.json["decodedContextId"] == "ana"
    assert (await client.look_up(ps7, encoded("ana"))).json["code"] == "1"


@pytest.mark.parametrize("context_id", ["é", "a" * 3_000_000, "\ud800", "===="])
async def test_a_strange_context_id_is_only_not_found(
    ps7: Simulator, client: Client, context_id: str
) -> None:
    """Whatever its characters and length, it gets an answer, and the pages still work."""
    for more in ({}, {"encoded": 0}):
        answer = await client.look_up(ps7, context_id, **more)
        assert (answer.status, answer.json["code"]) == (200, "1")
    page = await client.send(ps7.url + "/requests", method="GET")
    assert [one["contextId"] for one in page.json["requests"]] == [context_id] * 2


# What the gateway refuses

KEYS = {"api_key": "key", "app_key": "app"}
ANY = {"username": None, "password": None}
API, APP_KEY = {"x-itau-apikey": "key"}, {"x-app-key": "app"}
SHAPES = {"code": ("error_code", "error_msg"), "result": ("resultCode", "resultDesc")}


def headers(*parts: dict[str, str]) -> dict[str, Any]:
    """Return a change of a good lookup: its headers."""
    return {"headers": {name: value for part in parts for name, value in part.items()}}


LOOKUPS: dict[str, tuple[dict[str, Any], dict[str, Any], int, str]] = {
    "path": ({}, {"path": PATH + "/x"}, 404, "code"),
    "method": ({}, {"method": "GET"}, 405, "code"),
    "no userName": ({}, headers(JSON, {"password": "simulator"}), 401, "result"),
    "no password": ({}, headers(JSON, {"userName": "simulator"}), 401, "result"),
    "empty password": ({}, headers(JSON, LOGIN, {"password": ""}), 401, "result"),
    "wrong userName": ({}, headers(JSON, LOGIN, {"userName": "x"}), 401, "result"),
    "wrong password": ({}, headers(JSON, LOGIN, {"password": "x"}), 401, "result"),
    "form": ({}, headers(LOGIN, {"Content-Type": "text/plain"}), 400, "result"),
    "no JSON": ({}, {"body": b"contextId=ana"}, 400, "result"),
    "no UTF": ({}, {"body": b'{"contextId": "\xff"}'}, 400, "result"),
    "too deep": ({}, {"body": b"[" * 200_000}, 400, "result"),
    "no body": ({}, {"body": b""}, 400, "result"),
    "no object": ({}, {"body": b'["ana"]'}, 400, "result"),
    "no contextId": ({}, {"body": b'{"contextid": "ana"}'}, 400, "result"),
    "number": ({}, {"body": b'{"contextId": 123123213}'}, 400, "result"),
    "blank": ({}, {"body": b'{"contextId": " "}'}, 400, "result"),
    # What comes first is what is answered.
    "all wrong": ({}, {"path": "/x", "method": "PUT", "headers": {}}, 404, "code"),
    "rest wrong": ({}, {"method": "PUT", "headers": {}, "body": b"x"}, 405, "code"),
    "stranger": ({}, {**headers({"Content-Type": "text/plain"}), "body": b"x"}, 401, "result"),
    # What does not matter to a gateway does not matter here.
    "query": ({}, {"path": PATH + "?a=b"}, 200, ""),
    "charset": ({}, headers(LOGIN, {"Content-Type": "Application/JSON; charset=utf-8"}), 200, ""),
    "token": ({}, headers(LOGIN, JSON, {"Authorization": "Bearer any"}), 200, ""),
    # What a simulator asks for beside that.
    "keys": (KEYS, headers(LOGIN, JSON, API, APP_KEY), 200, ""),
    "wrong app": (KEYS, headers(LOGIN, JSON, API, {"x-app-key": "x"}), 401, "code"),
    "wrong api": (KEYS, headers(LOGIN, JSON, {"x-itau-apikey": "x"}, APP_KEY), 401, "code"),
    "no api": (KEYS, headers(LOGIN, JSON, APP_KEY), 401, "code"),
    "no app": (KEYS, headers(LOGIN, JSON, API), 401, "code"),
    "any login": (ANY, headers(JSON, {"userName": "who", "password": "ever"}), 200, ""),
    "half a login": (ANY, headers(JSON, {"userName": "who"}), 401, "result"),
    "empty login": (ANY, headers(JSON, {"userName": "", "password": "ever"}), 401, "result"),
    "no such endpoint": ({}, {"path": TOKEN_PATH}, 404, "code"),
}


@pytest.mark.parametrize(
    ("ps7", "change", "status", "shape"), LOOKUPS.values(), ids=LOOKUPS, indirect=["ps7"]
)
async def test_a_request_that_is_not_right_is_refused_and_recorded(
    ps7: Simulator, client: Client, change: dict[str, Any], status: int, shape: str
) -> None:
    """With the documented status and a documented error body; PS7 is not asked then."""
    good = {"method": "POST", "path": PATH, "headers": {**LOGIN, **JSON}, "body": ANA}
    request: dict[str, Any] = {**good, **change}
    path = request.pop("path")
    answer = await client.send(ps7.url + path, **request)
    [recorded] = ps7.requests
    assert (recorded.method, recorded.path, recorded.body) == (
        *(request["method"], path, request["body"]),
    )
    assert answer.status == recorded.status == status
    if status == 200:
        assert answer.json == PERSONAS["ana"].answer
        assert (recorded.refusal, recorded.upstream_id) == (None, encoded("ana"))
    else:
        assert answer.json == dict(zip(SHAPES[shape], (str(status), recorded.refusal), strict=True))
        assert recorded.upstream_id is None
        assert answer.headers.get("Allow") == ("POST" if status == 405 else None)


# Tokens


async def fetch(
    client: Client,
    ps7: Simulator,
    *,
    body: bytes | dict[str, object] = b"",
    seconds: str | None = None,
    method: str = "POST",
    headers: dict[str, str] = JSON,
) -> Answer:
    """Ask for a token."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    wish = {} if seconds is None else {"X-Token-Expire": seconds}
    return await client.send(
        ps7.url + TOKEN_PATH,
        method=method,
        headers={**headers, **wish},
        body=content or json.dumps(APP).encode(),
    )


def bearing(answer: Answer) -> dict[str, str]:
    """Return the headers of a lookup that brings the token of this answer."""
    return {"x-app-key": "our-app", "Authorization": f"Bearer {answer.json['AccessToken']}"}


@with_options
async def test_a_token_is_answered_as_documented(ps7: Simulator, client: Client) -> None:
    """Numbers are text; it holds as long as was asked for, at most as long as a test says."""
    before = int(time.time())
    answer = await fetch(client, ps7)
    token, created = answer.json["AccessToken"], answer.json["CreateTime"]
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == {
        "AccessToken": token,
        "ApplyType": "Bearer",
        "CreateTime": created,
        "Expires": "600",
        "Scope": "default",
        "AppKey": "our-app",
        "UserID": "simulator",
    }
    assert before <= int(created) <= time.time()
    assert len(token) >= 32
    assert (await fetch(client, ps7)).json["AccessToken"] != token
    for most in (3600, 2):
        ps7.token_seconds = most
        for asked in (1, 600, 3600):
            granted = (await fetch(client, ps7, seconds=str(asked))).json["Expires"]
            assert granted == str(min(asked, most))


NO_TOKEN: dict[str, tuple[dict[str, Any], int]] = {
    "wrong key": ({"body": {**APP, "app_key": "x"}}, 401),
    "wrong secret": ({"body": {**APP, "app_secret": "x"}}, 401),
    "no key": ({"body": {"app_secret": "our-secret"}}, 400),
    "no secret": ({"body": {"app_key": "our-app"}}, 400),
    "empty secret": ({"body": {**APP, "app_secret": ""}}, 400),
    "secret is a number": ({"body": {**APP, "app_secret": 1}}, 400),
    "no JSON": ({"body": b"app_key=our-app"}, 400),
    "no object": ({"body": b'["our-app"]'}, 400),
    "form": ({"headers": {"Content-Type": "text/plain"}}, 400),
    "no time": ({"seconds": "0"}, 400),
    "more than an hour": ({"seconds": "3601"}, 400),
    "far too many digits": ({"seconds": "0" * 7999 + "1"}, 400),
    "no number": ({"seconds": "ten"}, 400),
    "another digit": ({"seconds": "²"}, 400),
    "GET": ({"method": "GET"}, 405),
}


@with_options
@pytest.mark.parametrize(("change", "status"), NO_TOKEN.values(), ids=NO_TOKEN)
async def test_a_request_that_is_not_right_gets_no_token(
    ps7: Simulator, client: Client, change: dict[str, Any], status: int
) -> None:
    """The refusal has a gateway's shape, and is on record apart from the lookups."""
    answer = await fetch(client, ps7, **change)
    [request] = ps7.token_requests
    assert (request.path, request.status) == (TOKEN_PATH, status)
    assert answer.status == status
    assert answer.json == {"error_code": str(status), "error_msg": request.refusal}
    assert ps7.requests == []


@with_options
async def test_a_lookup_needs_the_token_and_the_key(ps7: Simulator, client: Client) -> None:
    """Any of the tokens that were granted, until they are revoked."""
    good, second = bearing(await fetch(client, ps7)), bearing(await fetch(client, ps7))
    token = good["Authorization"]
    for sent, status in (
        (good, 200),
        (second, 200),
        ({"x-app-key": "our-app"}, 401),
        ({**good, "x-app-key": "another"}, 401),
        ({**good, "Authorization": "Bearer another"}, 401),
        ({**good, "Authorization": token.replace("Bearer", "Basic")}, 401),
        ({**good, "Authorization": token.split(" ")[1]}, 401),
    ):
        assert (await client.look_up_with(sent, ps7, "ana")).status == status
    ps7.revoke_tokens()
    refused = await client.look_up_with(good, ps7, "ana")
    assert (refused.status, refused.json["error_code"]) == (401, "401")
    assert ps7.requests[-1].refusal == refused.json["error_msg"]
    fresh = bearing(await fetch(client, ps7))
    assert (await client.look_up_with(fresh, ps7, "ana")).status == 200
    assert [request.refusal for request in ps7.token_requests] == [None] * 3


@with_options
async def test_a_token_runs_out_and_is_forgotten(
    ps7: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the seconds that it was granted, and not before; a long run does not grow."""
    now = 1000.0
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
    ps7.token_seconds = 2
    sent = bearing(await fetch(client, ps7))
    for passed, status in ((0.0, 200), (1.9, 200), (2.0, 401)):
        now = 1000.0 + passed
        assert (await client.look_up_with(sent, ps7, "ana")).status == status
    kept = await fetch(client, ps7)
    assert list(ps7.tokens) == [kept.json["AccessToken"]]


@pytest.mark.parametrize("ps7", [{"requests_per_second": 2}], indirect=True)
async def test_it_takes_so_many_lookups_within_a_second(
    ps7: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above that it asks to wait a second."""
    now = 1000.0
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic=lambda: now))
    for passed, status in ((0.0, 200), (0.5, 200), (0.9, 429), (1.0, 200), (1.4, 429), (1.5, 200)):
        now = 1000.0 + passed
        answer = await client.look_up(ps7, "ana")
        assert answer.status == status
    assert (await client.look_up(ps7, "ana")).headers["Retry-After"] == "1"


@pytest.mark.parametrize("ps7", [{"app_secret": "our-secret"}], indirect=True)
async def test_without_a_key_of_its_own_it_takes_any(ps7: Simulator, client: Client) -> None:
    """As with user name and password: what was not given is not compared."""
    token = await fetch(client, ps7, body={**APP, "app_key": "whatever"})
    sent = {"Authorization": bearing(token)["Authorization"]}
    assert (await client.look_up_with(sent, ps7, "ana")).status == 200


@with_options
async def test_the_endpoint_can_fail_in_any_way_that_a_lookup_can(
    ps7: Simulator, client: Client
) -> None:
    """Status, headers, body and delivery are a test's own, until it ends that."""
    ps7.token_answer(429, headers={"Retry-After": "7"}, body={"error_code": "429"})
    answer = await fetch(client, ps7, body=b"not even checked")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json == {"error_code": "429"}
    ps7.token_answer(200, delivery="reset")
    with pytest.raises(ClientConnectionError):
        await fetch(client, ps7)
    ps7.token_answer(None)
    assert (await fetch(client, ps7)).json["ApplyType"] == "Bearer"
    assert [request.status for request in ps7.token_requests] == [429, 200, 200]


# What a test can do with it


@pytest.mark.parametrize("ps7", [{"app_secret": "s", **ANY, "keep": 2}], indirect=True)
async def test_only_the_newest_requests_are_kept_where_a_number_is_given(
    ps7: Simulator, client: Client
) -> None:
    """A simulator that runs for days does not grow."""
    for seconds in ("1", "2", "3"):
        await client.look_up(ps7, seconds)
        await fetch(client, ps7, seconds=seconds)
    assert [request.json["contextId"] for request in ps7.requests] == ["2", "3"]
    assert [one.headers["X-Token-Expire"] for one in ps7.token_requests] == ["2", "3"]


async def test_a_test_gives_an_answer_of_its_own(ps7: Simulator, client: Client) -> None:
    """A mapping goes out as JSON, bytes as they are; the headers are the test's."""
    ps7.answer("C9", status=503, headers={"Retry-After": "1"}, body={"code": "9"})
    ps7.answer("ana", headers={"content-type": "text/plain"}, body=b"no")
    ps7.answer("bruno")
    own = await client.look_up(ps7, "C9")
    assert (own.status, own.json, own.headers["Retry-After"]) == (503, {"code": "9"}, "1")
    assert own.headers["Content-Type"] == "application/json"
    replaced = await client.look_up(ps7, "ana")
    assert (replaced.status, replaced.body) == (200, b"no")
    assert replaced.headers["Content-Type"] == "text/plain"
    empty = await client.look_up(ps7, "bruno")
    assert (empty.status, empty.body) == (200, b"")
    async with Simulator() as another:
        assert (await client.look_up(another, "ana")).json == PERSONAS["ana"].answer


async def test_a_script_plays_one_answer_after_another_and_stays_at_the_last(
    ps7: Simulator, client: Client
) -> None:
    """By the names of personas and faults; another contextId is not touched by it."""
    ps7.script("C9", ["http-503", "http-429", "exemplo"])
    answers = [await client.look_up(ps7, "C9") for _ in range(2)]
    assert (await client.look_up(ps7, "ana")).json == PERSONAS["ana"].answer
    answers += [await client.look_up(ps7, "C9") for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 429, 200, 200, 200]
    assert answers[-1].json == PERSONAS["exemplo"].answer
    ps7.script("C9", ["bruno"])
    assert (await client.look_up(ps7, "C9")).json == PERSONAS["bruno"].answer


@pytest.mark.parametrize("names", [[], ["ana", "unknown"]])
def test_a_script_is_made_of_known_names(names: list[str]) -> None:
    """A slip of the pen is an error at once, and not an answer of not found later."""
    with pytest.raises(ValueError, match="names of personas and faults"):
        Simulator().script("C9", names)


async def test_a_port_that_is_taken_is_an_error_and_nothing_stays_open(ps7: Simulator) -> None:
    """The second one says so, can be stopped, and starts once the port is free."""
    second = Simulator(port=ps7.port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.stop()
    await ps7.stop()
    async with second:
        assert second.url == ps7.url
        await second.start()
        assert second.url == ps7.url


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({}, {}),
        (ANY, {}),
        (
            {"username": "u", "password": "p", "api_key": "k", "app_key": "a"},
            {"USERNAME": "u", "PASSWORD": "p", "API_KEY": "k", "APP_KEY": "a"},
        ),
        ({"app_secret": "s"}, {"APP_KEY": "simulator", "APP_SECRET": "s"}),
    ],
)
def test_the_environment_is_what_the_plugin_needs(
    options: dict[str, Any], variables: dict[str, str]
) -> None:
    """Three variables, and the keys where there are any; no `repr` shows them."""
    with pytest.raises(RuntimeError, match="not started"):
        _ = Simulator(**options).environment
    assert Simulator(host="::1", port=8077).url == "http://[::1]:8077"
    assert Simulator(port=8077, host_name="localhost").url == "http://localhost:8077"
    expected = {"BASE_URL": "http://127.0.0.1:8077", "USERNAME": "simulator"}
    expected |= {"PASSWORD": "simulator", **variables}
    given = Simulator(port=8077, **options)
    assert given.environment == {f"PS7_{name}": value for name, value in expected.items()}
    secret = Simulator(
        port=8077, password="hush", api_key="hush", app_key="hush", app_secret="hush"
    )
    assert "8077" in repr(secret)
    assert "hush" not in repr(secret)


# Its own pages


async def test_the_overview_lists_customers_and_faults(ps7: Simulator, client: Client) -> None:
    """`GET /` is readable: indented JSON in UTF-8, with what the bot should know of each."""
    page = await client.send(ps7.url + "/", method="GET")
    assert page.status == 200
    assert "Personnalité" in page.body.decode()
    assert b'\n  "personas": [\n' in page.body
    shown = {one["contextId"]: one for one in page.json["personas"] + page.json["faults"]}
    titles = {one.context_id: one.title for one in PERSONAS.values()}
    titles |= {one.context_id: one.title for one in FAULTS.values()}
    assert {context_id: one["title"] for context_id, one in shown.items()} == titles
    for who in PERSONAS.values():
        assert shown[who.context_id]["slots"] == who.slots
    for fault in FAULTS.values():
        listed = shown[fault.context_id]
        assert (listed["outcome"], listed["reason"]) == (fault.outcome, fault.reason)
    assert (page.json["service"], ps7.requests) == ("PS7 simulator", [])


@with_options
async def test_the_requests_page_shows_of_secrets_only_that_they_came(
    ps7: Simulator, client: Client
) -> None:
    """A person sees what the bot sent, and no secret or token; `DELETE /requests` forgets it."""
    token = await fetch(client, ps7)
    sent = {**LOGIN, **JSON, **bearing(token), "x-itau-correlationID": "K1", "x-itau-flowID": "F1"}
    content = b'{"contextId": "ana", "encoded": 0, "password": "body-secret"}'
    await client.send(ps7.url + PATH, headers=sent, body=content)
    await client.send(ps7.url + "/elsewhere", method="GET")
    page = await client.send(ps7.url + "/requests", method="GET")
    nothing = dict.fromkeys(("contextId", "encoded", "upstreamId", "correlationId", "flowId"))
    absent = dict.fromkeys(gateway.SECRET_HEADERS, False)
    lookup = {"method": "POST", "path": PATH, "status": 200, "refusal": None, "contextId": "ana"}
    lookup |= {"encoded": 0, "upstreamId": "ana", "correlationId": "K1", "flowId": "F1"}
    lookup["present"] = {**dict.fromkeys(absent, True), "x-itau-apikey": False}
    stray = {**nothing, "method": "GET", "path": "/elsewhere", "status": 404, "present": absent}
    fetched = {**nothing, "method": "POST", "path": TOKEN_PATH, "status": 200, "present": absent}
    assert page.json == {
        "requests": [lookup, {**stray, "refusal": "no such path"}],
        "tokenRequests": [{**fetched, "refusal": None}],
    }
    assert set(absent) == {*LOGIN, "x-itau-apikey", "x-app-key", "Authorization"}
    for text in (repr(ps7), repr(ps7.requests), repr(ps7.token_requests), page.body.decode()):
        for secret in ("our-secret", "our-app", "body-secret", token.json["AccessToken"]):
            assert secret not in text
    answer = await client.send(ps7.url + "/requests", method="DELETE")
    assert (answer.status, answer.json) == (200, {"requests": [], "tokenRequests": []})
    assert (ps7.requests, ps7.token_requests) == ([], [])
