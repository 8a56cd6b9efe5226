"""A lookup from top to bottom, with HTTP and the clock played: attempts, deadline, probe."""

from __future__ import annotations

import asyncio
import json
import re
from unittest.mock import AsyncMock, Mock

import pytest

from actions.ps7 import LookupFailed, PS7Client, PS7Settings, Reason, clock
from actions.ps7.lookup import breaker, client
from actions.ps7.lookup.http import Http
from actions.ps7.lookup.wire import Answer, Request
from tests.support.log import Log
from tests.support.waiting import within

ATTEMPTS, LIMIT, RESET = 3, 3, 15.0
OK = Answer(200, {}, b'{"payload": {"u_ag": "0341"}}')
DOWN, REJECTED, REFUSED = Reason.CONNECT, Answer(500, {}, b"{}"), Answer(401, {}, b"{}")
End = Answer | Reason | BaseException


def busy(retry_after: float | None = None) -> Answer:
    """Return an answer that asks to come back later."""
    return Answer(503, {} if retry_after is None else {"retry-after": f"{retry_after:g}"}, b"")


class Played:
    """A client, its clock, and a PS7 that answers as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
        self.now = 1000.0
        self.ends: list[End] = []
        """What the next requests of customers meet; the last one stays, `DEADLINE` is a hang."""
        self.probe_ends: list[End] = [DOWN]
        self.requests: list[str] = []
        """The contextId of each request."""
        self.sent = Request("", {}, b"")
        """The last of them."""
        self.patience: list[float | None] = []
        self.pauses: list[float] = []
        self.limits: list[float] = []
        """Of pauses by chance."""
        self.chance = 0.0
        self.cancelled = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.fetch: asyncio.Future[Answer] | None = None
        """What the next fetch of a token waits for."""
        for module in (client, breaker):
            monkeypatch.setattr(module, "monotonic", lambda: self.now)
        monkeypatch.setattr(client, "uniform", self._uniform)
        monkeypatch.setattr(client, "sleep", self._sleep)
        monkeypatch.setattr(Http, "send", lambda _, *args, **more: self._send(*args, **more))
        login = {"base_url": "http://localhost", "username": "u", "password": "p"}
        limits = {"attempts": ATTEMPTS, "breaker_failures": LIMIT, "breaker_reset": RESET}
        self.client = PS7Client(PS7Settings.model_validate({**login, **limits, **settings}))

    def _uniform(self, low: float, high: float) -> float:
        assert low == 0
        self.limits.append(round(high, 3))
        return self.chance

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def _send(self, request: Request, patience: float | None = None) -> Answer:
        body = json.loads(request.body)
        name = body.get("contextId", "token")
        self.sent = request
        self.requests.append(name)
        if name == "token":
            if (fetch := self.fetch) is not None:
                self.fetch = None
                return await fetch
            return Answer(200, {}, b'{"AccessToken": "t%d", "Expires": 600}' % len(self.requests))
        self.patience.append(patience)
        if is_probe := name.startswith("ps7-probe-"):
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        ends = self.probe_ends if is_probe else self.ends
        end = ends.pop(0) if len(ends) > 1 else ends[0]
        if end is Reason.DEADLINE:
            await asyncio.Event().wait()
        if isinstance(end, Reason):
            raise LookupFailed(end)
        if isinstance(end, BaseException):
            raise end
        return end

    @property
    def probes(self) -> int:
        return sum(name.startswith("ps7-probe-") for name in self.requests)

    async def look_up(self, *ends: End) -> tuple[str, int]:
        """Look up once, by requests that end so; return how it ended and how many were sent."""
        self.ends = [*ends]
        lookup = await self.client.ask("C1")
        return f"{lookup.report.outcome} {lookup.report.reason}", lookup.report.attempts

    async def fail(self, end: End = DOWN, times: int = LIMIT) -> None:
        """Let lookups fail, and the probe that follows end."""
        for _ in range(times):
            await self.look_up(end)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(8):
            await asyncio.sleep(0)


@pytest.fixture
def ps7(monkeypatch: pytest.MonkeyPatch) -> Played:
    """Return a client of a PS7 that is played."""
    return Played(monkeypatch)


# Attempts


async def test_a_retry_is_made_if_it_may_succeed(ps7: Played) -> None:
    """What lasts ends the lookup at once; what may pass, after the last attempt."""
    assert await ps7.look_up(DOWN, busy(), OK) == ("ok ok", 3)
    assert await ps7.look_up(DOWN, REJECTED, OK) == ("rejected business_failure", 2)
    assert await ps7.look_up(DOWN) == ("unavailable connect", ATTEMPTS)


async def test_a_pause_by_chance_doubles_up_to_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full jitter: any moment from none to a limit; no chance is in what the server asks for."""
    ps7 = Played(monkeypatch, attempts=7)
    ps7.chance = 0.05
    await ps7.look_up(busy())
    assert ps7.limits == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert ps7.pauses == [0.05] * 6
    assert await ps7.look_up(busy(2), busy(0), busy(), OK) == ("ok ok", 4)
    assert ps7.pauses[6:] == [2.0, 0.0, 0.05]
    assert ps7.limits[6:] == [0.4]


