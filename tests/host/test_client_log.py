"""What a lookup says: one INFO line, and never anything of the customer or the credentials."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING

import pytest

from actions.ps7 import PS7Client
from actions.ps7.testing import PERSONAS, Simulator
from tests.host.loopback import Server, http
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
    """Return a simulator that wants the planted credentials and knows the planted customer."""
    async with Simulator(
        username=CREDENTIALS["username"],
        password=CREDENTIALS["password"],
        api_key=CREDENTIALS["api_key"],
        app_key=CREDENTIALS["app_key"],
    ) as simulator:
        simulator.answer(CONTEXT_ID, body=ANSWER)
        yield simulator


def planted(url: str, **more: object) -> PS7Settings:
    """Return settings with the planted credentials."""
    return settings_for(url, **{**CREDENTIALS, "deadline": 0.5, **more})


def lines(caplog: pytest.LogCaptureFixture) -> list[re.Match[str]]:
    """Return the lines of lookups; whatever else this package said at INFO fails the test."""
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


# What is never said


async def test_a_customer_who_is_found_is_not_talked_about(
    ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """At no level, and not in the `repr` of anything that a bot may hold."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    settings = planted(ps7.url)
    async with PS7Client(settings) as client:
        customer = await client.lookup(CONTEXT_ID, correlation_id="trail-1")
        assert customer.cpf == CPF
        held = [client, vars(client), settings, customer, str(customer), f"{customer}", [customer]]
        assert not SECRET.search("\n".join(map(repr, held)))
    said = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert not SECRET.search("\n".join(said))
