"""The simulator over HTTP: what it refuses, what it answers, what it remembers."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from actions.ps7.testing.simulator import gateway
from tests.support.simulator_client import (
    JSON,
    LOGIN,
    PATH,
    Answer,
    Client,
    own_client,
    own_simulator,
)

TOKEN_PATH = "/apigovernance/api/oauth/tokenByAkSk"
APP = {"app_key": "our-app", "app_secret": "our-secret"}
ANA, GET_TOKEN = b'{"contextId": "ana"}', json.dumps(APP).encode()
IN_BASE64 = "YW5h"


client = pytest.fixture(own_client)
ps7 = pytest.fixture(own_simulator)
with_options = pytest.mark.parametrize("ps7", [APP], indirect=True, ids=["tokens"])


@pytest.mark.parametrize(
    ("context_id", "more", "upstream_id"),
    [
        ("ana", {}, IN_BASE64),
        ("ana", {"encoded": "1"}, IN_BASE64),
        ("ana", {"encoded": False}, IN_BASE64),
        ("ana", {"encoded": 0}, "ana"),
        ("ana", {"encoded": "0"}, "ana"),
        (IN_BASE64, {"encoded": 0}, IN_BASE64),
    ],
)
async def test_encoded_decides_what_goes_on_to_ps7(
    ps7: Simulator, client: Client, context_id: str, more: dict[str, object], upstream_id: str
) -> None:
    """`encoded` 0: as it is, else in Base64; encoded twice, PS7 does not know it."""
    answer = await client.look_up(ps7, context_id, **more)
    assert ps7.requests[-1].upstream_id == upstream_id
    assert answer.json["decodedContextId"] == "ana"
    assert (await client.look_up(ps7, IN_BASE64)).json["code"] == "1"


@pytest.mark.parametrize("context_id", ["é", "a" * (1 << 20), "\ud800", "===="])
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
TEXT = {"Content-Type": "text/plain"}
CHARSET = {"Content-Type": "Application/JSON; charset=utf-8"}
CODE, RESULT = ("error_code", "error_msg"), ("resultCode", "resultDesc")
Headers = dict[str, str]
POST, TOKEN, GOOD = f"POST {PATH}", f"POST {TOKEN_PATH}", {**JSON, **LOGIN}
Sent = tuple[str, Headers, bytes]
OTHER_APP = b'{"app_key": "x", "app_secret": "our-secret"}'
OTHER_SECRET = b'{"app_key": "our-app", "app_secret": "x"}'
NO_SECRET = b'{"app_key": "our-app", "app_secret": ""}'
REFUSED: list[tuple[dict[str, Any], Sent, int, tuple[str, ...]]] = [
    # Who asks
    *(
        ({}, (POST, {**JSON, **LOGIN, name: value}, ANA), 401, RESULT)
        for name in LOGIN
        for value in ("x", LOGIN[name].upper(), LOGIN[name][:-1], "")
    ),
    (KEYS, (POST, {**GOOD, **API, "x-app-key": "x"}, ANA), 401, CODE),
    (KEYS, (POST, {**GOOD, **APP_KEY}, ANA), 401, CODE),
    (ANY, (POST, {**JSON, "userName": "who"}, ANA), 401, RESULT),
    # What for
    ({}, (POST, {**TEXT, **LOGIN}, ANA), 400, RESULT),
    ({}, (POST, GOOD, b"[" * 200_000), 400, RESULT),
    ({}, (POST, GOOD, b'["ana"]'), 400, RESULT),
    ({}, (POST, GOOD, b'{"contextId": 123123213}'), 400, RESULT),
    ({}, (POST, GOOD, b'{"contextId": " "}'), 400, RESULT),
    # What comes first is what is answered
    ({}, (TOKEN, GOOD, ANA), 404, CODE),
    ({}, (f"PUT {PATH}", {}, b"x"), 405, CODE),
    ({}, (POST, TEXT, b"x"), 401, RESULT),
    (KEYS, (POST, JSON, ANA), 401, RESULT),
    (KEYS, (POST, {**TEXT, **LOGIN}, b"x"), 401, CODE),
    # A token
    (APP, (TOKEN, JSON, OTHER_APP), 401, CODE),
    (APP, (TOKEN, JSON, OTHER_SECRET), 401, CODE),
    (APP, (TOKEN, JSON, NO_SECRET), 400, CODE),
    (APP, (TOKEN, JSON, b'["our-app"]'), 400, CODE),
    (APP, (TOKEN, {**JSON, "X-Token-Expire": "0"}, GET_TOKEN), 400, CODE),
    (APP, (TOKEN, {**JSON, "X-Token-Expire": "3601"}, GET_TOKEN), 400, CODE),
    (APP, (TOKEN, {**JSON, "X-Token-Expire": "\xb2"}, GET_TOKEN), 400, CODE),
    (APP, (f"GET {TOKEN_PATH}", JSON, GET_TOKEN), 405, CODE),
]


@pytest.mark.parametrize(("ps7", "sent", "status", "shape"), REFUSED, indirect=["ps7"])
async def test_a_request_that_is_not_right_is_refused_and_recorded(
    ps7: Simulator, client: Client, sent: Sent, status: int, shape: tuple[str, ...]
) -> None:
    """With the documented status and a documented error body; PS7 is not asked then."""
    target, headers, body = sent
    method, path = target.split()
    answer = await client.send(ps7.url + path, method=method, headers=headers, body=body)
    [recorded] = ps7.token_requests if ps7.app_secret else ps7.requests
    assert (recorded.method, recorded.path, recorded.body) == (method, path, body)
    assert answer.status == recorded.status == status
    assert answer.json == dict(zip(shape, (str(status), recorded.refusal), strict=True))
    assert recorded.upstream_id is None
    assert answer.headers.get("Allow") == ("POST" if status == 405 else None)


# Tokens


async def fetch(client: Client, ps7: Simulator, seconds: str = "600", **app: str) -> Answer:
    """Ask for a token."""
    headers = {**JSON, "X-Token-Expire": seconds}
    body = json.dumps({**APP, **app}).encode()
    return await client.send(ps7.url + TOKEN_PATH, headers=headers, body=body)


def bearing(answer: Answer) -> Headers:
    """Return the headers of a lookup that brings the token of this answer."""
    return {"x-app-key": "our-app", "Authorization": f"Bearer {answer.json['AccessToken']}"}


@with_options
async def test_a_lookup_needs_a_token_and_the_key(ps7: Simulator, client: Client) -> None:
    """Any of the tokens that were granted, as documented, until they are revoked."""
    first, second = await fetch(client, ps7), await fetch(client, ps7, "3600")
    granted, good = first.json, bearing(first)
    fields = {"AccessToken", "AppKey", "ApplyType", "CreateTime", "Expires", "Scope", "UserID"}
    assert granted.keys() == fields
    assert (granted["ApplyType"], granted["AppKey"], granted["Expires"]) == (
        "Bearer",
        "our-app",
        "600",
    )
    assert second.json["Expires"] == "3600"
    assert abs(time.time() - int(granted["CreateTime"])) < 10
    for sent, status in (
        (good, 200),
        (bearing(second), 200),
        ({"x-app-key": "our-app"}, 401),
        ({**good, "x-app-key": "another"}, 401),
        ({**good, "Authorization": "Bearer another"}, 401),
        ({**good, "Authorization": f"Basic {granted['AccessToken']}"}, 401),
    ):
        assert (await client.look_up(ps7, "ana", sent)).status == status
    ps7.revoke_tokens()
    assert (await client.look_up(ps7, "ana", good)).status == 401
    ps7.token_answer(503)
    assert (await fetch(client, ps7)).status == 503


@pytest.mark.parametrize("ps7", [{**APP, "requests_per_second": 2}], indirect=True)
async def test_a_token_runs_out_and_too_many_lookups_have_to_wait(
    ps7: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token runs out and is forgotten; above so many lookups within a second, one has to wait."""
    now = 1000.0
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
    ps7.token_seconds = 2
    token = await fetch(client, ps7)
    assert token.json["Expires"] == "2"
    answered = [(0, 200), (0.5, 200), (0.9, 429), (1, 200), (1.4, 429), (1.5, 200), (2, 401)]
    for passed, status in answered:
        now = 1000.0 + passed
        answer = await client.look_up(ps7, "ana", bearing(token))
        assert answer.status == status
        assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)
    kept = await fetch(client, ps7)
    assert list(ps7.tokens) == [kept.json["AccessToken"]]