@pytest.mark.parametrize(("asked", "chance"), [(4, 0.0), (None, 4.0)], ids=["asked", "by chance"])
async def test_what_would_not_begin_within_the_deadline_is_not_waited_for(
    ps7: Played, asked: float | None, chance: float
) -> None:
    """`PS7_DEADLINE`, here 4 s, by the server's word or by chance."""
    ps7.chance = chance
    assert await ps7.look_up(busy(asked)) == ("unavailable server_error", 1)
    assert await ps7.look_up(busy(3), OK) == ("ok ok", 2)
    assert await ps7.look_up(busy(3)) == ("unavailable server_error", 2)
    assert ps7.pauses == [3.0, 3.0]


async def test_a_lookup_is_over_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its attempts together, and also within one."""
    ps7 = Played(monkeypatch, deadline=0.02, attempts=10)
    assert await ps7.look_up(DOWN, DOWN, Reason.DEADLINE) == ("unavailable deadline", 3)


async def test_a_lookup_is_one_line(ps7: Played, log: Log) -> None:
    ps7.ends = [busy(2), OK]
    await ps7.client.ask("C1", correlation_id="c-1")
    line = "PS7 lookup: outcome=ok reason=ok status=200 attempts=2 ms=2000 correlation=c-1 context="
    assert log() == [f"INFO {line}{ps7.client.digest('C1')}"]


async def test_an_unforeseen_error_is_one_error_line(ps7: Played, log: Log) -> None:
    """Its class and place, and nothing that it quotes; for the caller it is an outcome."""
    assert await ps7.look_up(ZeroDivisionError("planted")) == ("unavailable internal", 1)
    error, _ = log()
    assert re.fullmatch(r"ERROR ZeroDivisionError at test_client\.py:\d+", error)


async def test_a_lookup_that_is_cancelled_is_no_evidence(ps7: Played) -> None:
    """Its user has gone, which is reported; `ask` does not swallow it."""
    await ps7.fail(DOWN, LIMIT - 1)
    with pytest.raises(asyncio.CancelledError):
        await ps7.look_up(asyncio.CancelledError())
    await ps7.settle()
    assert ps7.probes == 0
    await ps7.fail(DOWN, 1)
    assert ps7.probes == ATTEMPTS


async def test_lookup_raises_what_ask_returns(ps7: Played) -> None:
    """One error, made for it: nothing hangs on to it. It sends what `ask` would."""
    ps7.ends = [OK]
    known = await ps7.client.lookup("C1", encoded=0, correlation_id="c-1", flow_id="f-1")
    assert (known.agency, json.loads(ps7.sent.body)["encoded"]) == ("0341", "0")
    ids = [ps7.sent.headers[f"x-itau-{name}"] for name in ("correlationID", "flowID")]
    assert ids == ["c-1", "f-1"]
    ps7.ends = [busy()]
    with pytest.raises(LookupFailed, match=r"^server_error \(HTTP 503\)$") as caught:
        await ps7.client.lookup("C1")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    ps7.ends = ps7.probe_ends = [REFUSED]
    for reason in ("unauthorized", "circuit_open"):
        with pytest.raises(LookupFailed, match=rf"^{reason}\b") as caught:
            await ps7.client.lookup("C1")
        assert caught.value.outcome.value == "denied"


async def test_a_field_that_was_there_is_missed_in_whoever_is_looked_up(
    ps7: Played, log: Log
) -> None:
    """As if PS7 had renamed it; an account in `contexto` is one, whatever its name there."""
    before = {"u_seg": "S", "contexto": {"u_cssc": "1", "u_ag": "2"}}
    after = {"u_segmento": "S", "u_cc": "1", "u_ag": "2"}
    for payload in (before, *[after] * 50):
        await ps7.look_up(Answer(200, {}, json.dumps({"payload": payload}).encode()))
    said = "WARNING PS7 sends no u_seg any more: 1 customers had it, the last 50 have not"
    assert [line for line in log() if not line.startswith("INFO")] == [said]


async def test_a_value_that_is_not_documented_is_a_warning_that_names_its_field(
    monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """Each time: the customer is known but for that, and the value itself is not shown.

    The settings say what a CPF may be, and for how long an answer without an end is used.
    """
    ps7 = Played(monkeypatch, strict_cpf=True, max_age=60)
    payload = {"u_id": "planted", "u_dseg": "planted", "u_seg": "S", "u_cpf": "52998224726"}
    ps7.ends = [Answer(200, {}, json.dumps({"payload": payload}).encode())]
    said = "WARNING PS7 sent a value that its interface does not document in: u_id, u_dseg, u_cpf"
    for _ in range(2):
        known = await ps7.client.lookup("C1")
        assert (known.segment, known.cpf) == ("S", None)
        assert 0 < (known.expires_at - clock.utc_now()).total_seconds() <= 60
        assert log()[1:] == [said]


# The probe


async def test_a_probe_is_a_whole_lookup_of_a_context_that_is_made_up(
    ps7: Played, log: Log
) -> None:
    """With retries, so that one bad request in a blip opens no circuit; it waits for no place."""
    await ps7.fail()
    names = ps7.requests[-ATTEMPTS:]
    assert re.fullmatch("ps7-probe-[0-9a-f]{32}", names[0])
    assert len({*names}) == 1
    assert ps7.patience == [1.0] * ATTEMPTS * LIMIT + [None] * ATTEMPTS
    digest = ps7.client.digest(names[0])
    probe, opened = log()[-2:]
    line = "PS7 probe: outcome=unavailable reason=connect status=- attempts=3 ms=0 correlation=- "
    assert probe == f"INFO {line}context={digest}"
    assert opened == "WARNING Circuit breaker open after 3 failures; next probe in 15 s"
    assert await ps7.look_up(OK) == ("unavailable circuit_open", 0)


async def test_one_probe_is_under_way_at_a_time_and_no_lookup_waits_for_it(ps7: Played) -> None:
    """Neither before it opens the circuit nor after."""
    ps7.may_end.clear()
    await ps7.fail(times=3 * LIMIT)
    assert (ps7.probes, await ps7.look_up(REJECTED)) == (1, ("rejected business_failure", 1))
    await ps7.fail()
    assert ps7.probes == 1
    ps7.may_end.set()
    await ps7.settle()
    await ps7.fail()
    ps7.may_end.clear()
    ps7.now += RESET
    before = ps7.probes
    for _ in range(2):
        assert await ps7.look_up(OK) == ("unavailable circuit_open", 0)
        await ps7.settle()
    assert ps7.probes == before + 1
    await ps7.client.close()


async def test_a_wrong_password_is_refused_to_those_in_flight_and_then_once_a_probe(
    ps7: Played,
) -> None:
    """However many customers come. A right one is found at the next probe."""
    ps7.probe_ends = [REFUSED]
    for sent in (5 + 1, 6, 6):
        await asyncio.gather(*(ps7.look_up(REFUSED) for _ in range(5)))
        assert len(ps7.requests) == sent
    ps7.now += RESET
    await ps7.fail(REFUSED, 5)
    assert len(ps7.requests) == 7
    ps7.now += 2 * RESET
    ps7.probe_ends = [REJECTED]
    await ps7.fail(OK, 1)
    assert await ps7.look_up(OK) == ("ok ok", 1)
    assert len({*ps7.requests}) == 1 + ps7.probes, "each is about a contextId of its own"


@pytest.mark.parametrize(("status", "reason"), [(401, "unauthorized"), (403, "forbidden")])
async def test_the_one_who_is_refused_waits_for_the_probe_and_nobody_else(
    ps7: Played, status: int, reason: str
) -> None:
    """So the next one in turn is not refused too. It waits for as long as its own deadline."""
    ps7.may_end.clear()
    refuses = Answer(status, {}, b"{}")
    ps7.probe_ends = [refuses]
    refused = asyncio.create_task(ps7.look_up(refuses))
    await ps7.settle()
    assert not refused.done()
    assert await ps7.look_up(DOWN) == ("unavailable connect", ATTEMPTS)
    ps7.may_end.set()
    assert await refused == (f"denied {reason}", 1)
    ps7.may_end.clear()
    ps7.now += RESET
    looking = within(2, "the open circuit refuses", ps7.look_up(OK))
    assert await looking == ("denied circuit_open", 0)
    await ps7.client.close()


async def test_a_refused_lookup_waits_for_the_probe_for_what_is_left_of_its_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A retry took nearly all of it: a customer waits for one deadline, and not for two.

    The probe goes on beside it.
    """
    ps7 = Played(monkeypatch, deadline=50)
    ps7.chance = 49.99
    ps7.may_end.clear()
    lookup = within(10, "the customer is answered", ps7.look_up(DOWN, REFUSED))
    assert await lookup == ("denied unauthorized", 2)
    assert (ps7.probes, ps7.cancelled) == (1, 0)
    await ps7.client.close()


