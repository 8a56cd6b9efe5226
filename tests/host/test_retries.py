"""How often PS7 is asked and when, as PS7 sees it; and when it is not asked at all."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from actions.ps7 import CircuitOpen, ContextRejected, LookupFailed, PS7Client, Reason
from actions.ps7.api.wire import build_request
from actions.ps7.testing import Simulator
from tests.host.loopback import RESET, Scripted, http, unused_port
from tests.host.test_client import GOOD, failure_of, settings_for
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.versions

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n"
ANSWERED = [http(GOOD, "Connection: close")]
LINE = re.compile(r"PS7 lookup: outcome=(\w+) reason=(\w+) status=(\S+) attempts=(\d+) ")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder without a `.env`, and without a variable that a developer has set."""
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Give a simulator on a free port."""
    async with Simulator() as simulator:
        yield simulator


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Listen to INFO lines."""
    caplog.set_level(logging.INFO)
    return caplog


def lines(said: pytest.LogCaptureFixture) -> list[tuple[str, ...]]:
    """Give outcome, reason, status and attempts of each lookup."""
    found = [LINE.match(record.getMessage()) for record in said.records]
    return [line.groups() for line in found if line]


def warnings(said: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in said.records if r.levelno >= logging.WARNING]


def client_of(url: str, **settings: Any) -> PS7Client:  # noqa: ANN401 - any setting
    """Give a client that waits for no byte longer than a moment."""
    return PS7Client(settings_for(url, **{"deadline": 5.0, "read_timeout": 0.2, **settings}))


# Failures that pass

PASSING: dict[str, tuple[Sequence[bytes], bool, Reason, int | None]] = {
    "429": ([http(status="429 Too Many Requests")], False, Reason.TOO_MANY_REQUESTS, 429),
    "502": ([http(status="502 Bad Gateway")], False, Reason.SERVER_ERROR, 502),
    "503": ([http(status="503 Service Unavailable")], False, Reason.SERVER_ERROR, 503),
    "504": ([http(status="504 Gateway Timeout")], False, Reason.SERVER_ERROR, 504),
    "closed at once": ([], False, Reason.CONNECTION_LOST, None),
    "reset at once": ([RESET], False, Reason.CONNECTION_LOST, None),
    "reset in the headers": ([HEAD[:40], RESET], False, Reason.CONNECTION_LOST, None),
    "reset in the body": ([HEAD, b'{"payload"', RESET], False, Reason.CONNECTION_LOST, None),
    "closed in the body": ([HEAD, b'{"payload"'], False, Reason.CONNECTION_LOST, None),
    "silent": ([], True, Reason.READ_TIMEOUT, None),
    "silent in the body": ([HEAD, b'{"payload"'], True, Reason.READ_TIMEOUT, None),
}


@pytest.mark.parametrize("name", PASSING)
async def test_a_failure_that_stays_is_met_as_often_as_allowed(
    name: str, said: pytest.LogCaptureFixture
) -> None:
    """`PS7_ATTEMPTS` requests, and the last failure is the lookup's."""
    pieces, stays, reason, status = PASSING[name]
    async with (
        Scripted([], pause=0.02, stays=stays, script=[pieces]) as server,
        client_of(server.url) as client,
    ):
        failure = await failure_of(client)
        assert len(server.heard) == 3
    assert (failure.reason, failure.status) == (reason, status)
    assert lines(said) == [("unavailable", reason.value, str(status or "-"), "3")]


@pytest.mark.parametrize("name", PASSING)
async def test_a_failure_that_passes_costs_one_more_request(
    name: str, said: pytest.LogCaptureFixture
) -> None:
    """The customer comes out, as if nothing had been."""
    pieces, stays, *_ = PASSING[name]
    async with (
        Scripted([], pause=0.02, stays=stays, script=[pieces, ANSWERED]) as server,
        client_of(server.url) as client,
    ):
        assert (await client.lookup("C1")).agency == "0341"
        assert len(server.heard) == 2
        assert server.heard[0] == server.heard[1]
    assert lines(said) == [("ok", "ok", "200", "2")]
    assert warnings(said) == []


async def test_two_failures_of_different_kinds_cost_two_more_requests() -> None:
    """Each attempt is judged by itself."""
    script = [[RESET], [http(status="502 Bad Gateway")], ANSWERED]
    async with (
        Scripted([], stays=False, script=script) as server,
        client_of(server.url) as client,
    ):
        assert (await client.lookup("C1")).agency == "0341"
        assert len(server.heard) == 3


