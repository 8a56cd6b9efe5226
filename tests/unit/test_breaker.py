"""The circuit breaker: every transition, with a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace

import pytest

from actions.ps7.api import breaker, telemetry
from actions.ps7.errors import (
    AccessDenied,
    CircuitOpen,
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

LIMIT, RESET = 3, 15.0
DOWN = ConnectionFailed(Reason.CONNECT)
OUR_MISTAKE = PS7Unavailable(Reason.INTERNAL)
HELD_BACK = PS7Unavailable(Reason.HELD_BACK)
ANSWERS = {
    "ok": None,
    "invalid": InvalidContextId(Reason.BAD_REQUEST, 400),
    "rejected": ContextRejected(Reason.FAILURE_CODE, 200),
    "rejected with 500": ContextRejected(Reason.BUSINESS_FAILURE, 500),
}
"""What PS7 says: it is there, whether we like the answer or not."""
REFUSED = AccessDenied(Reason.UNAUTHORIZED, 401)
TOKEN_REFUSED = AccessDenied(Reason.TOKEN_REFUSED, 403)
FAILURES = [
    *(
        ConnectionFailed(reason)
        for reason in Reason
        if reason.value.startswith(("connect", "read_timeout", "tls", "proxy"))
    ),
    DeadlineExceeded(Reason.DEADLINE),
    UnexpectedStatus(Reason.TOO_MANY_REQUESTS, 429),
    *(UnexpectedStatus(Reason.SERVER_ERROR, status) for status in (502, 503, 504)),
    PS7Unavailable(Reason.TOKEN_UNAVAILABLE, 404),
    UnreadableAnswer(Reason.TOKEN_UNREADABLE, 200),
    REFUSED,
    TOKEN_REFUSED,
]
ABOUT_ONE_CONTEXT_ID = [
    AccessDenied(Reason.FORBIDDEN, 403),
    UnexpectedStatus(Reason.REDIRECT, 302),
    UnexpectedStatus(Reason.PATH_NOT_FOUND, 404),
    UnexpectedStatus(Reason.UNDOCUMENTED_STATUS, 418),
    UnexpectedStatus(Reason.SERVER_ERROR, 520),
    *(
        UnreadableAnswer(reason, 200)
        for reason in (
            *(Reason.ANSWER_TOO_LARGE, Reason.NOT_HTTP, Reason.NOT_JSON),
            *(Reason.NOT_AN_OBJECT, Reason.COMPRESSED),
        )
    ),
]
"""What a stranger may provoke with a contextId of their own."""
NEUTRAL = [
    *(asyncio.CancelledError(), OUR_MISTAKE, HELD_BACK, ZeroDivisionError(), KeyboardInterrupt()),
    *ABOUT_ONE_CONTEXT_ID,
]


class Circuit:
    """A breaker, its clock, and what telemetry heard of its changes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.changes: list[bool] = []
        monkeypatch.setattr(breaker, "monotonic", lambda: self.now)
        open_circuits = SimpleNamespace(add=lambda change: self.changes.append(change > 0))
        monkeypatch.setattr(telemetry, "open_circuits", open_circuits)
        self.breaker = breaker.Breaker(LIMIT, RESET)

    @contextmanager
    def lookup(self) -> Iterator[None]:
        with self.breaker.guard():
            yield

    def end(self, error: BaseException | None) -> None:
        """Let one lookup begin and end; its own error comes out as it went in."""
        if error is None:
            with self.lookup():
                return
        with pytest.raises(type(error)) as caught, self.lookup():
            raise error
        assert caught.value is error

    def fail(self, times: int = LIMIT) -> None:
        for _ in range(times):
            self.end(DOWN)

    def refuses(self) -> bool:
        """Whether a lookup is refused; one that is not is cancelled, which changes nothing."""
        lookup = self.lookup()
        try:
            lookup.__enter__()
        except CircuitOpen as refusal:
            return str(refusal) == "circuit_open"
        straggle(lookup, asyncio.CancelledError())
        return False


@pytest.fixture
def circuit(monkeypatch: pytest.MonkeyPatch) -> Circuit:
    """Return a circuit that is closed."""
    return Circuit(monkeypatch)


@pytest.fixture
def opened(circuit: Circuit) -> Circuit:
    """Return a circuit that opened a moment ago."""
    circuit.fail()
    assert circuit.breaker.is_open
    return circuit


# Closed


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_what_the_next_lookup_will_meet_too_counts(circuit: Circuit, failure: LookupFailed) -> None:
    """What PS7, the network or the token endpoint does, and credentials that are refused."""
    for _ in range(LIMIT):
        assert not circuit.refuses()
        assert circuit.changes == []
        circuit.end(failure)
    assert circuit.refuses()
    assert circuit.breaker.is_open
    assert circuit.changes == [True]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_of_ps7_resets_the_count(circuit: Circuit, answer: str) -> None:
    """The limit is one of lookups in a row."""
    circuit.fail(LIMIT - 1)
    circuit.end(ANSWERS[answer])
    circuit.fail(LIMIT - 1)
    assert not circuit.breaker.is_open
    circuit.fail(1)
    assert circuit.breaker.is_open


@pytest.mark.parametrize("error", NEUTRAL, ids=repr)
def test_what_says_nothing_of_ps7_neither_counts_nor_resets(
    circuit: Circuit, error: BaseException
) -> None:
    """A lookup that was cancelled or held back, a mistake of ours, what speaks of one contextId."""
    for _ in range(LIMIT * 3):
        circuit.end(error)
    assert not circuit.breaker.is_open
    circuit.fail(LIMIT - 1)
    circuit.end(error)
    circuit.fail(1)
    assert circuit.breaker.is_open