@pytest.mark.parametrize("ps7", [{"app_secret": "our-secret", "keep": 2}], indirect=True)
async def test_a_key_that_was_not_given_is_not_compared_and_old_requests_go(
    ps7: Simulator, client: Client
) -> None:
    """As with user name and password; and a simulator that runs for days does not grow."""
    for seconds in ("1", "2", "3"):
        token = await fetch(client, ps7, seconds, app_key="whatever")
        assert (await client.look_up(ps7, seconds, bearing(token))).status == 200
    assert [request.json["contextId"] for request in ps7.requests] == ["2", "3"]
    assert [one.headers["X-Token-Expire"] for one in ps7.token_requests] == ["2", "3"]


# What a test can do with it


async def test_a_script_plays_one_answer_after_another_and_stays_at_the_last(
    ps7: Simulator, client: Client
) -> None:
    """By the names of personas and faults; another contextId is not touched by it."""
    ps7.script("C9", ["http-503", "exemplo"])
    answers = [await client.look_up(ps7, each) for each in ("C9", "ana", "C9", "C9")]
    assert [answer.status for answer in answers] == [503, 200, 200, 200]
    assert answers[-1].json == PERSONAS["exemplo"].answer
    for names in ([], ["ana", "unknown"]):  # a slip of the pen is an error at once
        with pytest.raises(ValueError, match="names of personas and faults"):
            ps7.script("C9", names)


