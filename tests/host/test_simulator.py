"""The simulator over HTTP: what it refuses, what it answers, what it remembers."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientConnectionError, ClientError, ClientSession, ClientTimeout

from actions.ps7.testing import FAULTS, PERSONAS, Fault, Persona, Simulator
from actions.ps7.testing.simulator import delivery
from tests.support.simulator_client import JSON, LOGIN, PATH, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Give a client; what it waits for comes within seconds or never."""
    async with ClientSession(timeout=ClientTimeout(total=10)) as session:
        yield Client(session)


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Give a simulator on a free port."""
    async with Simulator() as simulator:
        yield simulator


def encoded(text: str) -> str:
    """Give the Base64 form of a contextId."""
    return base64.b64encode(text.encode()).decode()


# What it answers


@pytest.mark.parametrize("persona", PERSONAS.values(), ids=PERSONAS)
async def test_a_customer_is_answered_with_their_answer(
    ps7: Simulator, client: Client, persona: Persona
) -> None:
    """The whole body, as JSON in UTF-8."""
    answer = await client.look_up(ps7, persona.context_id)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == persona.answer


AS_THEY_ARE = [
    fault
    for fault in FAULTS.values()
    if fault.delivery == "whole" and fault.name not in {"huge-header", "flapping"}
]


@pytest.mark.parametrize("fault", AS_THEY_ARE, ids=lambda fault: fault.name)
async def test_a_fault_is_answered_as_it_says(ps7: Simulator, client: Client, fault: Fault) -> None:
    """Status, headers and body are the fault's own."""
    answer = await client.look_up(ps7, fault.context_id)
    assert answer.status == fault.status
    assert fault.headers.items() <= answer.headers.items()
    assert fault.body in (answer.body, parsed(answer.body))


def parsed(body: bytes) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Read a body as JSON, None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


async def test_an_unknown_context_is_answered_as_not_found(ps7: Simulator, client: Client) -> None:
    """PS7 says so with status 200 and `code` 1."""
    answer = await client.look_up(ps7, "nobody")
    assert (answer.status, answer.json["code"]) == (200, "1")


async def test_slow_never_answers_and_ends_promptly_when_the_simulator_stops(
    ps7: Simulator, client: Client
) -> None:
    """A test that forgot about a lookup under way does not hang at its end."""
    waiting = asyncio.create_task(client.look_up(ps7, "slow"))
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done
    begun = time.monotonic()
    await ps7.stop()
    assert time.monotonic() - begun < 1
    with pytest.raises(ClientConnectionError):
        await waiting