async def test_a_process_of_one_lookup_sends_no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """`rasa-ps7 lookup` and the doctor: a wrong password is refused once."""
    ps7 = Played(monkeypatch, breaker_failures=1)
    ps7.client = PS7Client(ps7.client.settings, probes=False)
    await ps7.fail(REFUSED, 2)
    await ps7.fail(DOWN, 1)
    assert ps7.requests == ["C1"] * (2 + ATTEMPTS)


# Tokens, inside an attempt

KEYS = {"app_key": "k", "app_secret": "s"}


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_gateway_that_forgot_its_tokens_costs_nobody_the_lookup(
    monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    """While the circuit is closed, and open: one request and one token more.

    Nobody is `denied`, and no probe is set off by it.
    """
    ps7 = Played(monkeypatch, **KEYS, attempts=attempts)
    await ps7.look_up(OK)
    await ps7.fail(DOWN, LIMIT - 1)
    assert await ps7.look_up(REFUSED, OK) == ("ok ok", 2)
    assert (ps7.probes, ps7.requests.count("token")) == (0, 2)
    await ps7.fail()
    assert await ps7.look_up(OK) == ("unavailable circuit_open", 0)
    ps7.now += RESET
    ps7.probe_ends = [REFUSED, OK]
    await ps7.fail(OK, 1)
    assert await ps7.look_up(OK) == ("ok ok", 1)
    assert ps7.requests.count("token") == 3


async def test_a_probe_fetches_its_own_token_after_one_that_was_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That fetch may be the very one that hung: how it ends is no answer to the probe."""
    ps7 = Played(monkeypatch, **KEYS)
    ps7.fetch = fetch = asyncio.get_running_loop().create_future()
    looking = asyncio.create_task(ps7.look_up(OK))
    await ps7.settle()
    looking.cancel()
    ps7.probe_ends = [OK]
    ps7.client._probe_under_way()
    await ps7.settle()
    assert ps7.requests == ["token"]
    fetch.set_exception(LookupFailed(Reason.TOKEN_REFUSED))
    await ps7.settle()
    await ps7.settle()
    assert [name[:9] for name in ps7.requests] == ["token", "token", "ps7-probe"]
    await ps7.client.close()


async def test_a_replay_is_part_of_its_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent at once. After a 503, none is made: the token is new. A second 401 is the end."""
    ps7 = Played(monkeypatch, **KEYS)
    await ps7.look_up(OK)
    assert await ps7.look_up(REFUSED, busy(), OK) == ("ok ok", 3)
    assert (ps7.sent.headers["Authorization"], ps7.pauses) == ("Bearer t4", [0.0])
    ps7.probe_ends = [REJECTED]
    for requests in (2, 1):  # what was refused when new is not replaced
        assert await ps7.look_up(REFUSED, REFUSED, OK) == ("denied unauthorized", requests)
        assert await ps7.look_up(OK) == ("ok ok", 1)


# Event loops, and the task of a probe


def test_the_event_loops_of_a_process_share_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    ps7 = Played(monkeypatch, **KEYS)
    for _ in range(2):
        assert asyncio.run(ps7.look_up(OK)) == ("ok ok", 1)
    assert ps7.requests == ["token", "C1", "C1"]


async def test_other_threads_may_begin_and_end_loops_while_this_one_begins(ps7: Played) -> None:
    """Each looks which loops have ended, in a book that others write at this moment."""
    loops = ps7.client._loops

    def begins() -> bool:
        loops[Mock()] = Mock()
        return False

    def is_forgotten() -> bool:
        del loops[ended]
        return True

    ended = Mock(is_closed=is_forgotten)
    loops |= {Mock(is_closed=begins): Mock(), ended: Mock()}
    assert await ps7.look_up(OK) == ("ok ok", 1)


@pytest.mark.parametrize("late", [False, True])
def test_a_probe_of_an_event_loop_that_stands_still_decides_nothing(
    ps7: Played, *, late: bool
) -> None:
    """Another loop sends its own. The first one ends with its loop, or is answered too late."""
    stood_still = ps7.may_end = asyncio.Event()
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    first.run_until_complete(ps7.fail())
    ps7.may_end = asyncio.Event()
    ps7.may_end.set()
    ps7.probe_ends = [OK]
    second.run_until_complete(ps7.fail(times=1))
    assert ps7.probes == 2
    ps7.probe_ends = [DOWN]
    (task,) = asyncio.all_tasks(first)
    stood_still.set() if late else task.cancel()
    first.run_until_complete(asyncio.wait([task]))
    assert ps7.cancelled == (0 if late else 1)
    assert second.run_until_complete(ps7.look_up(OK)) == ("ok ok", 1)
    ps7.client.close_all()
    assert ps7.client._loops == {}
    first.close()
    second.close()


async def test_a_process_that_was_forked_under_a_probe_sends_its_own(
    ps7: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task that it inherits seems to be under way for ever."""
    ps7.may_end.clear()
    await ps7.fail()
    await ps7.fail(times=1)
    assert ps7.probes == 1
    monkeypatch.setattr(client, "getpid", lambda: 0)
    for _ in range(2):
        await ps7.fail(times=1)
        assert ps7.probes == 2
    ps7.may_end.set()
    await ps7.settle()
    assert await ps7.look_up(OK) == ("unavailable circuit_open", 0)
    await ps7.client.close()


async def test_close_ends_the_probe_without_a_word(ps7: Played, log: Log) -> None:
    """And the next failure sets off another one. Closed at once, it was never sent."""
    ps7.may_end.clear()
    await ps7.fail()
    await ps7.client.close()
    assert (ps7.probes, ps7.cancelled) == (1, 1)
    assert not any("PS7 probe" in line for line in log())
    await ps7.client.close()
    await ps7.look_up(DOWN)
    await ps7.client.close()
    assert ps7.probes == 1
    await ps7.fail(times=1)
    assert ps7.probes == 2
    await ps7.client.close()


async def test_close_ends_the_fetch_of_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one for which no lookup waits: its connection is closed, and no task left behind."""
    ps7 = Played(monkeypatch, **KEYS)
    ps7.fetch = fetch = asyncio.get_running_loop().create_future()
    looking = asyncio.create_task(ps7.look_up(OK))
    await ps7.settle()
    looking.cancel()
    lost, tokens = LookupFailed(Reason.CONNECTION_LOST), ps7.client._of_this_loop().tokens
    closes = AsyncMock(side_effect=lambda: fetch.set_exception(lost))
    monkeypatch.setattr(Http, "close", closes)
    await within(5, "the client is closed", ps7.client.close())
    assert tokens._fetching is None