def test_its_environment_is_known_before_it_starts() -> None:
    """If it is given a port; and no `repr` shows a secret."""
    with pytest.raises(RuntimeError, match="not started"):
        _ = Simulator().environment
    given = Simulator(host="::1", port=8077, password="hush", app_secret="hush")
    assert given.environment == {
        "PS7_BASE_URL": "http://[::1]:8077",
        "PS7_USERNAME": "simulator",
        "PS7_PASSWORD": "hush",
        "PS7_APP_KEY": "simulator",
        "PS7_APP_SECRET": "hush",
    }
    assert "8077" in repr(given)
    assert "hush" not in repr(given)


# Its own pages


async def test_the_overview_lists_customers_and_faults(ps7: Simulator, client: Client) -> None:
    """`GET /` is readable: indented JSON in UTF-8, with what the bot should know of each."""
    page = await client.send(ps7.url + "/", method="GET")
    assert b'\n  "personas": [\n' in page.body
    assert "Personnalité" in page.body.decode()
    assert {one["contextId"]: one["slots"] for one in page.json["personas"]} == {
        who.context_id: who.slots for who in PERSONAS.values()
    }
    assert [one["name"] for one in page.json["faults"]] == [*FAULTS]
    assert ps7.requests == []


async def test_its_own_pages_have_no_other_name(ps7: Simulator, client: Client) -> None:
    """A page in a browser whose name leads here reads nothing of what a bot sent."""
    url, ps7.host_name = ps7.url, "ps7.test"
    names = ("localhost:1", 200), ("[::1]:8099", 200), ("ps7.test:1", 200), ("evil.com", 403)
    for method, path in (("GET", "/"), ("GET", "/requests"), ("DELETE", "/requests")):
        for host, status in names:
            answer = await client.send(url + path, method=method, headers={"Host": host})
            assert answer.status == status
    ps7.host_name = None
    looked_up = await client.look_up(ps7, "ana", {"Host": "ps7.bank"})
    assert looked_up.status == 200


@with_options
async def test_the_requests_page_shows_of_secrets_only_that_they_came(
    ps7: Simulator, client: Client
) -> None:
    """A person sees what the bot sent, and no secret or token; `DELETE /requests` forgets it."""
    token = await fetch(client, ps7)
    ids = {"x-itau-correlationID": "K1", "x-itau-flowID": "F1"}
    content = b'{"contextId": "ana", "encoded": 0, "password": "body-secret"}'
    sent = {**LOGIN, **CHARSET, **bearing(token), **ids}
    await client.send(ps7.url + PATH + "?a=b", headers=sent, body=content)
    page = await client.send(ps7.url + "/requests", method="GET")
    lookup, fetched = page.json["requests"][0], page.json["tokenRequests"][0]
    came = dict.fromkeys((*LOGIN, "x-app-key", "Authorization"), True)
    assert lookup.pop("present") == {**came, "x-itau-apikey": False}
    assert [*lookup.values()] == ["POST", PATH + "?a=b", 200, None, "ana", 0, "ana", "K1", "F1"]
    assert True not in fetched.pop("present").values()
    assert [*fetched.values()] == ["POST", TOKEN_PATH, 200, None, *[None] * 5]
    of_lookup = f"method='POST', path='{PATH}?a=b', status=200, refusal=None"
    assert repr(ps7.requests[0]) == f"RecordedRequest({of_lookup})"
    shown = f"{ps7!r} {ps7.requests} {ps7.token_requests} {page.body.decode()}"
    for secret in ("our-secret", "our-app", "body-secret", token.json["AccessToken"]):
        assert secret not in shown
    answer = await client.send(ps7.url + "/requests", method="DELETE")
    assert (answer.status, answer.json) == (200, {"requests": [], "tokenRequests": []})
    assert (ps7.requests, ps7.token_requests) == ([], [])