async def test_slow_is_a_good_answer_in_the_end(
    ps7: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a deadline keeps a client from taking it for a customer."""
    monkeypatch.setattr(delivery, "_HELD_FOR", 0.01)
    answer = await client.look_up(ps7, "slow")
    assert (answer.status, answer.json) == (200, FAULTS["slow"].body)


async def test_a_client_that_gives_up_leaves_nothing_running(ps7: Simulator) -> None:
    """Thousands of lookups that time out do not pile up in a long run."""
    before = asyncio.all_tasks()
    async with ClientSession(timeout=ClientTimeout(total=0.2)) as session:
        with pytest.raises(asyncio.TimeoutError):
            await Client(session).look_up(ps7, "slow")
    for _ in range(50):
        if asyncio.all_tasks() == before:
            break
        await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before
    assert [request.json for request in ps7.requests] == [{"contextId": "slow"}]


# What the gateway does with a contextId


@pytest.mark.parametrize(
    ("more", "upstream_id"),
    [
        ({}, encoded("ana")),
        ({"encoded": 0}, "ana"),
        ({"encoded": "0"}, "ana"),
        ({"encoded": 1}, encoded("ana")),
        ({"encoded": "1"}, encoded("ana")),
        ({"encoded": None}, encoded("ana")),
        ({"encoded": False}, encoded("ana")),
    ],
)
async def test_encoded_decides_what_goes_on_to_ps7_and_the_customer_is_the_same(
    ps7: Simulator, client: Client, more: dict[str, object], upstream_id: str
) -> None:
    """`encoded` 0: as it is. Any other value, or none: in Base64."""
    answer = await client.look_up(ps7, "ana", **more)
    assert ps7.requests[-1].upstream_id == upstream_id
    assert answer.json["decodedContextId"] == "ana"


async def test_a_context_id_in_base64_is_known_if_it_goes_on_as_it_is(
    ps7: Simulator, client: Client
) -> None:
    """A channel that encodes already needs `encoded` 0: encoded twice, PS7 does not know it."""
    once = await client.look_up(ps7, encoded("ana"), encoded=0)
    twice = await client.look_up(ps7, encoded("ana"))
    assert once.json["decodedContextId"] == "ana"
    assert twice.json["code"] == "1"


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

GOOD = {
    "method": "POST",
    "path": PATH,
    "headers": {**LOGIN, **JSON},
    "body": b'{"contextId": "ana"}',
}
REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("another path", {"path": PATH + "/x"}, 404, "error_code"),
    ("another method", {"method": "GET"}, 405, "error_code"),
    ("no userName", {"headers": {**JSON, "password": "simulator"}}, 401, "resultCode"),
    ("no password", {"headers": {**JSON, "userName": "simulator"}}, 401, "resultCode"),
    ("empty password", {"headers": {**JSON, **LOGIN, "password": ""}}, 401, "resultCode"),
    ("wrong userName", {"headers": {**JSON, **LOGIN, "userName": "x"}}, 401, "resultCode"),
    ("wrong password", {"headers": {**JSON, **LOGIN, "password": "x"}}, 401, "resultCode"),
    ("form", {"headers": {**LOGIN, "Content-Type": "text/plain"}}, 400, "resultCode"),
    ("no JSON", {"body": b"contextId=ana"}, 400, "resultCode"),
    ("no UTF", {"body": b'{"contextId": "\xff"}'}, 400, "resultCode"),
    ("too deep", {"body": b"[" * 200_000}, 400, "resultCode"),
    ("no body", {"body": b""}, 400, "resultCode"),
    ("no object", {"body": b'["ana"]'}, 400, "resultCode"),
    ("no contextId", {"body": b'{"contextid": "ana"}'}, 400, "resultCode"),
    ("number", {"body": b'{"contextId": 123123213}'}, 400, "resultCode"),
    ("blank", {"body": b'{"contextId": " "}'}, 400, "resultCode"),
    # What comes first is what is answered.
    ("all wrong", {"path": "/x", "method": "PUT", "headers": {}}, 404, "error_code"),
    ("rest wrong", {"method": "PUT", "headers": {}, "body": b"x"}, 405, "error_code"),
    ("stranger", {"headers": {"Content-Type": "text/plain"}, "body": b"x"}, 401, "resultCode"),
]


@pytest.mark.parametrize(
    ("change", "status", "code_name"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
async def test_a_request_that_is_not_right_is_refused_and_recorded(
    ps7: Simulator, client: Client, change: dict[str, Any], status: int, code_name: str
) -> None:
    """With the documented status and a documented error body; PS7 hears nothing of it."""
    request = {**GOOD, **change}
    answer = await client.send(
        ps7.url + request["path"],
        method=request["method"],
        headers=request["headers"],
        body=request["body"],
    )
    assert answer.status == status
    assert answer.json[code_name] == str(status)
    assert len(answer.json) == 2
    [recorded] = ps7.requests
    assert (recorded.method, recorded.path) == (request["method"], request["path"])
    assert (recorded.status, recorded.body) == (status, request["body"])
    assert recorded.refusal in answer.json.values()
    assert recorded.upstream_id is None


async def test_a_wrong_method_is_told_the_right_one(ps7: Simulator, client: Client) -> None:
    """A 405 names what is allowed, as HTTP asks for."""
    answer = await client.send(ps7.url + PATH, method="DELETE")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_charset_and_a_query_do_no_harm(ps7: Simulator, client: Client) -> None:
    """What does not matter to a gateway does not matter here; the query is on record."""
    headers = {**LOGIN, "Content-Type": "Application/JSON; charset=utf-8"}
    answer = await client.send(
        ps7.url + PATH + "?a=b", headers=headers, body=b'{"contextId":"ana"}'
    )
    assert answer.json == PERSONAS["ana"].answer
    assert ps7.requests[0].path == PATH + "?a=b"


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"x-itau-apikey": "key", "x-app-key": "app"}, 200),
        ({"x-itau-apikey": "key", "x-app-key": "wrong"}, 401),
        ({"x-itau-apikey": "wrong", "x-app-key": "app"}, 401),
        ({"x-app-key": "app"}, 401),
        ({"x-itau-apikey": "key"}, 401),
    ],
)
async def test_keys_must_match_where_the_simulator_was_given_them(
    client: Client, keys: dict[str, str], status: int
) -> None:
    """Both of them, after user name and password."""
    async with Simulator(api_key="key", app_key="app") as ps7:
        answer = await client.send(
            ps7.url + PATH, headers={**LOGIN, **JSON, **keys}, body=b'{"contextId": "ana"}'
        )
    assert answer.status == status
    assert ("error_code" in answer.json) == (status == 401)


@pytest.mark.parametrize(
    ("login", "status"),
    [
        ({"userName": "who", "password": "ever"}, 200),
        ({"userName": "who"}, 401),
        ({"userName": "", "password": "ever"}, 401),
    ],
)
async def test_without_credentials_of_its_own_it_takes_any_that_are_there(
    client: Client, login: dict[str, str], status: int
) -> None:
    """`None` means any user name and password that are not empty."""
    async with Simulator(username=None, password=None) as ps7:
        answer = await client.send(
            ps7.url + PATH, headers={**login, **JSON}, body=b'{"contextId": "ana"}'
        )
    assert answer.status == status


# What a test can do with it


async def test_requests_are_recorded_as_they_came(ps7: Simulator, client: Client) -> None:
    """A test can assert the exact request: method, path, headers, bytes, JSON."""
    body = b'{ "contextId": "ana", "encoded": 0 }'
    headers = {**LOGIN, **JSON, "x-itau-flowID": "F1"}
    await client.send(ps7.url + PATH, headers=headers, body=body)
    [request] = ps7.requests
    assert (request.method, request.path, request.body) == ("POST", PATH, body)
    assert request.json == {"contextId": "ana", "encoded": 0}
    assert request.headers["X-ITAU-FLOWID"] == "F1"
    assert headers.items() <= dict(request.headers).items()
    assert (request.status, request.refusal, request.upstream_id) == (200, None, "ana")


async def test_the_repr_of_a_request_shows_no_value(ps7: Simulator, client: Client) -> None:
    """No header, no body and no contextId gets into a test log."""
    await client.look_up(ps7, "ana", encoded=0)
    text = repr(ps7.requests)
    assert "status=200" in text
    assert "ana" not in text
    assert "simulator" not in text


async def test_only_the_newest_requests_are_kept_where_a_number_is_given(client: Client) -> None:
    """A simulator that runs for days does not grow."""
    async with Simulator(keep=2) as ps7:
        for context_id in ("ana", "bruno", "carla"):
            await client.look_up(ps7, context_id)
    assert [request.json["contextId"] for request in ps7.requests] == ["bruno", "carla"]


async def test_a_test_gives_an_answer_of_its_own(ps7: Simulator, client: Client) -> None:
    """A mapping goes out as JSON, bytes as they are; the headers are the test's."""
    ps7.answer("C9", status=503, headers={"Retry-After": "1"}, body={"code": "9"})
    ps7.answer("ana", headers={"content-type": "text/plain"}, body=b"no")
    ps7.answer("bruno")
    own = await client.look_up(ps7, "C9")
    assert (own.status, own.json) == (503, {"code": "9"})
    assert own.headers["Retry-After"] == "1"
    assert own.headers["Content-Type"] == "application/json"
    replaced = await client.look_up(ps7, "ana")
    assert (replaced.status, replaced.body) == (200, b"no")
    assert replaced.headers["Content-Type"] == "text/plain"
    empty = await client.look_up(ps7, "bruno")
    assert (empty.status, empty.body) == (200, b"")


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


@pytest.mark.parametrize("names", [[], ["ana", "nobody"]])
def test_a_script_is_made_of_known_names(names: list[str]) -> None:
    """A slip of the pen is an error at once, and not an answer of not found later."""
    with pytest.raises(ValueError, match="names of personas and faults"):
        Simulator().script("C9", names)


async def test_answers_of_one_simulator_do_not_reach_another(client: Client) -> None:
    """Tests do not disturb each other."""
    async with Simulator() as first, Simulator() as second:
        first.answer("ana", body={"code": "1"})
        assert (await client.look_up(second, "ana")).json == PERSONAS["ana"].answer


async def test_it_goes_down_and_comes_up_again_on_the_same_port(
    ps7: Simulator, client: Client
) -> None:
    """Between stop and start nobody answers; what came in before is still on record."""
    url = ps7.url
    await client.look_up(ps7, "ana")
    await ps7.stop()
    with pytest.raises(ClientError):
        await client.look_up(ps7, "ana")
    await ps7.stop()
    await ps7.start()
    await ps7.start()
    assert ps7.url == url
    assert (await client.look_up(ps7, "ana")).status == 200
    assert len(ps7.requests) == 2


async def test_a_port_that_is_taken_is_an_error_and_nothing_stays_behind(ps7: Simulator) -> None:
    """The second one says so, can be stopped, and starts once the port is free."""
    second = Simulator(port=ps7.port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.stop()
    await ps7.stop()
    async with second:
        assert second.url == ps7.url


def test_a_url_needs_a_port() -> None:
    """Before the first start there is none, unless it was given."""
    with pytest.raises(RuntimeError, match="not started"):
        _ = Simulator().url
    assert Simulator(port=8077).url == "http://127.0.0.1:8077"
    assert Simulator(host="::1", port=8077).url == "http://[::1]:8077"


def test_the_environment_is_what_the_plugin_needs() -> None:
    """Three variables, and the keys where there are any."""
    assert Simulator(port=8077).environment == {
        "PS7_BASE_URL": "http://127.0.0.1:8077",
        "PS7_USERNAME": "simulator",
        "PS7_PASSWORD": "simulator",
    }
    given = Simulator(port=8077, username="u", password="p", api_key="k", app_key="a")
    assert given.environment == {
        "PS7_BASE_URL": "http://127.0.0.1:8077",
        "PS7_USERNAME": "u",
        "PS7_PASSWORD": "p",
        "PS7_API_KEY": "k",
        "PS7_APP_KEY": "a",
    }
    with_tokens = Simulator(port=8077, app_secret="s").environment
    assert (with_tokens["PS7_APP_KEY"], with_tokens["PS7_APP_SECRET"]) == ("simulator", "s")
    assert "PS7_API_KEY" not in with_tokens
    free = Simulator(port=8077, username=None, password=None).environment
    assert (free["PS7_USERNAME"], free["PS7_PASSWORD"]) == ("simulator", "simulator")


def test_its_repr_shows_no_secret() -> None:
    """A failing fixture prints where it listens, and no password or key."""
    text = repr(
        Simulator(port=8077, password="hush", api_key="hush", app_key="hush", app_secret="hush")
    )
    assert "8077" in text
    assert "hush" not in text


# Its own pages


async def test_the_overview_lists_customers_and_faults(ps7: Simulator, client: Client) -> None:
    """`GET /` is readable: indented JSON in UTF-8, with what the bot should know of each."""
    page = await client.send(ps7.url + "/", method="GET")
    assert page.status == 200
    assert "Personnalité" in page.body.decode()
    assert b'\n  "personas": [\n' in page.body
    overview = page.json
    assert overview["service"] == "PS7 simulator"
    assert {one["contextId"]: one["slots"] for one in overview["personas"]} == {
        persona.context_id: persona.slots for persona in PERSONAS.values()
    }
    assert {one["contextId"]: (one["outcome"], one["reason"]) for one in overview["faults"]} == {
        fault.context_id: (fault.outcome, fault.reason) for fault in FAULTS.values()
    }
    assert all(one["title"] for one in overview["personas"] + overview["faults"])
    assert ps7.requests == []


async def test_the_requests_page_shows_of_secrets_only_that_they_came(
    ps7: Simulator, client: Client
) -> None:
    """A person sees what the bot sent, and nobody reads a password there."""
    login = {"userName": "simulator", "password": "simulator", "x-app-key": "app-secret"}
    trace = {"x-itau-correlationID": "K1", "x-itau-flowID": "F1"}
    body = b'{"contextId": "ana", "encoded": 0, "password": "body-secret"}'
    await client.send(ps7.url + PATH, headers={**login, **trace, **JSON}, body=body)
    await client.send(ps7.url + "/elsewhere", method="GET")
    page = await client.send(ps7.url + "/requests", method="GET")
    assert page.json == {
        "requests": [
            {
                "method": "POST",
                "path": PATH,
                "status": 200,
                "refusal": None,
                "contextId": "ana",
                "encoded": 0,
                "upstreamId": "ana",
                "correlationId": "K1",
                "flowId": "F1",
                "present": {
                    "userName": True,
                    "password": True,
                    "x-itau-apikey": False,
                    "x-app-key": True,
                    "Authorization": False,
                },
            },
            {
                "method": "GET",
                "path": "/elsewhere",
                "status": 404,
                "refusal": "no such path",
                "contextId": None,
                "encoded": None,
                "upstreamId": None,
                "correlationId": None,
                "flowId": None,
                "present": {
                    "userName": False,
                    "password": False,
                    "x-itau-apikey": False,
                    "x-app-key": False,
                    "Authorization": False,
                },
            },
        ],
        "tokenRequests": [],
    }


async def test_the_recorded_requests_can_be_forgotten(ps7: Simulator, client: Client) -> None:
    """`DELETE /requests` empties the list, for a test in another process."""
    await client.look_up(ps7, "ana")
    answer = await client.send(ps7.url + "/requests", method="DELETE")
    assert (answer.status, answer.json) == (200, {"requests": [], "tokenRequests": []})
    assert ps7.requests == []
