"""The policy: one deadline, retries, and a circuit breaker whose own question decides."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import pytest

from actions.ps7 import PS7Settings
from actions.ps7.lookup import policy, telemetry
from actions.ps7.outcomes import (
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
NEUTRAL: list[LookupFailed] = [
    UnexpectedStatus(Reason.TOO_MANY_REQUESTS, 429),
    UnreadableAnswer(Reason.NOT_JSON, 200),
    PS7Unavailable(Reason.INTERNAL),
]
"""What says that somebody is there, or what is a mistake of ours. `test_errors` has them all."""


class Circuit:
    """A policy, its clock, what it waited and asked, and what telemetry heard of its changes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
        self.now = 1000.0
        self.changes: list[int] = []
        self.pauses: list[float] = []
        self.limits: list[tuple[float, float]] = []
        """Of pauses by chance."""
        self.chance = 0.0
        self.asked = self.cancelled = 0
        self.verdict: Exception | None = DOWN
        """How the next question ends, once it may."""
        self.is_shared = False
        """Whether all lookups wait for one token, and so fail by one event."""
        self.may_end = asyncio.Event()
        self.may_end.set()
        monkeypatch.setattr(policy, "monotonic", lambda: self.now)
        monkeypatch.setattr(policy, "uniform", self.uniform)
        monkeypatch.setattr(policy, "sleep", self.sleep)
        monkeypatch.setattr(telemetry, "open_circuits", SimpleNamespace(add=self.changes.append))
        login = {"base_url": "http://localhost", "username": "u", "password": "p"}
        limits = {"attempts": ATTEMPTS, "breaker_failures": LIMIT, "breaker_reset": RESET}
        given = PS7Settings.model_validate({**login, **limits, **settings})
        self.policy = policy.Policy(given, self.question)

    def uniform(self, low: float, high: float) -> float:
        self.limits.append((low, round(high, 3)))
        return self.chance

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def question(self) -> None:
        self.asked += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.verdict is not None:
            raise self.verdict

    async def look_up(self, *ends: BaseException | None) -> tuple[str, int]:
        """Look up once, by attempts that end so; return how it ended and how many were made."""
        made = 0

        async def attempt() -> None:
            nonlocal made
            made += 1
            end = ends[min(made, len(ends)) - 1]
            if isinstance(end, LookupFailed) and not self.is_shared:
                raise type(end)(end.reason, end.status, end.retry_after)
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


# Attempts


def busy(retry_after: float | None = None) -> LookupFailed:
    return UnexpectedStatus(Reason.SERVER_ERROR, 503, retry_after)


async def test_each_attempt_is_judged_by_itself(circuit: Circuit) -> None:
    """Failures that a retry may mend are followed by one; what lasts ends the lookup."""
    assert await circuit.look_up(DOWN, busy(), OK) == ("ok", 3)
    assert await circuit.look_up(DOWN, REJECTED, OK) == ("rejected failure_code", 2)
    assert await circuit.look_up(DOWN) == ("unavailable connect", ATTEMPTS)


async def test_a_pause_by_chance_doubles_up_to_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full jitter: any moment from none to a limit; no chance is in what the server asks for."""
    circuit = Circuit(monkeypatch, attempts=7)
    circuit.chance = 0.05
    await circuit.look_up(busy())
    assert circuit.limits == [(0, limit) for limit in (0.1, 0.2, 0.4, 0.8, 1.0, 1.0)]
    assert circuit.pauses == [0.05] * 6
    assert await circuit.look_up(busy(0.5), busy(0.0), busy(), OK) == ("ok", 4)
    assert circuit.pauses[6:] == [0.5, 0.0, 0.05]
    assert circuit.limits[6:] == [(0, 0.4)]


@pytest.mark.parametrize(("asked", "chance"), [(4.0, 0.0), (float("inf"), 0.0), (None, 4.0)])
async def test_what_would_not_begin_within_the_deadline_is_not_waited_for(
    circuit: Circuit, asked: float | None, chance: float
) -> None:
    """`PS7_DEADLINE`, here 4 s, by the server's word or by chance."""
    circuit.chance = chance
    assert await circuit.look_up(busy(asked)) == ("unavailable server_error", 1)
    assert await circuit.look_up(busy(3.9), OK) == ("ok", 2)
    assert circuit.pauses == [3.9]


