"""The policy: what counts for the circuit breaker, and that its own question decides."""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar
from types import SimpleNamespace

import pytest

from actions.ps7 import PS7Settings
from actions.ps7.api import policy, telemetry
from actions.ps7.errors import (
    AccessDenied,
    ConnectionFailed,
    ContextRejected,
    DeadlineExceeded,
    InvalidContextId,
    LookupFailed,
    PS7Unavailable,
    Reason,
    UnexpectedStatus,
    UnreadableAnswer,
)

LIMIT, RESET, ATTEMPTS = 3, 15.0, 3
OK = None
DOWN = ConnectionFailed(Reason.CONNECT)
REFUSED = AccessDenied(Reason.UNAUTHORIZED, 401)
REJECTED = ContextRejected(Reason.FAILURE_CODE, 200)
ANSWERS: list[LookupFailed | None] = [
    OK,
    REJECTED,
    InvalidContextId(Reason.BAD_REQUEST, 400),
    ContextRejected(Reason.BUSINESS_FAILURE, 500),
]
"""What PS7 says: it is there, whether we like the answer or not."""
FAILURES: list[LookupFailed] = [
    *(
        ConnectionFailed(reason)
        for reason in Reason
        if reason.value.startswith(("connect", "read_timeout", "tls", "proxy"))
    ),
    DeadlineExceeded(Reason.DEADLINE),
    *(UnexpectedStatus(Reason.SERVER_ERROR, status) for status in (502, 503, 504)),
    REFUSED,
    AccessDenied(Reason.FORBIDDEN, 403),
    AccessDenied(Reason.TOKEN_REFUSED, 403),
    PS7Unavailable(Reason.TOKEN_UNAVAILABLE, 404),
    UnreadableAnswer(Reason.TOKEN_UNREADABLE, 200),
]
"""What the next lookup may meet too."""
NEUTRAL: list[LookupFailed] = [
    PS7Unavailable(Reason.INTERNAL),
    UnexpectedStatus(Reason.TOO_MANY_REQUESTS, 429),
    PS7Unavailable(Reason.TOKEN_UNAVAILABLE, 429),
    UnexpectedStatus(Reason.REDIRECT, 302),
    UnexpectedStatus(Reason.PATH_NOT_FOUND, 404),
    UnexpectedStatus(Reason.UNDOCUMENTED_STATUS, 418),
    UnexpectedStatus(Reason.SERVER_ERROR, 520),
    UnreadableAnswer(Reason.ANSWER_TOO_LARGE, 200),
    UnreadableAnswer(Reason.NOT_HTTP),
    UnreadableAnswer(Reason.NOT_JSON, 200),
    UnreadableAnswer(Reason.NOT_AN_OBJECT, 200),
    UnreadableAnswer(Reason.COMPRESSED, 200),
]
"""What says that somebody is there, or what is a mistake of ours."""
each_answer = pytest.mark.parametrize("answer", ANSWERS, ids=repr)
each_failure = pytest.mark.parametrize("failure", FAILURES, ids=repr)
each_neutral = pytest.mark.parametrize("failure", NEUTRAL, ids=repr)


