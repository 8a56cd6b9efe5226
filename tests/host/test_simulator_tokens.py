"""The simulator's token endpoint, and the lookups that need a token."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout

from actions.ps7.testing import FAULTS, Simulator
from actions.ps7.testing.simulator import gateway
from tests.support.simulator_client import JSON, PATH, Answer, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN_PATH = "/apigovernance/api/oauth/tokenByAkSk"
APP = {"app_key": "our-app", "app_secret": "our-secret"}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Give a client; what it waits for comes within seconds or never."""
    async with ClientSession(timeout=ClientTimeout(total=10)) as session:
        yield Client(session)


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Give a simulator that asks for tokens."""
    async with Simulator(app_key="our-app", app_secret="our-secret") as simulator:
        yield simulator


async def fetch(
    client: Client,
    ps7: Simulator,
    *,
    body: bytes | dict[str, object] | None = None,
    seconds: str | None = None,
    method: str = "POST",
    headers: dict[str, str] = JSON,
) -> Answer:
    """Ask for a token."""
    content = (
        body if isinstance(body, bytes) else json.dumps(APP if body is None else body).encode()
    )
    more = {} if seconds is None else {"X-Token-Expire": seconds}
    return await client.send(
        ps7.url + TOKEN_PATH, method=method, headers={**headers, **more}, body=content
    )


def bearing(answer: Answer) -> dict[str, str]:
    """Give the headers of a lookup that brings the token of this answer."""
    return {"x-app-key": "our-app", "Authorization": f"Bearer {answer.json['AccessToken']}"}


async def test_a_token_is_answered_as_documented(ps7: Simulator, client: Client) -> None:
    """Numbers are text, and without a wish it is for ten minutes."""
    before = int(time.time())
    answer = await fetch(client, ps7)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    token = answer.json.pop("AccessToken")
    created = answer.json["CreateTime"]
    assert before <= int(created) <= time.time()
    assert answer.json == {
        "AccessToken": token,
        "ApplyType": "Bearer",
        "CreateTime": created,
        "Expires": "600",
        "Scope": "default",
        "AppKey": "our-app",
        "UserID": "simulator",
    }
    assert len(token) >= 32
    again = await fetch(client, ps7)
    assert again.json["AccessToken"] != token


@pytest.mark.parametrize(("asked", "granted"), [("1", "1"), ("600", "600"), ("3600", "3600")])
async def test_it_holds_as_long_as_was_asked_for(
    ps7: Simulator, client: Client, asked: str, granted: str
) -> None:
    """An hour at most, and less where a test says so."""
    assert (await fetch(client, ps7, seconds=asked)).json["Expires"] == granted
    ps7.token_seconds = 2
    assert (await fetch(client, ps7, seconds=asked)).json["Expires"] == str(min(int(granted), 2))


REFUSED: dict[str, tuple[dict[str, object], int]] = {
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


@pytest.mark.parametrize(("change", "status"), REFUSED.values(), ids=REFUSED)
async def test_a_request_that_is_not_right_gets_no_token(
    ps7: Simulator, client: Client, change: dict[str, object], status: int
) -> None:
    """The refusal has a gateway's shape, and is on record apart from the lookups."""
    answer = await fetch(client, ps7, **change)  # type: ignore[arg-type] # a table of any of them
    assert answer.status == status
    assert answer.json.keys() == {"error_code", "error_msg"}
    [request] = ps7.token_requests
    assert (request.path, request.status) == (TOKEN_PATH, status)
    assert request.refusal == answer.json["error_msg"]
    assert ps7.requests == []


async def test_a_lookup_needs_the_token_and_the_key(ps7: Simulator, client: Client) -> None:
    """Any of the tokens that were given, until they are revoked."""
    first, second = await fetch(client, ps7), await fetch(client, ps7)
    good = bearing(first)
    for headers, status in (
        (good, 200),
        (bearing(second), 200),
        ({"x-app-key": "our-app"}, 401),
        ({**good, "x-app-key": "another"}, 401),
        ({**good, "Authorization": "Bearer another"}, 401),
        ({**good, "Authorization": good["Authorization"].replace("Bearer", "Basic")}, 401),
        ({**good, "Authorization": good["Authorization"].split(" ")[1]}, 401),
    ):
        assert (await client.look_up_with(headers, ps7, "ana")).status == status
    ps7.revoke_tokens()
    refused = await client.look_up_with(good, ps7, "ana")
    assert (refused.status, refused.json["error_code"]) == (401, "401")
    assert ps7.requests[-1].refusal == refused.json["error_msg"]
    fresh = await fetch(client, ps7)
    assert (await client.look_up_with(bearing(fresh), ps7, "ana")).status == 200
    assert len(ps7.token_requests) == 3
    assert {request.refusal for request in ps7.token_requests} == {None}


