"""What a lookup says: one INFO line, and never anything of the customer or the credentials."""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from typing import TYPE_CHECKING

import pytest

from actions.ps7 import CustomerContext, LookupFailed, PS7Client
from actions.ps7.testing import PERSONAS, Simulator
from tests.host.loopback import Server, http, unused_port
from tests.host.test_client import settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from actions.ps7 import PS7Settings

pytestmark = pytest.mark.usefixtures("isolated")

LINE = re.compile(
    r"PS7 lookup: outcome=(?P<outcome>[a-z]+) reason=(?P<reason>[a-z_]+) status=(?P<status>\d+|-) "
    r"attempts=(?P<attempts>\d+) ms=(?P<ms>\d+) correlation=(?P<correlation>\S+) "
    r"context=(?P<context>[0-9a-f]{12})"
)

# Nothing of this may be found anywhere. Each is a text that nothing else contains.
CREDENTIALS = {
    "username": "planted-username",
    "password": "planted-password",
    "api_key": "planted-api-key",
    "app_key": "planted-app-key",
}
CONTEXT_ID = "planted-context-id"
CPF = "52998224725"
PAYLOAD = {
    "u_cpf": CPF,
    "u_ag": "planted-agency",
    "u_cc": "planted-account",
    "u_seg": "planted-segment",
    "u_dest": "planted-option",
    "u_numA": "5511900000001",
    "u_tpid": "planted-document",
    "u_id": "planted-identification",
    "u_dseg": "planted-device",
    "u_dsok": "planted-acceptance",
    "u_planted": "planted-field",
}
ANSWER = {
    "message": "planted-message",
    "key": "planted-key",
    "decodedContextId": "planted-decoded",
    "expireIn": "planted-expiry",
    "payload": PAYLOAD,
}
SECRET = re.compile(r"planted-|52998224725|982[.]?247|5511900000001")


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Give a simulator that wants the planted credentials and knows the planted customer."""
    async with Simulator(
        username=CREDENTIALS["username"],
        password=CREDENTIALS["password"],
        api_key=CREDENTIALS["api_key"],
        app_key=CREDENTIALS["app_key"],
    ) as simulator:
        simulator.answer(CONTEXT_ID, body=ANSWER)
        yield simulator


def planted(url: str, **more: object) -> PS7Settings:
    """Give settings with the planted credentials."""
    return settings_for(url, **{**CREDENTIALS, "deadline": 0.5, **more})


def lines(caplog: pytest.LogCaptureFixture) -> list[re.Match[str]]:
    """Give the lines of lookups; whatever else this package said at INFO fails the test."""
    said = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("actions.") and record.levelno == logging.INFO
    ]
    matches = [LINE.fullmatch(text) for text in said]
    assert None not in matches, said
    return [match for match in matches if match]


# The one line


async def test_a_lookup_that_finds_a_customer_says_so_in_one_line(
    ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Outcome, reason, status, attempts, milliseconds, correlation id, digest of the contextId."""
    caplog.set_level(logging.INFO)
    async with PS7Client(planted(ps7.url)) as client:
        await client.lookup(CONTEXT_ID, correlation_id="trail-1")
        (line,) = lines(caplog)
        assert line["context"] == client.digest(CONTEXT_ID)
    assert (line["outcome"], line["reason"], line["status"]) == ("ok", "ok", "200")
    assert line["attempts"] == "1"
    assert line["correlation"] == "trail-1"
    assert int(line["ms"]) < 500
    async with PS7Client(planted(ps7.url)) as client:
        caplog.clear()
        await client.lookup(PERSONAS["ana"].context_id)
        assert [record.levelname for record in caplog.records] == ["INFO"]
        (line,) = lines(caplog)
    assert (line["context"], line["correlation"]) == (client.digest("ana"), "-")


async def test_the_milliseconds_are_those_of_the_lookup(caplog: pytest.LogCaptureFixture) -> None:
    """A server that takes a tenth of a second makes for a hundred milliseconds and some."""
    caplog.set_level(logging.INFO)
    async with (
        Server([b"", http(b'{"payload": {"u_ag": "1"}}')], pause=0.1) as server,
        PS7Client(planted(server.url, deadline=5.0)) as client,
    ):
        await client.lookup(CONTEXT_ID)
    (line,) = lines(caplog)
    assert 90 <= int(line["ms"]) < 1000