class Circuit:
    """A policy, its clock, the questions that it asked, and what telemetry heard of its changes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.changes: list[int] = []
        self.asked = self.cancelled = 0
        self.verdict: LookupFailed | None = DOWN
        """How the next question ends, once it may."""
        self.is_shared = False
        """Whether all lookups wait for one token, and so fail by one event."""
        self.may_end = asyncio.Event()
        self.may_end.set()
        monkeypatch.setattr(policy, "monotonic", lambda: self.now)
        monkeypatch.setattr(policy, "uniform", lambda *_: 0.0)
        monkeypatch.setattr(telemetry, "open_circuits", SimpleNamespace(add=self.changes.append))
        login = {"base_url": "http://localhost", "username": "u", "password": "p"}
        limits = {"attempts": ATTEMPTS, "breaker_failures": LIMIT, "breaker_reset": RESET}
        settings = PS7Settings.model_validate({**login, **limits})
        self.policy = policy.Policy(settings, self.question)

    async def question(self) -> None:
        self.asked += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.verdict is not None:
            raise self.verdict

    async def look_up(self, end: BaseException | None) -> tuple[str, int]:
        """Look up once; return how it ended and how many attempts it made."""
        made = 0

        async def attempt() -> None:
            nonlocal made
            made += 1
            if isinstance(end, LookupFailed):
                raise end if self.is_shared else type(end)(end.reason, end.status)
            if end is not None:
                raise end

        try:
            await self.policy.apply(attempt)
        except LookupFailed as failure:
            return f"{failure.outcome.value} {failure.reason.value}", made
        return "ok", made

    async def fail(self, failure: LookupFailed = DOWN, times: int = LIMIT) -> None:
        """Let lookups fail, and the question that follows end."""
        for _ in range(times):
            await self.look_up(failure)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def refuses(self) -> bool:
        return (await self.look_up(OK))[0] != "ok"


@pytest.fixture
def circuit(monkeypatch: pytest.MonkeyPatch) -> Circuit:
    """Return a circuit that is closed, of a PS7 that is away."""
    return Circuit(monkeypatch)


@pytest.fixture
async def opened(circuit: Circuit) -> Circuit:
    """Return a circuit that opened a moment ago."""
    await circuit.fail()
    assert await circuit.refuses()
    return circuit


# Which lookups set a question off


@each_failure
async def test_lookups_that_fail_in_a_row_set_a_question_off(
    circuit: Circuit, failure: LookupFailed
) -> None:
    """At the limit and not before; the same failure of the question opens the circuit with it."""
    circuit.verdict = failure
    await circuit.fail(failure, LIMIT - 1)
    assert (circuit.asked, circuit.changes) == (0, [])
    await circuit.fail(failure, 1)
    assert (circuit.asked, circuit.changes) == (1, [1])
    assert await circuit.look_up(OK) == (f"{failure.outcome.value} circuit_open", 0)


@each_answer
async def test_an_answer_about_a_context_begins_a_new_row(
    circuit: Circuit, answer: LookupFailed | None
) -> None:
    """The limit is one of lookups in a row."""
    for end in (DOWN, DOWN, answer, DOWN, DOWN):
        await circuit.look_up(end)
    assert circuit.asked == 0


@each_neutral
async def test_what_says_nothing_of_ps7_neither_counts_nor_ends_a_row(
    circuit: Circuit, failure: LookupFailed
) -> None:
    """PS7 takes others while it is busy, and what it answers to one contextId is about that one."""
    await circuit.fail(failure, 3 * LIMIT)
    await circuit.fail(DOWN, LIMIT - 1)
    await circuit.fail(failure, 1)
    assert circuit.asked == 0
    await circuit.fail(DOWN, 1)
    assert circuit.asked == 1


async def test_a_failure_that_lookups_share_counts_once(circuit: Circuit) -> None:
    """They waited for one token. The question decides, even if it waited with them."""
    circuit.is_shared = True
    await circuit.fail(circuit.verdict or DOWN, 3 * LIMIT)
    assert circuit.asked == 0
    circuit.is_shared = False
    for _ in range(LIMIT - 2):
        await circuit.look_up(DOWN)
    circuit.is_shared, circuit.verdict = True, ConnectionFailed(Reason.READ_TIMEOUT)
    await circuit.fail(circuit.verdict, 1)
    assert (circuit.asked, circuit.changes) == (1, [1])


async def test_a_lookup_that_is_cancelled_counts_neither_way(circuit: Circuit) -> None:
    """Its user has gone."""
    await circuit.fail(DOWN, LIMIT - 1)
    with pytest.raises(asyncio.CancelledError):
        await circuit.look_up(asyncio.CancelledError())
    assert circuit.asked == 0
    await circuit.fail(DOWN, 1)
    assert circuit.asked == 1


def test_every_reason_counts_or_does_not() -> None:
    """A new one has to be thought about."""
    decided = {end.reason for end in (*ANSWERS, *FAILURES, *NEUTRAL) if end is not None}
    never_from_an_attempt = {
        *(Reason.OK, Reason.CANCELLED, Reason.CIRCUIT_OPEN, Reason.NO_PAYLOAD),
        *(Reason.UNUSABLE_CONTEXT_ID, Reason.FORGOTTEN, Reason.TOO_MANY_CONTEXT_IDS),
        *(reason for reason in Reason if reason.value.startswith("arrival_")),
    }
    assert decided | never_from_an_attempt == set(Reason)


async def test_each_failed_lookup_in_a_row_takes_an_attempt_from_the_next(
    circuit: Circuit,
) -> None:
    """Retries are for blips: an outage costs fewer requests, and an answer gives them back."""
    circuit.verdict = OK
    assert [(await circuit.look_up(DOWN))[1] for _ in range(LIMIT)] == [ATTEMPTS, 2, 1]
    await circuit.settle()
    made = [(await circuit.look_up(end))[1] for end in (DOWN, REJECTED, DOWN, DOWN)]
    assert made == [ATTEMPTS, 1, ATTEMPTS, 2]


# What a question decides


@pytest.mark.parametrize("verdict", [*ANSWERS, *NEUTRAL], ids=repr)
async def test_a_question_that_is_answered_keeps_the_circuit_closed(
    circuit: Circuit, verdict: LookupFailed | None
) -> None:
    """However often it is about the same contextId: nobody else is kept out."""
    circuit.verdict = verdict
    for _ in range(3):
        await circuit.fail()
    assert circuit.asked == 3
    assert not await circuit.refuses()
    assert circuit.changes == []


async def test_a_customer_who_is_answered_meanwhile_keeps_the_circuit_closed(
    circuit: Circuit,
) -> None:
    """A question that fails alone is one request of many."""
    circuit.may_end.clear()
    await circuit.fail()
    assert await circuit.look_up(OK) == ("ok", 1)
    circuit.may_end.set()
    await circuit.settle()
    assert (circuit.asked, circuit.changes) == (1, [])


async def test_at_most_one_question_is_under_way(circuit: Circuit) -> None:
    """No lookup waits for it, neither before it opens the circuit nor after."""
    circuit.may_end.clear()
    await circuit.fail(times=3 * LIMIT)
    assert (circuit.asked, circuit.changes) == (1, [])
    circuit.may_end.set()
    await circuit.settle()
    circuit.may_end.clear()
    circuit.now += RESET
    ends = await asyncio.gather(*(circuit.look_up(OK) for _ in range(20)))
    assert set(ends) == {("unavailable circuit_open", 0)}
    assert (circuit.asked, circuit.changes) == (2, [1])


async def test_a_question_is_asked_again_after_each_reset(
    opened: Circuit, caplog: pytest.LogCaptureFixture
) -> None:
    """Counted from its end. It decides the outcome of refusals anew, and closes the circuit."""
    caplog.set_level(logging.INFO)
    opened.now += RESET - 0.001
    assert await opened.refuses()
    await opened.settle()
    assert opened.asked == 1
    opened.now += 0.001
    opened.verdict = REFUSED
    assert await opened.look_up(OK) == ("unavailable circuit_open", 0)
    await opened.settle()
    assert await opened.look_up(OK) == ("denied circuit_open", 0)
    opened.now += RESET
    opened.verdict = REJECTED
    assert await opened.refuses()
    await opened.settle()
    assert not await opened.refuses()
    assert (opened.asked, opened.changes) == (3, [1, -1])
    assert caplog.messages == ["Circuit breaker closed: PS7 answers again"]
    await opened.fail(DOWN, LIMIT - 1)
    assert opened.asked == 3


async def test_an_open_circuit_says_so_once(
    circuit: Circuit, caplog: pytest.LogCaptureFixture
) -> None:
    """With the number of failures, and when PS7 is asked again."""
    await circuit.fail(times=3 * LIMIT)
    line = "Circuit breaker open after 3 failures; next probe in 15 s"
    assert caplog.messages == [line]


@pytest.mark.parametrize("end", [OK, DOWN], ids=repr)
async def test_a_lookup_that_began_before_decides_nothing(
    circuit: Circuit, end: LookupFailed | None
) -> None:
    """Its answer does not prove that PS7 is back, nor its failure the contrary."""
    may_end = asyncio.Event()

    async def attempt() -> None:
        await may_end.wait()
        if end is not None:
            raise end

    straggler = asyncio.create_task(circuit.policy.apply(attempt))
    await circuit.fail()
    may_end.set()
    await asyncio.gather(straggler, return_exceptions=True)
    assert await circuit.refuses()
    assert (circuit.asked, circuit.changes) == (1, [1])


# The task of a question

_trace: ContextVar[str] = ContextVar("trace", default="none")


async def test_a_question_is_no_part_of_the_turn_that_set_it_off(
    circuit: Circuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of its trace nor of its deadline."""
    seen = []

    async def question() -> None:
        seen.append(_trace.get())

    monkeypatch.setattr(circuit.policy, "_question", question)
    _trace.set("of a customer")
    await circuit.fail()
    assert seen == ["none"]


