"""`PS7Client.lookup()` against the simulator: who comes out, which error, and how often it asks."""

from __future__ import annotations

import asyncio
import re
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import (
    CustomerContext,
    DeadlineExceeded,
    LookupFailed,
    PS7Client,
    PS7Settings,
    PS7Unavailable,
    Reason,
    SettingsError,
)
from actions.ps7.api import telemetry
from actions.ps7.api.telemetry import LookupReport
from actions.ps7.api.wire import build_request
from actions.ps7.slots import CUSTOMER_SLOTS, project
from actions.ps7.testing import PERSONAS, Simulator
from tests.host.loopback import Server, http
from tests.support.simulator_client import own_simulator
from tests.vectors.vector import NAMES, load

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

GOOD = b'{"code": "0", "payload": {"u_ag": "0341"}}'
CAP = 64 * 1024
LINE = re.compile(r"PS7 lookup: outcome=(\w+) reason=(\w+) status=(\S+) attempts=(\d+) ")


def settings_for(url: str, **more: Any) -> PS7Settings:  # noqa: ANN401 - any setting
    """Return settings that lead to a server on this machine."""
    required = {"base_url": url, "username": "simulator", "password": "simulator"}
    return PS7Settings(**{**required, "seal_keys": [Fernet.generate_key().decode()], **more})


ps7 = pytest.fixture(own_simulator)


@pytest.fixture
async def client(ps7: Simulator) -> AsyncIterator[PS7Client]:
    """Return a client of the simulator."""
    async with PS7Client(settings_for(ps7.url)) as ours:
        yield ours


async def failure_of(client: PS7Client, context_id: str = "C1") -> LookupFailed:
    """Look a contextId up and give the error."""
    with pytest.raises(LookupFailed) as caught:
        await client.lookup(context_id)
    return caught.value


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, ...]]:
    """Return outcome, reason, status and attempts of each lookup's line."""
    found = [LINE.match(record.getMessage()) for record in caplog.records]
    return [line.groups() for line in found if line]


# Who comes out


@pytest.mark.parametrize("name", NAMES)
async def test_every_vector_comes_out_the_same_over_http(ps7: Simulator, name: str) -> None:
    """The way through the network changes nothing: neither bytes nor headers nor the status."""
    vector = load(name)
    ps7.answer("C1", status=vector.status, headers=vector.headers, body=vector.body)
    async with PS7Client(settings_for(ps7.url, **vector.settings)) as client:
        if vector.outcome != "ok":
            failure = await failure_of(client)
            ended = (failure.outcome.value, failure.reason.value, failure.status)
            assert ended == (vector.outcome, vector.reason, vector.status)
            return
        customer = await client.lookup("C1")
    names = {*CUSTOMER_SLOTS, *vector.slots} - {"ps7_expires_at"}
    names -= {"ps7_payload"} - set(vector.slots)
    assert project({slot: slot for slot in names}, customer) == {
        slot: vector.slots.get(slot) for slot in names
    }


async def test_many_lookups_at_once_give_each_their_own_customer(client: PS7Client) -> None:
    """No answer ends up with another customer, whatever shares the connections."""
    everyone = [*PERSONAS.values()] * 5
    customers = await asyncio.gather(*(client.lookup(who.context_id) for who in everyone))
    assert [customer.cpf for customer in customers] == [who.slots["cpf"] for who in everyone]


# Which error


async def test_a_lookup_is_over_at_its_deadline(ps7: Simulator) -> None:
    """However long PS7 takes: here for ever."""
    async with PS7Client(settings_for(ps7.url, deadline=0.3, read_timeout=100)) as client:
        started = time.monotonic()
        failure = await failure_of(client, "slow")
        assert 0.2 < time.monotonic() - started < 1.0
    assert (type(failure), failure.reason) == (DeadlineExceeded, Reason.DEADLINE)
    assert isinstance(failure, PS7Unavailable)


