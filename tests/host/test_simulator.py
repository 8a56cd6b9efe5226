"""The simulator over HTTP: what it refuses, what it answers, what it remembers."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

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
USER, TEXT = {"userName": "simulator"}, {"Content-Type": "text/plain"}
CHARSET = {"Content-Type": "Application/JSON; charset=utf-8"}
CODE, RESULT = ("error_code", "error_msg"), ("resultCode", "resultDesc")
Headers = dict[str, str]
POST, GOOD = f"POST {PATH}", {**JSON, **LOGIN}
Sent = tuple[str, Headers, bytes]
LOOKUPS: list[tuple[dict[str, Any], Sent, int, tuple[str, ...]]] = [
    # Who asks
    ({}, (POST, {**JSON, **USER}, ANA), 401, RESULT),
    ({}, (POST, {**JSON, **LOGIN, "password": ""}, ANA), 401, RESULT),
    ({}, (POST, {**JSON, **LOGIN, "userName": "x"}, ANA), 401, RESULT),
    ({}, (POST, {**JSON, **LOGIN, "password": "x"}, ANA), 401, RESULT),
    (KEYS, (POST, {**JSON, **LOGIN, **API, **APP_KEY}, ANA), 200, ()),
    (KEYS, (POST, {**JSON, **LOGIN, **API, "x-app-key": "x"}, ANA), 401, CODE),
    (KEYS, (POST, {**JSON, **LOGIN, **APP_KEY}, ANA), 401, CODE),
    (KEYS, (POST, {**JSON, **LOGIN, **API}, ANA), 401, CODE),
    (ANY, (POST, {**JSON, "userName": "who", "password": "ever"}, ANA), 200, ()),
    (ANY, (POST, {**JSON, "userName": "who"}, ANA), 401, RESULT),
    (ANY, (POST, {**JSON, "userName": "", "password": "ever"}, ANA), 401, RESULT),
    # What for
    ({}, (POST, {**TEXT, **LOGIN}, ANA), 400, RESULT),
    ({}, (POST, {**CHARSET, **LOGIN}, ANA), 200, ()),
    ({}, (POST, GOOD, b'{"contextId": "\xff"}'), 400, RESULT),
    ({}, (POST, GOOD, b"[" * 200_000), 400, RESULT),
    ({}, (POST, GOOD, b""), 400, RESULT),
    ({}, (POST, GOOD, b'["ana"]'), 400, RESULT),
    ({}, (POST, GOOD, b'{"contextid": "ana"}'), 400, RESULT),
    ({}, (POST, GOOD, b'{"contextId": 123123213}'), 400, RESULT),
    ({}, (POST, GOOD, b'{"contextId": " "}'), 400, RESULT),
    # What comes first is what is answered
    ({}, (f"POST {PATH}?a=b", GOOD, ANA), 200, ()),
    ({}, (f"POST {TOKEN_PATH}", GOOD, ANA), 404, CODE),
    ({}, ("PUT /x", {}, ANA), 404, CODE),
    ({}, (f"PUT {PATH}", {}, b"x"), 405, CODE),
    ({}, (POST, TEXT, b"x"), 401, RESULT),
]


@pytest.mark.parametrize(("ps7", "sent", "status", "shape"), LOOKUPS, indirect=["ps7"])
async def test_a_request_that_is_not_right_is_refused_and_recorded(
    ps7: Simulator, client: Client, sent: Sent, status: int, shape: tuple[str, ...]
) -> None:
    """With the documented status and a documented error body; PS7 is not asked then."""
    target, headers, body = sent
    method, path = target.split()
    answer = await client.send(ps7.url + path, method=method, headers=headers, body=body)
    [recorded] = ps7.requests
    assert (recorded.method, recorded.path, recorded.body) == (method, path, body)
    assert answer.status == recorded.status == status
    if status == 200:
        assert answer.json == PERSONAS["ana"].answer
        assert (recorded.refusal, recorded.upstream_id) == (None, encoded("ana"))
    else:
        assert answer.json == dict(zip(shape, (str(status), recorded.refusal), strict=True))
        assert recorded.upstream_id is None
        assert answer.headers.get("Allow") == ("POST" if status == 405 else None)


# Tokens


async def fetch(
    client: Client, ps7: Simulator, *, body: bytes = b"", method: str = "POST", **headers: str
) -> Answer:
    """Ask for a token, with headers whose names are written with `_` here."""
    sent = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    content = body or json.dumps(APP).encode()
    return await client.send(ps7.url + TOKEN_PATH, method=method, headers=sent, body=content)


def bearing(answer: Answer) -> Headers:
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
    for most, asked, granted in ((3600, "1", "1"), (3600, "3600", "3600"), (2, "600", "2")):
        ps7.token_seconds = most
        answer = await fetch(client, ps7, X_Token_Expire=asked)
        assert answer.json["Expires"] == granted


@with_options
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"body": b'{"app_key": "x", "app_secret": "our-secret"}'}, 401),
        ({"body": b'{"app_key": "our-app", "app_secret": "x"}'}, 401),
        ({"body": b'{"app_secret": "our-secret"}'}, 400),
        ({"body": b'{"app_key": "our-app", "app_secret": ""}'}, 400),
        ({"body": b'{"app_key": "our-app", "app_secret": 1}'}, 400),
        ({"body": b"app_key=our-app"}, 400),
        ({"body": b'["our-app"]'}, 400),
        ({"Content_Type": "text/plain"}, 400),
        *(
            ({"X_Token_Expire": value}, 400)
            for value in ("0", "3601", "0" * 7999 + "1", "ten", "²")
        ),
        ({"method": "GET"}, 405),
    ],
)
async def test_a_request_that_is_not_right_gets_no_token(
    ps7: Simulator, client: Client, change: dict[str, Any], status: int
) -> None:
    """The refusal has a gateway's shape, and is on record apart from the lookups."""
    answer = await fetch(client, ps7, **change)
    [request] = ps7.token_requests
    assert (request.path, request.status, answer.status) == (TOKEN_PATH, status, status)
    assert answer.json == {"error_code": str(status), "error_msg": request.refusal}
    assert ps7.requests == []