async def test_a_lookup_is_over_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its attempts together, and also within one; no foreign error goes along."""
    circuit = Circuit(monkeypatch, deadline=0.02, attempts=10)
    made = 0

    async def attempt() -> None:
        nonlocal made
        made += 1
        if made > 1:
            await asyncio.Event().wait()
        raise DOWN

    with pytest.raises(DeadlineExceeded, match=r"^deadline$") as caught:
        await circuit.policy.apply(attempt)
    assert (made, caught.value.__cause__, caught.value.__context__) == (2, None, None)


async def test_an_unforeseen_error_is_one_error_line(
    circuit: Circuit, caplog: pytest.LogCaptureFixture
) -> None:
    """Its class and place, and nothing that it quotes; for the caller it is of the family."""
    assert await circuit.look_up(ZeroDivisionError("planted")) == ("unavailable internal", 1)
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert re.fullmatch(r"ZeroDivisionError at test_policy\.py:\d+", record.getMessage())


# Which lookups set a question off


@pytest.mark.parametrize("failure", [DOWN, REFUSED], ids=repr)
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


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
async def test_an_answer_about_a_context_begins_a_new_row(
    circuit: Circuit, answer: LookupFailed | None
) -> None:
    """The limit is one of lookups in a row."""
    for end in (DOWN, DOWN, answer, DOWN, DOWN):
        await circuit.look_up(end)
    assert circuit.asked == 0


@pytest.mark.parametrize("failure", NEUTRAL, ids=repr)
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
    await circuit.fail(DOWN, 3 * LIMIT)
    assert circuit.asked == 0
    circuit.is_shared = False
    for _ in range(LIMIT - 2):
        await circuit.look_up(DOWN)
    circuit.is_shared = True
    circuit.verdict = late = ConnectionFailed(Reason.READ_TIMEOUT)
    await circuit.fail(late, 1)
    assert (circuit.asked, circuit.changes) == (1, [1])


async def test_a_lookup_that_is_cancelled_counts_neither_way(circuit: Circuit) -> None:
    """Its user has gone."""
    await circuit.fail(DOWN, LIMIT - 1)
    with pytest.raises(asyncio.CancelledError):
        await circuit.look_up(asyncio.CancelledError())
    assert circuit.asked == 0
    await circuit.fail(DOWN, 1)
    assert circuit.asked == 1


async def test_each_failed_lookup_in_a_row_takes_an_attempt_from_the_next(circuit: Circuit) -> None:
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
    circuit: Circuit, caplog: pytest.LogCaptureFixture
) -> None:
    """Counted from its end. It decides the outcome of refusals anew, and closes the circuit.

    The log says when it opens and closes, once each.
    """
    await circuit.fail(times=2 * LIMIT)
    circuit.now += RESET - 0.001
    assert await circuit.refuses()
    await circuit.settle()
    assert circuit.asked == 1
    circuit.now += 0.001
    circuit.verdict = REFUSED
    assert await circuit.look_up(OK) == ("unavailable circuit_open", 0)
    await circuit.settle()
    assert await circuit.look_up(OK) == ("denied circuit_open", 0)
    circuit.now += RESET
    circuit.verdict = REJECTED
    assert await circuit.refuses()
    await circuit.settle()
    assert not await circuit.refuses()
    assert (circuit.asked, circuit.changes) == (3, [1, -1])
    assert caplog.messages == [
        "Circuit breaker open after 3 failures; next probe in 15 s",
        "Circuit breaker closed: PS7 answers again",
    ]
    await circuit.fail(DOWN, LIMIT - 1)
    assert circuit.asked == 3


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
    await asyncio.wait([straggler])
    assert await circuit.refuses()
    assert (circuit.asked, circuit.changes) == (1, [1])


# The task of a question


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


async def test_a_late_question_of_a_loop_that_stood_still_decides_nothing(circuit: Circuit) -> None:
    """Another one was asked meanwhile."""
    circuit.may_end.clear()
    await circuit.fail()
    circuit.policy._asking = None
    circuit.may_end.set()
    await circuit.settle()
    assert circuit.changes == []


async def test_a_question_that_breaks_is_one_error_line(
    circuit: Circuit, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours neither opens the circuit nor ends the row: the next failure asks again."""
    circuit.verdict = ZeroDivisionError("planted")
    await circuit.fail()
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("ZeroDivisionError at test_policy.py:")
    await circuit.fail(times=1)
    assert (circuit.asked, circuit.changes) == (2, [])


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