async def test_a_token_runs_out(
    ps7: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the seconds that it was granted, and not before."""
    now = 1000.0
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
    ps7.token_seconds = 2
    headers = bearing(await fetch(client, ps7))
    for passed, status in ((0.0, 200), (1.9, 200), (2.0, 401)):
        now = 1000.0 + passed
        assert (await client.look_up_with(headers, ps7, "ana")).status == status


async def test_tokens_that_ran_out_are_forgotten(ps7: Simulator, client: Client) -> None:
    """A simulator that runs for days does not grow."""
    ps7.token_seconds = 0
    for _ in range(3):
        await fetch(client, ps7)
    ps7.token_seconds = 60
    kept = await fetch(client, ps7)
    assert list(ps7.tokens) == [kept.json["AccessToken"]]


async def test_without_a_key_of_its_own_it_takes_any(client: Client) -> None:
    """As with user name and password: what was not given is not compared."""
    async with Simulator(app_secret="our-secret") as ps7:
        token = await fetch(client, ps7, body={**APP, "app_key": "whatever"})
        headers = {"Authorization": bearing(token)["Authorization"]}
        assert (await client.look_up_with(headers, ps7, "ana")).status == 200


async def test_without_an_app_secret_there_is_no_such_endpoint(client: Client) -> None:
    """And a lookup is not asked for a token, but may bring one."""
    async with Simulator() as ps7:
        assert (await fetch(client, ps7)).status == 404
        headers = {"Authorization": "Bearer any"}
        assert (await client.look_up_with(headers, ps7, "ana")).status == 200
        assert [request.path for request in ps7.requests] == [TOKEN_PATH, PATH]
        assert ps7.token_requests == []


async def test_the_endpoint_can_fail_in_any_way_that_a_lookup_can(
    ps7: Simulator, client: Client
) -> None:
    """Status, headers, body and delivery are a test's own, until it ends that."""
    ps7.token_answer(429, headers={"Retry-After": "7"}, body={"error_code": "429"})
    answer = await fetch(client, ps7, body=b"not even checked")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json == {"error_code": "429"}
    ps7.token_answer(200, body=b"<html>", headers={"Content-Type": "text/html"})
    assert (await fetch(client, ps7)).body == b"<html>"
    reset = FAULTS["reset"]
    ps7.token_answer(reset.status, body=reset.body, delivery=reset.delivery)
    with pytest.raises(ClientConnectionError):
        await fetch(client, ps7)
    ps7.token_answer(None)
    assert (await fetch(client, ps7)).json["ApplyType"] == "Bearer"
    assert [request.status for request in ps7.token_requests] == [429, 200, 200, 200]


async def test_only_the_newest_token_requests_are_kept_where_a_number_is_given(
    client: Client,
) -> None:
    """Like those of lookups."""
    async with Simulator(app_secret="our-secret", keep=2) as ps7:
        for seconds in ("1", "2", "3"):
            await fetch(client, ps7, seconds=seconds)
    assert [one.headers["X-Token-Expire"] for one in ps7.token_requests] == ["2", "3"]


async def test_the_requests_page_shows_neither_secret_nor_token(
    ps7: Simulator, client: Client
) -> None:
    """Only that they came along; and both records can be forgotten."""
    token = await fetch(client, ps7)
    await client.look_up_with(bearing(token), ps7, "ana")
    page = await client.send(ps7.url + "/requests", method="GET")
    for secret in ("our-secret", "our-app", token.json["AccessToken"]):
        assert secret not in page.body.decode()
    [lookup], [fetched] = page.json["requests"], page.json["tokenRequests"]
    assert lookup["present"]["Authorization"] is True
    assert (fetched["path"], fetched["status"], fetched["contextId"]) == (TOKEN_PATH, 200, None)
    for text in (repr(ps7), repr(ps7.requests), repr(ps7.token_requests)):
        assert "our-secret" not in text
        assert token.json["AccessToken"] not in text
    await client.send(ps7.url + "/requests", method="DELETE")
    assert (ps7.requests, ps7.token_requests) == ([], [])