async def test_waiting_for_a_connection_counts_towards_the_deadline(ps7: Simulator) -> None:
    """With one connection at most, and that one busy, a lookup waits no longer than any other."""
    settings = settings_for(ps7.url, deadline=0.3, max_connections=1)
    request = build_request(
        settings, "slow", encoded=None, correlation_id=None, flow_id="first-in-line"
    )
    async with PS7Client(settings) as client:
        first = asyncio.create_task(client._transport.send(request))
        await asyncio.sleep(0.05)  # it has the connection
        failure = await failure_of(client, "ana")
        first.cancel()
        await asyncio.wait([first])
        assert failure.reason == Reason.DEADLINE
        assert len(ps7.requests) == 1
        assert (await client.lookup("ana")).agency == "0341"  # it is free again


def filled(size: int) -> bytes:
    """Return a good answer of exactly this many bytes."""
    return GOOD + b" " * (size - len(GOOD))


async def test_an_answer_of_64_kib_is_read_and_one_byte_more_is_refused(
    ps7: Simulator, client: PS7Client
) -> None:
    """Even if the byte too many is a blank."""
    ps7.answer("C1", body=filled(CAP))
    assert (await client.lookup("C1")).agency == "0341"
    ps7.answer("C1", body=filled(CAP + 1))
    assert (await failure_of(client)).reason is Reason.ANSWER_TOO_LARGE


async def test_an_unforeseen_error_comes_out_as_one_of_our_errors(
    ps7: Simulator,
    client: PS7Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A mistake of ours must not end a bot's turn; the log names it and no value, and once."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("actions.ps7.api.client.decode", broken)
    failure = await failure_of(client, "ana")
    assert (type(failure), failure.reason, failure.status) == (
        PS7Unavailable,
        Reason.INTERNAL,
        None,
    )
    assert failure.__cause__ is None
    assert failure.__context__ is None
    assert [text for text in caplog.messages if text.startswith("ZeroDivisionError at")]
    assert len(ps7.requests) == 1


async def test_a_request_that_cannot_be_sent_comes_out_as_one_of_our_errors(
    ps7: Simulator, client: PS7Client
) -> None:
    """A flow id that is no header value is not sent, and raises nothing foreign."""
    with pytest.raises(PS7Unavailable) as caught:
        await client.lookup("ana", flow_id="a\r\nuserName: b")
    assert caught.value.reason is Reason.INTERNAL
    assert ps7.requests == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"base_url": "http://127.0.0.1:1", "attempts": 1}, Reason.CONNECT),
        ({"deadline": 0.1}, Reason.DEADLINE),
    ],
)
async def test_a_failure_that_was_handled_is_gone(
    ps7: Simulator, more: dict[str, Any], reason: Reason
) -> None:
    """Not only at the next collection: its traceback leads to all of a conversation."""
    async with PS7Client(settings_for(ps7.url, **more)) as client:
        with pytest.raises(LookupFailed) as caught:
            await client.lookup("slow")
    assert caught.value.reason is reason
    left = weakref.ref(caught.value)
    del caught
    assert left() is None


# What a lookup looks like from outside


async def reported(client: PS7Client, context_id: str, **more: Any) -> LookupReport:  # noqa: ANN401
    """Look a contextId up, however it ends, and return the report."""
    report = LookupReport()
    with suppress(LookupFailed):
        await client.lookup(context_id, report=report, **more)
    return report


async def test_a_report_holds_how_a_lookup_went(ps7: Simulator, client: PS7Client) -> None:
    """And the answer as it came, of which nothing stands in its `repr`."""
    ps7.answer("C1", body=GOOD)
    report = await reported(client, "C1", encoded=0, correlation_id="c-1", flow_id="f-1")
    [request] = ps7.requests
    assert request.json == {"contextId": "C1", "encoded": "0"}
    assert (request.headers["x-itau-flowID"], report.correlation_id) == ("f-1", "c-1")
    assert report.answer is not None
    assert (report.answer.status, report.answer.body) == (200, GOOD)
    ended = (report.outcome.value, report.reason, report.status, report.attempts)
    assert ended == ("ok", Reason.OK, 200, 1)
    assert report.context_digest == client.digest("C1")
    assert "0341" not in repr(report)