def test_a_question_ends_with_its_event_loop(circuit: Circuit) -> None:
    """Another loop asks its own; what the first one would say later changes nothing."""
    circuit.may_end = asyncio.Event()
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    first.run_until_complete(circuit.fail())
    circuit.may_end = asyncio.Event()
    circuit.may_end.set()
    circuit.verdict = OK
    second.run_until_complete(circuit.fail(times=1))
    assert circuit.asked == 2
    circuit.verdict = DOWN
    (task,) = asyncio.all_tasks(first)
    task.cancel()
    first.run_until_complete(asyncio.wait([task]))
    assert (circuit.cancelled, circuit.changes) == (1, [])
    first.close()
    second.close()


async def test_a_late_question_of_a_loop_that_stood_still_decides_nothing(
    circuit: Circuit,
) -> None:
    """Another one was asked meanwhile."""
    circuit.may_end.clear()
    await circuit.fail()
    circuit.policy._asking = None
    circuit.may_end.set()
    await circuit.settle()
    assert circuit.changes == []


async def test_a_question_that_breaks_is_one_error_line(
    circuit: Circuit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours neither opens the circuit nor ends the row: the next failure asks again."""

    async def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(circuit.policy, "_question", broken)
    await circuit.fail()
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("ZeroDivisionError at test_policy.py:")
    monkeypatch.undo()
    await circuit.fail(times=1)
    assert (circuit.asked, circuit.changes) == (1, [])


async def test_close_ends_the_question(circuit: Circuit) -> None:
    """And the next failure asks another."""
    circuit.may_end.clear()
    await circuit.fail()
    await circuit.policy.close()
    assert circuit.cancelled == 1
    await circuit.policy.close()
    await circuit.fail(times=1)
    assert circuit.asked == 2
    await circuit.policy.close()