async def test_a_lookup_that_is_cancelled_says_so_and_stays_cancelled(
    ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The host that takes its turn back hears of it, and so does the log."""
    caplog.set_level(logging.INFO)
    async with PS7Client(planted(ps7.url, deadline=5.0)) as client:
        task = asyncio.create_task(client.lookup("slow"))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (line,) = lines(caplog)
    assert (line["outcome"], line["reason"], line["status"]) == ("unavailable", "cancelled", "-")


async def test_undocumented_fields_are_warned_of_by_their_names(
    ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """One WARNING a lookup, which shows none of the values."""
    caplog.set_level(logging.INFO)
    ps7.answer(CONTEXT_ID, body={"payload": {**PAYLOAD, "u_cpf": "planted-cpf"}})
    async with PS7Client(planted(ps7.url)) as client:
        await client.lookup(CONTEXT_ID)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    fields = set(re.findall(r"u_\w+", warnings[0].getMessage()))
    assert fields == {"u_cpf", "u_id", "u_dseg", "u_dsok"}
    assert not SECRET.search(warnings[0].getMessage())


# What is never said

RAW = {
    "closed within the body": [http(b'{"payload": {"u_cpf": "52998224725"')[:-3]],
    "no HTTP": [b"planted-garbage 52998224725\r\n\r\n"],
    "no header": [b"HTTP/1.1 200 OK\r\nplanted 52998224725\r\n\r\n"],
    "no chunk": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n52998224725 planted-\r\n"],
    "no chunk after a while": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"52998224725 planted-\r\n",
    ],
    "no length": [b"HTTP/1.1 200 OK\r\nContent-Length: 52998224725x\r\n\r\n"],
    "no JSON": [http(b'{"payload": {"u_cpf": 52998224725, planted-}}')],
    "no text": [http(b'{"payload": {"u_cpf": "52998224725", "u_seg": "planted-\xff"}}')],
    "no object": [http(b'["52998224725", "planted-"]')],
    "a redirect": [http(b"", "Location: /planted-?cpf=52998224725", status="302 Found")],
    "a cookie": [http(b"{}", "Set-Cookie: planted-=52998224725; Domain=%%")],
}


def everything_said(caplog: pytest.LogCaptureFixture, error: BaseException | None) -> str:
    """Give all that a log, a traceback or a debugger shows of a lookup, causes included."""
    said = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    if error is not None:
        said += [line for line in traceback.format_exception(error) if "in test_" not in line]
    while error is not None:
        said += [repr(error), str(error), repr(error.args)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(said)


async def said_of(
    client: PS7Client, context_id: str, caplog: pytest.LogCaptureFixture
) -> tuple[str, CustomerContext | LookupFailed]:
    """Look up at DEBUG; give all that was said, and the result."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    try:
        customer = await client.lookup(context_id, correlation_id="trail-1")
    except LookupFailed as failure:
        return everything_said(caplog, failure), failure
    return everything_said(caplog, None), customer


async def test_a_customer_who_is_found_is_not_talked_about(
    ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """At no level, and not in the `repr` of anything that a bot may hold."""
    settings = planted(ps7.url)
    async with PS7Client(settings) as client:
        said, customer = await said_of(client, CONTEXT_ID, caplog)
        assert isinstance(customer, CustomerContext)
        assert customer.cpf == CPF
        held = [client, vars(client), settings, customer, str(customer), f"{customer}", [customer]]
        assert not SECRET.search("\n".join(map(repr, held)))
    assert not SECRET.search(said)


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 429, 500, 503])
async def test_an_answer_that_is_no_customer_is_not_quoted(
    ps7: Simulator, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Whatever PS7 puts into an error's body or headers."""
    headers = {"Location": "http://127.0.0.1/planted-", "X-Planted": "planted-header"}
    ps7.answer(CONTEXT_ID, status=status, headers=headers, body={**ANSWER, "code": "planted-code"})
    async with PS7Client(planted(ps7.url)) as client:
        said, result = await said_of(client, CONTEXT_ID, caplog)
    assert isinstance(result, LookupFailed)
    assert not SECRET.search(said)


@pytest.mark.parametrize("name", RAW)
async def test_an_answer_that_cannot_be_read_is_not_quoted(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Errors of the HTTP library quote what they could not read, and name the headers sent."""
    async with (
        Server(RAW[name], pause=0.05, stays=False) as server,
        PS7Client(planted(server.url)) as client,
    ):
        said, result = await said_of(client, CONTEXT_ID, caplog)
    assert isinstance(result, LookupFailed)
    assert not SECRET.search(said)


async def test_a_lookup_without_an_answer_is_not_talked_about(
    ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the address that was tried, nor what was under way when the time was over."""
    ps7.answer(CONTEXT_ID, body=ANSWER, delivery="held")
    for url in (f"http://127.0.0.1:{unused_port()}", ps7.url):
        async with PS7Client(planted(url, deadline=0.2)) as client:
            said, result = await said_of(client, CONTEXT_ID, caplog)
        assert isinstance(result, LookupFailed)
        assert not SECRET.search(said)


def test_a_digest_can_be_followed_through_the_log_and_not_back() -> None:
    """The same contextId has the same digest in every process with the same key, and no other."""
    url, key, other = "http://127.0.0.1:1", "k" * 43 + "=", "x" * 42 + "w="
    clients = [PS7Client(planted(url, seal_keys=[each])) for each in (key, key, other)]
    same, again, another = (client.digest(CONTEXT_ID) for client in clients)
    assert same == again != another
    assert same != clients[0].digest(CONTEXT_ID + "x")