def test_every_reason_counts_or_does_not() -> None:
    """A new one has to be thought about."""
    decided = [*FAILURES, *NEUTRAL, *ANSWERS.values()]
    reasons = {end.reason for end in decided if isinstance(end, LookupFailed)}
    never_from_a_lookup = {
        *(Reason.OK, Reason.CANCELLED, Reason.CIRCUIT_OPEN, Reason.NO_PAYLOAD),
        *(Reason.UNUSABLE_CONTEXT_ID, Reason.FORGOTTEN, Reason.TOO_MANY_CONTEXT_IDS),
        *(reason for reason in Reason if reason.value.startswith("arrival_")),
    }
    assert reasons | never_from_a_lookup == set(Reason)


# Open


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ([REFUSED] * LIMIT, "denied"),
        ([TOKEN_REFUSED] * LIMIT, "denied"),
        ([DOWN] * LIMIT, "unavailable"),
        ([DOWN, DOWN, REFUSED], "denied"),
        ([REFUSED, REFUSED, DOWN], "unavailable"),
    ],
)
def test_a_refusal_has_the_outcome_of_what_opened_the_circuit(
    circuit: Circuit, row: list[LookupFailed], outcome: str
) -> None:
    """Which is the last of the row; its reason is one of its own."""
    for failure in row:
        circuit.end(failure)
    assert refusal(circuit) == (outcome, "circuit_open")


@pytest.mark.parametrize(("first", "then"), [(DOWN, REFUSED), (REFUSED, DOWN)])
def test_a_probe_that_fails_differently_decides_anew(
    circuit: Circuit, first: LookupFailed, then: LookupFailed
) -> None:
    """PS7 is back and refuses our credentials, or the other way round; no change is noted."""
    for _ in range(LIMIT):
        circuit.end(first)
    circuit.now += RESET
    circuit.end(then)
    assert refusal(circuit) == (then.outcome.value, "circuit_open")
    assert circuit.changes == [True]


def refusal(circuit: Circuit) -> tuple[str, str]:
    """Be refused; return the outcome and the reason."""
    with pytest.raises(CircuitOpen) as caught, circuit.lookup():
        pass
    return caught.value.outcome.value, caught.value.reason.value


def test_a_refusal_does_not_count(opened: Circuit) -> None:
    """Turns that come in meanwhile do not put the probe off."""
    for _ in range(100):
        assert opened.refuses()
    opened.now += RESET
    opened.end(None)
    opened.fail(LIMIT - 1)
    assert opened.changes == [True, False]


# Half open


async def test_of_many_lookups_exactly_one_is_the_probe(opened: Circuit) -> None:
    """The others do not wait for it: they are refused."""
    opened.now += RESET
    made, answered = [], asyncio.Event()

    async def look_up(number: int) -> None:
        with opened.lookup():
            made.append(number)
            await answered.wait()

    tasks = [asyncio.create_task(look_up(number)) for number in range(20)]
    await asyncio.sleep(0)
    assert len(made) == 1
    assert opened.refuses()
    answered.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends].count(CircuitOpen) == 19
    assert ends.count(None) == 1
    assert opened.changes == [True, False]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_probe_that_is_answered_closes_the_circuit(opened: Circuit, answer: str) -> None:
    """And the count begins anew."""
    opened.now += RESET
    opened.end(ANSWERS[answer])
    assert not opened.breaker.is_open
    opened.fail(LIMIT - 1)
    assert not opened.breaker.is_open
    opened.fail(1)
    assert opened.changes == [True, False, True]


def test_a_probe_that_fails_opens_for_another_reset(opened: Circuit) -> None:
    """One failure is enough, and the reset counts from its end."""
    opened.now += RESET
    probe = opened.lookup()
    probe.__enter__()
    opened.now += 4.0
    straggle(probe, DOWN)
    assert opened.refuses()
    opened.now += RESET - 0.001
    assert opened.refuses()
    opened.now += 0.001
    opened.end(None)
    assert opened.changes == [True, False]


@pytest.mark.parametrize("error", NEUTRAL, ids=repr)
def test_after_a_probe_that_says_nothing_the_next_lookup_is_the_probe(
    opened: Circuit, error: BaseException
) -> None:
    """At once: it neither closes the circuit nor opens it for another reset.

    So a stranger with a contextId that PS7 answers unreadably does not keep the circuit open.
    """
    opened.now += RESET
    opened.end(error)
    assert opened.breaker.is_open
    assert opened.changes == [True]
    with opened.lookup():
        assert opened.refuses()
    assert not opened.breaker.is_open
    assert opened.changes == [True, False]


# Stragglers: lookups that began before the circuit opened


@pytest.mark.parametrize("end", [None, DOWN, OUR_MISTAKE, asyncio.CancelledError()], ids=repr)
@pytest.mark.parametrize("during_the_probe", [False, True])
def test_a_straggler_decides_nothing(
    circuit: Circuit, end: BaseException | None, during_the_probe: bool
) -> None:
    """Its answer does not prove that PS7 is back, nor its failure the contrary.

    While the circuit is open it changes nothing; during the probe it admits no second one.
    """
    straggler = circuit.lookup()
    straggler.__enter__()
    circuit.fail()
    if during_the_probe:
        circuit.now += RESET
        with circuit.lookup():
            straggle(straggler, end)
            assert circuit.refuses()
    else:
        circuit.now += RESET - 1.0
        straggle(straggler, end)
        assert circuit.refuses()
        circuit.now += 1.0
        circuit.end(None)
    assert circuit.changes == [True, False]


def straggle(straggler: AbstractContextManager[None], end: BaseException | None) -> None:
    """End a lookup that began long ago."""
    assert not straggler.__exit__(type(end) if end else None, end, None)