async def test_what_follows_a_failure_that_passes_may_be_one_that_lasts() -> None:
    """Then that one is the lookup's, and there is no third request."""
    script = [[RESET], [http(status="500 Internal Server Error")]]
    async with (
        Scripted([], stays=False, script=script) as server,
        client_of(server.url) as client,
    ):
        failure = await failure_of(client)
        assert len(server.heard) == 2
    assert type(failure) is ContextRejected


async def test_a_refused_connection_is_tried_again(said: pytest.LogCaptureFixture) -> None:
    """Nobody listens, three times."""
    async with client_of(f"http://127.0.0.1:{unused_port()}") as client:
        await failure_of(client)
    assert lines(said) == [("unavailable", "connect", "-", "3")]


async def test_a_server_that_comes_up_meanwhile_is_found(
    monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    """A restart of PS7 that is shorter than a wait is not seen by a customer."""
    monkeypatch.setattr("actions.ps7.api.client.uniform", lambda *_: 0.3)
    ps7 = Simulator(port=unused_port())
    async with client_of(ps7.url) as client:
        looking = asyncio.create_task(client.lookup("ana"))
        await asyncio.sleep(0.1)
        async with ps7:
            assert (await looking).agency == "0341"
            assert len(ps7.requests) == 1
    assert lines(said) == [("ok", "ok", "200", "2")]


@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_the_number_of_attempts_is_the_settings(ps7: Simulator, attempts: int) -> None:
    """The first one counts."""
    ps7.answer("C1", status=503, headers={"Retry-After": "0"})
    async with client_of(ps7.url, attempts=attempts) as client:
        await failure_of(client)
    assert len(ps7.requests) == attempts


@pytest.mark.parametrize("asked", [None, 0.0])
async def test_a_pause_by_chance_doubles_up_to_a_second(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch, asked: float | None
) -> None:
    """Full jitter: any moment from none to a limit; there is none where the server asks for it."""
    limits: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        limits.append((low, round(high, 3)))
        return 0.0

    monkeypatch.setattr("actions.ps7.api.client.uniform", uniform)
    ps7.answer("C1", status=503, headers={} if asked is None else {"Retry-After": "0"})
    async with client_of(ps7.url, attempts=7) as client:
        await failure_of(client)
    every = [(0, 0.1), (0, 0.2), (0, 0.4), (0, 0.8), (0, 1.0), (0, 1.0)]
    assert limits == (every if asked is None else [])
    assert len(ps7.requests) == 7


# Failures that last

LASTING: dict[str, dict[str, Any]] = {
    "code 1": {"body": {"code": "1"}},
    "no payload": {"body": {"code": "0"}},
    "an HTML page": {"body": b"<html>", "headers": {"Content-Type": "text/html"}},
    "half of a JSON": {"body": b'{"payload": {'},
    "a list": {"body": b"[]"},
    "too large": {"body": b" " * 70_000},
    "compressed": {"body": b"\x1f\x8b", "headers": {"Content-Encoding": "gzip"}},
}
SUCCESSES_THAT_ARE_NONE = [201, 204]
REDIRECTS = [301, 302, 303, 307, 308]
REFUSALS = [400, 401, 403, 404, 405, 408, 409, 418, 425, 451]
BREAKDOWNS = [500, 501, 505, 507, 520, 599]


@pytest.mark.parametrize("status", SUCCESSES_THAT_ARE_NONE + REDIRECTS + REFUSALS + BREAKDOWNS)
async def test_other_statuses_are_met_once(ps7: Simulator, status: int) -> None:
    """The same request would get the same answer; `Retry-After` changes nothing about that."""
    headers = {"Location": f"{ps7.url}/other", "Retry-After": "0"}
    ps7.answer("C1", status=status, headers=headers)
    async with client_of(ps7.url) as client:
        failure = await failure_of(client)
    assert failure.status == status
    assert len(ps7.requests) == 1


@pytest.mark.parametrize("name", LASTING)
async def test_an_answer_that_is_no_customer_is_met_once(ps7: Simulator, name: str) -> None:
    """Whether it says so or cannot be read."""
    ps7.answer("C1", **LASTING[name])
    async with client_of(ps7.url) as client:
        await failure_of(client)
    assert len(ps7.requests) == 1


async def test_what_is_no_http_is_met_once() -> None:
    """Another service listens there, and will a moment later."""
    async with (
        Scripted([], stays=False, script=[[b"220 mail.example ESMTP\r\n\r\n"]]) as server,
        client_of(server.url) as client,
    ):
        failure = await failure_of(client)
        assert (failure.reason, len(server.heard)) == (Reason.NOT_HTTP, 1)


async def test_a_mistake_of_ours_is_made_once(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be made again."""
    monkeypatch.setattr("actions.ps7.api.client.decode", lambda *_, **__: 1 / 0)
    async with client_of(ps7.url) as client:
        failure = await failure_of(client, "ana")
    assert (failure.reason, len(ps7.requests)) == (Reason.INTERNAL, 1)


# Retry-After


async def waited(*headers: str, status: str = "503 Service Unavailable") -> float:
    """Look up at a server that fails once with these headers; give the seconds between."""
    script = [[http(b"", *headers, "Connection: close", status=status)], ANSWERED]
    async with (
        Scripted([], stays=False, script=script) as server,
        client_of(server.url) as client,
    ):
        started = time.monotonic()
        assert (await client.lookup("C1")).agency == "0341"
        assert len(server.heard) == 2
        return time.monotonic() - started


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_the_seconds_that_a_server_asks_for_are_waited(status: str) -> None:
    """Longer than chance alone would ever have it."""
    assert 1.0 <= await waited("Retry-After: 1", status=status) < 3.0


async def test_the_date_that_a_server_asks_for_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted from the moment at which its answer came."""
    clock = Clock(monkeypatch)
    clock.now = datetime(2026, 11, 24, 12, 0, 0, 400_000, tzinfo=timezone.utc)
    assert 0.6 <= await waited("Retry-After: Tue, 24 Nov 2026 12:00:01 GMT") < 2.5


@pytest.mark.parametrize("asked", ["0", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_a_server_that_asks_for_nothing_is_asked_again_at_once(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """Its word stands above chance."""
    monkeypatch.setattr("actions.ps7.api.client.uniform", lambda *_: 60.0)
    assert await waited(f"Retry-After: {asked}") < 3.0


@pytest.mark.parametrize("asked", ["soon", "-1", "1.5", "", "2030-01-01"])
async def test_what_cannot_be_understood_is_ignored(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """The wait is one of chance, as without the header."""
    monkeypatch.setattr("actions.ps7.api.client.uniform", lambda *_: 0.3)
    assert 0.3 <= await waited(f"Retry-After: {asked}") < 3.0


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("asked", ["5", "3600", "9" * 400, "Fri, 31 Dec 2100 00:00:00 GMT"])
async def test_a_wait_beyond_the_deadline_ends_the_lookup_at_once(
    ps7: Simulator, said: pytest.LogCaptureFixture, status: int, asked: str
) -> None:
    """Nobody waits for an attempt that would not be made."""
    ps7.answer("C1", status=status, headers={"Retry-After": asked})
    async with client_of(ps7.url) as client:
        started = time.monotonic()
        failure = await failure_of(client)
        assert time.monotonic() - started < 2.0
    assert (failure.status, len(ps7.requests)) == (status, 1)
    assert [line[2:] for line in lines(said)] == [(str(status), "1")]


# One deadline


@pytest.mark.parametrize("script", [[], [HEAD, b"{"]], ids=["silent", "silent in the body"])
async def test_all_attempts_share_one_deadline(script: list[bytes]) -> None:
    """Ten of them would take two seconds."""
    async with (
        Scripted([], pause=0.02, script=[script]) as server,
        client_of(server.url, attempts=10, deadline=0.7) as client,
    ):
        started = time.monotonic()
        failure = await failure_of(client)
        assert time.monotonic() - started < 1.2
        assert 2 <= len(server.heard) <= 4
    assert failure.reason in (Reason.DEADLINE, Reason.READ_TIMEOUT)


async def test_a_wait_by_chance_that_would_end_too_late_is_not_begun(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer hears at once what they would hear at the deadline."""
    monkeypatch.setattr("actions.ps7.api.client.uniform", lambda *_: 5.0)
    ps7.answer("C1", status=503)
    async with client_of(ps7.url) as client:
        started = time.monotonic()
        failure = await failure_of(client)
        assert time.monotonic() - started < 2.0
    assert (failure.status, len(ps7.requests)) == (503, 1)


async def test_a_lookup_that_is_cancelled_while_it_waits_is_over(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    """No further attempt is made for a turn that nobody waits for."""
    monkeypatch.setattr("actions.ps7.api.client.uniform", lambda *_: 0.3)
    ps7.answer("C1", status=503)
    async with client_of(ps7.url) as client:
        looking = asyncio.create_task(client.lookup("C1"))
        await asyncio.sleep(0.15)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        await asyncio.sleep(0.4)
    assert len(ps7.requests) == 1
    assert lines(said) == [("unavailable", "cancelled", "-", "1")]


async def test_waiting_for_a_free_connection_counts_towards_the_deadline(
    ps7: Simulator, said: pytest.LogCaptureFixture
) -> None:
    """While somebody holds the only connection for longer."""
    settings = settings_for(ps7.url, max_connections=1, deadline=0.4, read_timeout=100)
    request = build_request(settings, "slow", encoded=0, correlation_id=None, flow_id="f")
    async with PS7Client(settings) as client:
        stalled = asyncio.create_task(client._transport.send(request))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        failure = await failure_of(client, "ana")
        assert 0.3 < time.monotonic() - started < 1.0
        stalled.cancel()
    assert failure.reason is Reason.DEADLINE
    assert len(ps7.requests) == 1
    assert lines(said) == [("unavailable", "deadline", "-", "1")]


async def test_a_neighbour_who_waits_for_another_attempt_holds_no_connection(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only connection is free meanwhile."""
    monkeypatch.setattr("actions.ps7.api.client.uniform", lambda *_: 0.5)
    ps7.answer("C1", status=503)
    async with client_of(ps7.url, max_connections=1, attempts=2) as client:
        waiting = asyncio.create_task(failure_of(client, "C1"))
        await asyncio.sleep(0.1)
        assert (await client.lookup("ana")).agency == "0341"
        assert not waiting.done()
        await waiting


# What the attempts have in common


def flow_ids(ps7: Simulator) -> list[str]:
    return [request.headers["x-itau-flowID"] for request in ps7.requests]


async def test_the_attempts_of_a_lookup_have_one_flow_id(ps7: Simulator) -> None:
    """It names the lookup: an audit sees that they belong together."""
    ps7.answer("C1", status=503, headers={"Retry-After": "0"})
    async with client_of(ps7.url) as client:
        await failure_of(client)
        await failure_of(client)
        with pytest.raises(LookupFailed):
            await client.lookup("C1", flow_id="flow-1", correlation_id="trail-1")
    first, second, given = flow_ids(ps7)[::3]
    assert flow_ids(ps7) == [first] * 3 + [second] * 3 + ["flow-1"] * 3
    assert first != second
    assert UUID(first).version == UUID(second).version == 4
    assert given == "flow-1"
    trails = [request.headers.get("x-itau-correlationID") for request in ps7.requests]
    assert trails == [None] * 6 + ["trail-1"] * 3


async def test_lookups_at_once_are_tried_again_each_for_itself(ps7: Simulator) -> None:
    """None takes another's attempts, or another's answer."""
    for number in range(10):
        ps7.answer(f"down-{number}", status=503)
    async with client_of(ps7.url, breaker_failures=100) as client:
        down = [asyncio.create_task(failure_of(client, f"down-{n}")) for n in range(10)]
        customers = await asyncio.gather(*(client.lookup("ana") for _ in range(10)))
        await asyncio.gather(*down)
    asked = [request.json["contextId"] for request in ps7.requests]
    assert {asked.count(f"down-{number}") for number in range(10)} == {3}
    assert asked.count("ana") == 10
    assert {customer.agency for customer in customers} == {"0341"}


# The circuit breaker, as a client has it


class BreakerClock:
    """The time of circuit breakers."""

    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> BreakerClock:
    """Return a clock that a test sets."""
    made = BreakerClock()
    monkeypatch.setattr("actions.ps7.api.breaker.monotonic", lambda: made.now)
    return made


async def test_while_the_circuit_is_open_no_request_is_made(
    ps7: Simulator, said: pytest.LogCaptureFixture
) -> None:
    """Lookups count, not attempts; and a refused one says so in its one line."""
    ps7.answer("C1", status=503, headers={"Retry-After": "0"})
    async with client_of(ps7.url, breaker_failures=2) as client:
        await failure_of(client)
        await failure_of(client)
        assert len(ps7.requests) == 6
        said.clear()
        failure = await failure_of(client, "ana")
    assert len(ps7.requests) == 6
    assert (type(failure), failure.reason, failure.status) == (
        CircuitOpen,
        Reason.CIRCUIT_OPEN,
        None,
    )
    assert [record.levelname for record in said.records] == ["INFO"]
    assert lines(said) == [("unavailable", "circuit_open", "-", "0")]


async def test_after_the_reset_exactly_one_lookup_asks(
    ps7: Simulator, clock: BreakerClock, said: pytest.LogCaptureFixture
) -> None:
    """If PS7 answers, everybody may ask again; operations hear of both changes."""
    async with client_of(ps7.url, breaker_failures=1, breaker_reset=15.0) as client:
        await ps7.stop()
        await failure_of(client, "ana")
        clock.now = 14.9
        assert (await failure_of(client, "ana")).reason is Reason.CIRCUIT_OPEN
        await ps7.start()
        clock.now = 15.0
        ends = await asyncio.gather(
            *(client.lookup("ana") for _ in range(20)), return_exceptions=True
        )
        assert [type(end).__name__ for end in ends].count("CircuitOpen") == 19
        assert len(ps7.requests) == 1
        assert (await client.lookup("ana")).agency == "0341"
    assert warnings(said) == [
        "Circuit breaker open after 1 failures; next probe in 15 s",
        "Circuit breaker closed: PS7 answers again",
    ]


async def test_a_probe_has_its_attempts_and_fails_as_one_lookup(
    ps7: Simulator, clock: BreakerClock
) -> None:
    """Then the others wait for another reset."""
    ps7.answer("C1", status=503, headers={"Retry-After": "0"})
    async with client_of(ps7.url, breaker_failures=1, breaker_reset=15.0) as client:
        await failure_of(client)
        clock.now = 15.0
        await failure_of(client)
        assert len(ps7.requests) == 6
        clock.now = 29.9
        assert (await failure_of(client)).reason is Reason.CIRCUIT_OPEN
        assert len(ps7.requests) == 6


async def test_a_probe_that_is_cancelled_leaves_its_place_to_the_next(
    ps7: Simulator, clock: BreakerClock
) -> None:
    """PS7 said nothing to it."""
    ps7.answer("C1", status=503, headers={"Retry-After": "0"})
    async with client_of(ps7.url, breaker_failures=1, read_timeout=100) as client:
        await failure_of(client)
        clock.now = 15.0
        probe = asyncio.create_task(client.lookup("slow"))
        await asyncio.sleep(0.1)
        assert (await failure_of(client, "ana")).reason is Reason.CIRCUIT_OPEN
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert (await client.lookup("ana")).agency == "0341"


async def test_customers_whom_ps7_does_not_know_open_no_circuit(ps7: Simulator) -> None:
    """PS7 answers."""
    async with client_of(ps7.url, breaker_failures=1) as client:
        for name in ("not-found", "http-400", "http-500", "no-payload"):
            await failure_of(client, name)
        assert (await client.lookup("ana")).agency == "0341"


async def test_a_stranger_with_one_context_id_opens_no_circuit(ps7: Simulator) -> None:
    """An answer that nobody can read, and a status that is not documented, are about them alone."""
    names = ["unreadable", "too-large", "not-http", "gzip-bomb", "http-403", "http-404", "http-301"]
    async with client_of(ps7.url, breaker_failures=2) as client:
        for name in (*names, *names):
            await failure_of(client, name)
        assert (await client.lookup("ana")).agency == "0341"


async def test_a_stranger_with_one_context_id_does_not_keep_the_circuit_open(
    ps7: Simulator, clock: BreakerClock
) -> None:
    """Whoever comes right after them is the next probe."""
    ps7.answer("C1", status=503, headers={"Retry-After": "0"})
    async with client_of(ps7.url, breaker_failures=1, breaker_reset=15.0) as client:
        await failure_of(client)
        clock.now = 15.0
        assert (await failure_of(client, "unreadable")).reason is Reason.NOT_JSON
        assert (await client.lookup("ana")).agency == "0341"
        assert (await client.lookup("ana")).agency == "0341"


async def test_refused_credentials_are_not_hammered(
    ps7: Simulator, said: pytest.LogCaptureFixture
) -> None:
    """Ten turns are five lookups, and each says `denied`."""
    async with client_of(ps7.url) as client:
        ends = [await failure_of(client, "http-401") for _ in range(10)]
    assert [end.outcome.value for end in ends] == ["denied"] * 10
    assert len(ps7.requests) == 5
    reasons = [(outcome, reason) for outcome, reason, *_ in lines(said)]
    assert reasons == [("denied", "unauthorized")] * 5 + [("denied", "circuit_open")] * 5
    assert warnings(said) == ["Circuit breaker open after 5 failures; next probe in 15 s"]


async def test_a_connection_that_is_not_picked_up_is_tried_again(
    said: pytest.LogCaptureFixture,
) -> None:
    """Each attempt waits `PS7_CONNECT_TIMEOUT` at most."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listening.getsockname())
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with client_of(url, connect_timeout=0.1, attempts=2) as client:
            failure = await failure_of(client)
        for caller in callers:
            caller.close()
    assert failure.reason in (Reason.CONNECT_TIMEOUT, Reason.READ_TIMEOUT)
    assert [line[3] for line in lines(said)] == ["2"]
