"""`PS7Client.lookup()` against the simulator: who comes out, which error, and what is told."""

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
from actions.ps7.testing import PERSONAS, Simulator
from tests.support.simulator_client import own_simulator
from tests.vectors.vector import load

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


OVER_HTTP = (
    *("documented-example", "charset-latin-1", "content-type-absent", "encoding-identity"),
    *("body-binary", "body-empty", "encoding-gzip", "encoding-gzip-claimed", "status-401-gzip"),
    *("status-204", "status-302", "status-400-code", "status-500-with-a-customer", "status-599"),
)
"""Those in which the way through the network has a part; `tests/unit/test_wire.py` has all."""


@pytest.mark.parametrize("name", OVER_HTTP)
async def test_a_vector_comes_out_the_same_over_http(ps7: Simulator, name: str) -> None:
    """The way through the network changes nothing: neither bytes nor headers nor the status."""
    vector = load(name)
    ps7.answer("C1", status=vector.status, headers=vector.headers, body=vector.body)
    async with PS7Client(settings_for(ps7.url, **vector.settings)) as client:
        if vector.outcome == "ok":
            assert (await client.lookup("C1")).agency == vector.slots.get("agency")
            return
        failure = await failure_of(client)
    ended = (failure.outcome.value, failure.reason.value, failure.status)
    assert ended == (vector.outcome, vector.reason, vector.status)


async def test_many_lookups_at_once_give_each_their_own_customer(client: PS7Client) -> None:
    """No answer ends up with another customer, whatever shares the connections."""
    everyone = [*PERSONAS.values()] * 5
    customers = await asyncio.gather(*(client.lookup(who.context_id) for who in everyone))
    assert [customer.cpf for customer in customers] == [who.slots["cpf"] for who in everyone]


async def test_a_client_reads_the_settings_of_its_process(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the action server's own does; without usable ones it is not made."""
    with pytest.raises(SettingsError, match=r"(?s)PS7_BASE_URL.*PS7_USERNAME.*PS7_PASSWORD"):
        PS7Client()
    for name, value in ps7.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PS7_SEAL_KEYS", f'["{Fernet.generate_key().decode()}"]')
    async with PS7Client() as client:
        assert (await client.lookup("ana")).agency == "0341"


# Which error


async def test_a_lookup_is_over_at_its_deadline(ps7: Simulator) -> None:
    """However long PS7 takes: here for ever. Waiting for a connection counts as well."""
    settings = settings_for(ps7.url, deadline=0.3, read_timeout=100, max_connections=1)
    first = build_request(settings, "slow", encoded=None, correlation_id=None, flow_id="first")
    async with PS7Client(settings) as client:
        started = time.monotonic()
        failure = await failure_of(client, "slow")
        assert (type(failure), failure.reason) == (DeadlineExceeded, Reason.DEADLINE)
        in_line = asyncio.create_task(client._transport.send(first))
        while len(ps7.requests) < 2:  # noqa: ASYNC110 - it has the connection then
            await asyncio.sleep(0.01)
        assert (await failure_of(client, "ana")).reason is Reason.DEADLINE
        assert 0.5 < time.monotonic() - started < 3.0
        in_line.cancel()
        await asyncio.wait([in_line])
        assert (await client.lookup("ana")).agency == "0341", "it is free again"


async def test_who_waits_for_another_attempt_holds_no_connection(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only connection is free for a neighbour meanwhile."""
    paused = asyncio.Event()
    goes_on = asyncio.Event()

    async def sleep(_: float) -> None:
        paused.set()
        await goes_on.wait()

    monkeypatch.setattr("actions.ps7.api.policy.sleep", sleep)
    ps7.answer("C1", status=503)
    async with PS7Client(settings_for(ps7.url, max_connections=1, attempts=2)) as client:
        waiting = asyncio.create_task(failure_of(client, "C1"))
        await paused.wait()
        assert (await client.lookup("ana")).agency == "0341"
        goes_on.set()
        assert (await waiting).status == 503
    assert len(ps7.requests) == 3


async def test_an_answer_of_64_kib_is_read_and_one_byte_more_is_refused(
    ps7: Simulator, client: PS7Client
) -> None:
    """Even if the byte too many is a blank."""
    ps7.answer("C1", body=GOOD.ljust(CAP))
    assert (await client.lookup("C1")).agency == "0341"
    ps7.answer("C1", body=GOOD.ljust(CAP + 1))
    assert (await failure_of(client)).reason is Reason.ANSWER_TOO_LARGE


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


async def reported(client: PS7Client, context_id: str) -> LookupReport:
    """Look a contextId up, however it ends, and return the report."""
    report = LookupReport()
    with suppress(LookupFailed):
        await client.lookup(context_id, correlation_id="c-1", report=report)
    return report


async def test_a_report_holds_how_a_lookup_went(ps7: Simulator, client: PS7Client) -> None:
    """With PS7's answer to the last attempt as it came; one before it does not explain the end."""
    ps7.answer("C1", body=GOOD)
    report = await reported(client, "C1")
    assert (report.outcome.value, report.reason, report.status) == ("ok", Reason.OK, 200)
    assert (report.attempts, report.context_digest) == (1, client.digest("C1"))
    assert (report.correlation_id, report.answer and report.answer.body) == ("c-1", GOOD)
    assert "0341" not in repr(report)
    ps7.script("C1", ["http-503", "reset"])
    report = await reported(client, "C1")
    assert (report.reason, report.attempts, report.answer) == (Reason.CONNECTION_LOST, 3, None)


async def test_a_lookup_is_one_line(ps7: Simulator, said: pytest.LogCaptureFixture) -> None:
    """Outcome, reason, status, attempts, milliseconds, correlation id, digest of the contextId."""
    async with PS7Client(settings_for(ps7.url, deadline=0.2)) as client:
        for context_id, correlation_id, line in (
            ("ana", "trail-1", r"outcome=ok reason=ok status=200 attempts=1 ms=\d{1,3}"),
            ("slow", None, r"outcome=unavailable reason=deadline status=- attempts=1 ms=2\d\d"),
        ):
            said.clear()
            with suppress(LookupFailed):
                await client.lookup(context_id, correlation_id=correlation_id)
            ((level, text),) = [(record.levelname, record.getMessage()) for record in said.records]
            ids = f"correlation={correlation_id or '-'} context={client.digest(context_id)}"
            assert (level, bool(re.fullmatch(f"PS7 lookup: {line} {ids}", text))) == ("INFO", True)


async def test_an_expiry_that_was_not_expected_is_warned_of_once_a_process(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each problem, by the form of what PS7 sent and without its value."""
    monkeypatch.setattr(telemetry, "_expiry_problems", set())
    for expire_in in (0, -5, "2021-03-21", "2020-01-01", "soon", [60], None, 60):
        ps7.answer("C1", body={"expireIn": expire_in, "payload": {"u_ag": "0341"}})
        async with PS7Client(settings_for(ps7.url)) as client:
            await client.lookup("C1")
    assert caplog.messages == [
        f"PS7 sent an expireIn that {problem}: PS7_MAX_AGE applies instead"
        for problem in ("is 0 or less (9)", "is past (9999-99-99)", "cannot be read (aaaa)")
    ]