async def test_a_report_of_a_failure_holds_the_answer_of_the_last_attempt(
    ps7: Simulator, client: PS7Client
) -> None:
    """An answer that came before it does not explain how the lookup ended."""
    report = await reported(client, "http-401")
    assert (report.reason, report.status) == (Reason.UNAUTHORIZED, 401)
    assert report.answer is not None
    assert report.answer.status == 401
    await client.lookup("ana")
    ps7.script("C1", ["http-503", "reset"])
    report = await reported(client, "C1")
    assert (report.reason, report.attempts, report.answer) == (Reason.CONNECTION_LOST, 3, None)


async def test_a_refused_token_is_no_answer_in_a_report() -> None:
    """The refusal led to another token; that there was none is how it ended."""
    async with (
        Simulator(app_key="app", app_secret="secret") as ps7,
        PS7Client(settings_for(ps7.url, app_key="app", app_secret="secret")) as client,
    ):
        assert (await reported(client, "ana")).answer is not None
        ps7.revoke_tokens()
        ps7.token_answer(400)
        report = await reported(client, "ana")
    assert (report.reason, report.answer) == (Reason.TOKEN_REFUSED, None)


async def test_a_lookup_that_finds_a_customer_says_so_in_one_line(
    client: PS7Client, said: pytest.LogCaptureFixture
) -> None:
    """Outcome, reason, status, attempts, milliseconds, correlation id, digest of the contextId."""
    for correlation_id in ("trail-1", None):
        said.clear()
        await client.lookup("ana", correlation_id=correlation_id)
        ((level, text),) = [(record.levelname, record.getMessage()) for record in said.records]
        line = "PS7 lookup: outcome=ok reason=ok status=200 attempts=1 ms=[0-9]{1,3} "
        line += f"correlation={correlation_id or '-'} context={client.digest('ana')}"
        assert level == "INFO"
        assert re.fullmatch(line, text)


async def test_an_expiry_that_was_not_expected_is_warned_of_once_a_process(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each problem, by the form of what PS7 sent and without its value."""
    monkeypatch.setattr(telemetry, "_expiry_problems", set())
    for expire_in in (0, -5, "2021-03-21", "2020-01-01", "soon", [60], None, 60):
        ps7.answer("C1", body={"expireIn": expire_in, "payload": {"u_ag": "0341"}})
        async with PS7Client(settings_for(ps7.url)) as client:
            assert (await client.lookup("C1")).agency == "0341"
    assert caplog.messages == [
        f"PS7 sent an expireIn that {problem}: PS7_MAX_AGE applies instead"
        for problem in ("is 0 or less (9)", "is past (9999-99-99)", "cannot be read (aaaa)")
    ]


async def test_the_milliseconds_are_those_of_the_lookup(said: pytest.LogCaptureFixture) -> None:
    """A server that takes a tenth of a second makes for a hundred milliseconds and some."""
    async with (
        Server([b"", http(GOOD)], pause=0.1) as server,
        PS7Client(settings_for(server.url)) as client,
    ):
        await client.lookup("C1")
    (milliseconds,) = re.findall(r" ms=(\d+) ", said.text)
    assert 90 <= int(milliseconds) < 1000


# Where the settings come from


async def test_a_client_reads_the_settings_of_its_process(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the action server's own does."""
    for name, value in ps7.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PS7_SEAL_KEYS", f'["{Fernet.generate_key().decode()}"]')
    async with PS7Client() as client:
        customer = await client.lookup("ana")
    assert isinstance(customer, CustomerContext)
    assert customer.agency == "0341"


def test_a_client_without_usable_settings_is_not_made() -> None:
    """The error names every variable that is missing."""
    with pytest.raises(SettingsError, match=r"(?s)PS7_BASE_URL.*PS7_USERNAME.*PS7_PASSWORD"):
        PS7Client()