@with_options
async def test_a_lookup_needs_the_token_and_the_key(ps7: Simulator, client: Client) -> None:
    """Any of the tokens that were granted, until they are revoked."""
    good, second = bearing(await fetch(client, ps7)), bearing(await fetch(client, ps7))
    token = good["Authorization"].partition(" ")[2]
    for sent, status in (
        (good, 200),
        (second, 200),
        ({"x-app-key": "our-app"}, 401),
        ({**good, "x-app-key": "another"}, 401),
        ({**good, "Authorization": "Bearer another"}, 401),
        ({**good, "Authorization": f"Basic {token}"}, 401),
        ({**good, "Authorization": token}, 401),
    ):
        assert (await client.look_up_with(sent, ps7, "ana")).status == status
    ps7.revoke_tokens()
    refused = await client.look_up_with(good, ps7, "ana")
    assert (refused.status, refused.json["error_code"]) == (401, "401")
    assert ps7.requests[-1].refusal == refused.json["error_msg"]
    fresh = bearing(await fetch(client, ps7))
    assert (await client.look_up_with(fresh, ps7, "ana")).status == 200
    assert [request.refusal for request in ps7.token_requests] == [None] * 3


@pytest.mark.parametrize("ps7", [{**APP, "requests_per_second": 2}], indirect=True)
async def test_what_depends_on_time(
    ps7: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token runs out and is forgotten; above so many lookups within a second, one has to wait."""
    now = 1000.0
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
    ps7.token_seconds = 2
    sent = bearing(await fetch(client, ps7))
    for passed, status in (
        *((0.0, 200), (0.5, 200), (0.9, 429), (1.0, 200), (1.4, 429), (1.5, 200), (1.9, 429)),
        *((1.99, 429), (2.0, 401)),
    ):
        now = 1000.0 + passed
        answer = await client.look_up_with(sent, ps7, "ana")
        assert answer.status == status
        assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)
    kept = await fetch(client, ps7)
    assert list(ps7.tokens) == [kept.json["AccessToken"]]


@pytest.mark.parametrize("ps7", [{"app_secret": "our-secret", "keep": 2}], indirect=True)
async def test_a_key_that_was_not_given_is_not_compared_and_old_requests_go(
    ps7: Simulator, client: Client
) -> None:
    """As with user name and password; and a simulator that runs for days does not grow."""
    body = b'{"app_key": "whatever", "app_secret": "our-secret"}'
    for seconds in ("1", "2", "3"):
        token = await fetch(client, ps7, body=body, X_Token_Expire=seconds)
        sent = {"Authorization": bearing(token)["Authorization"]}
        assert (await client.look_up_with(sent, ps7, seconds)).status == 200
    assert [request.json["contextId"] for request in ps7.requests] == ["2", "3"]
    assert [one.headers["X-Token-Expire"] for one in ps7.token_requests] == ["2", "3"]


# What a test can do with it


@with_options
async def test_a_test_gives_an_answer_of_its_own(ps7: Simulator, client: Client) -> None:
    """To a lookup or to the request for a token, checked by nothing; bytes go out as they are."""
    ps7.token_answer(503, headers={"Retry-After": "1"}, body={"code": "9"})
    own = await fetch(client, ps7, body=b"not even checked")
    assert (own.status, own.json, own.headers["Retry-After"]) == (503, {"code": "9"}, "1")
    assert own.headers["Content-Type"] == "application/json"
    ps7.token_answer(None)
    sent = bearing(await fetch(client, ps7))
    ps7.answer("ana", headers={"content-type": "text/plain"}, body=b"no")
    replaced = await client.look_up_with(sent, ps7, "ana")
    assert (replaced.status, replaced.body) == (200, b"no")
    assert replaced.headers["Content-Type"] == "text/plain"
    async with Simulator() as another:
        assert (await client.look_up(another, "ana")).json == PERSONAS["ana"].answer


async def test_a_script_plays_one_answer_after_another_and_stays_at_the_last(
    ps7: Simulator, client: Client
) -> None:
    """By the names of personas and faults; another contextId is not touched by it."""
    ps7.script("C9", ["http-503", "http-429", "exemplo"])
    for context_id, status in (("C9", 503), ("C9", 429), ("ana", 200), ("C9", 200), ("C9", 200)):
        answer = await client.look_up(ps7, context_id)
        assert answer.status == status
    assert answer.json == PERSONAS["exemplo"].answer
    for names in ([], ["ana", "unknown"]):  # a slip of the pen is an error at once
        with pytest.raises(ValueError, match="names of personas and faults"):
            ps7.script("C9", names)


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
        (ANY, {}),
        (
            {"username": "u", "password": "hush", "api_key": "hush", "app_key": "hush"},
            {"USERNAME": "u", "PASSWORD": "hush", "API_KEY": "hush", "APP_KEY": "hush"},
        ),
        ({"app_secret": "hush"}, {"APP_KEY": "simulator", "APP_SECRET": "hush"}),
    ],
)
def test_the_environment_is_what_the_plugin_needs(
    options: dict[str, Any], variables: dict[str, str]
) -> None:
    """Three variables, and the keys where there are any; no `repr` shows them."""
    with pytest.raises(RuntimeError, match="not started"):
        _ = Simulator(**options).environment
    given = Simulator(host="::1", port=8077, **options)
    expected = {"BASE_URL": "http://[::1]:8077", "USERNAME": "simulator", "PASSWORD": "simulator"}
    expected |= variables
    assert given.environment == {f"PS7_{name}": value for name, value in expected.items()}
    assert "8077" in repr(given)
    assert "hush" not in repr(given)


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
