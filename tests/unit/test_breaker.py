"""The circuit breaker: every transition, with a clock that a test moves."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from actions.ps7.api.breaker import Breaker
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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

LIMIT, RESET = 3, 15.0
DOWN = ConnectionFailed(Reason.CONNECT)
OUR_MISTAKE = PS7Unavailable(Reason.INTERNAL)
ANSWERS = {
    "ok": None,
    "invalid": InvalidContextId(Reason.BAD_REQUEST, 400),
    "rejected": ContextRejected(Reason.BUSINESS_FAILURE, 500),
    "denied": AccessDenied(Reason.UNAUTHORIZED, 401),
    "denied at the token endpoint": AccessDenied(Reason.TOKEN_REFUSED, 403),
}
"""What PS7 says: it is there, whether we like the answer or not."""
FAILURES = [
    ConnectionFailed(Reason.CONNECT),
    ConnectionFailed(Reason.READ_TIMEOUT),
    ConnectionFailed(Reason.TLS_EXPIRED),
    ConnectionFailed(Reason.PROXY),
    DeadlineExceeded(Reason.DEADLINE),
    UnexpectedStatus(Reason.REDIRECT, 302),
    UnexpectedStatus(Reason.TOO_MANY_REQUESTS, 429),
    UnexpectedStatus(Reason.SERVER_ERROR, 503),
    UnreadableAnswer(Reason.NOT_JSON, 200),
    PS7Unavailable(Reason.TOKEN_UNAVAILABLE, 503),
    UnreadableAnswer(Reason.TOKEN_UNREADABLE, 200),
]
NEUTRAL = [asyncio.CancelledError(), OUR_MISTAKE, ZeroDivisionError(), KeyboardInterrupt()]


class Circuit:
    """A breaker, its clock, and what it told of its changes."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.changes: list[bool] = []
        self.breaker = Breaker(
            LIMIT, RESET, clock=lambda: self.now, on_change=lambda *, is_open: self.note(is_open)
        )

    def note(self, is_open: bool) -> None:
        self.changes.append(is_open)

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
        """Tell whether a lookup is refused; one that is not is cancelled, which changes nothing."""
        lookup = self.lookup()
        try:
            lookup.__enter__()
        except CircuitOpen as refusal:
            return str(refusal) == "circuit_open"
        straggle(lookup, asyncio.CancelledError())
        return False


@pytest.fixture
def circuit() -> Circuit:
    """Give a circuit that is closed."""
    return Circuit()


@pytest.fixture
def opened(circuit: Circuit) -> Circuit:
    """Give a circuit that opened a moment ago."""
    circuit.fail()
    assert circuit.breaker.is_open
    return circuit


# Closed


def test_it_opens_at_the_limit_and_not_before(circuit: Circuit) -> None:
    """From the lookup on that is one too many, none is let through."""
    circuit.fail(LIMIT - 1)
    assert not circuit.refuses()
    assert circuit.changes == []
    circuit.fail(1)
    assert circuit.refuses()
    assert circuit.breaker.is_open
    assert circuit.changes == [True]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_what_ps7_or_the_network_does_counts(circuit: Circuit, failure: LookupFailed) -> None:
    """Whatever ends as `unavailable`, be it the token endpoint's doing."""
    for _ in range(LIMIT):
        assert not circuit.breaker.is_open
        circuit.end(failure)
    assert circuit.breaker.is_open


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_of_ps7_resets_the_count(circuit: Circuit, answer: str) -> None:
    """The limit is one of lookups in a row."""
    circuit.fail(LIMIT - 1)
    circuit.end(ANSWERS[answer])
    circuit.fail(LIMIT - 1)
    assert not circuit.breaker.is_open
    circuit.fail(1)
    assert circuit.breaker.is_open


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_alone_never_open_it(circuit: Circuit, answer: str) -> None:
    """A wave of contextIds that PS7 does not know is no outage."""
    for _ in range(LIMIT * 3):
        circuit.end(ANSWERS[answer])
    assert not circuit.breaker.is_open
    assert circuit.changes == []


@pytest.mark.parametrize("error", NEUTRAL, ids=lambda error: type(error).__name__)
def test_what_says_nothing_of_ps7_neither_counts_nor_resets(
    circuit: Circuit, error: BaseException
) -> None:
    """A lookup that was taken back, and a mistake of ours."""
    for _ in range(LIMIT * 3):
        circuit.end(error)
    assert not circuit.breaker.is_open
    circuit.fail(LIMIT - 1)
    circuit.end(error)
    circuit.fail(1)
    assert circuit.breaker.is_open


# Open


def test_an_open_circuit_refuses_until_the_reset_is_over(opened: Circuit) -> None:
    """To the moment."""
    opened.now += RESET - 0.001
    assert opened.refuses()
    opened.now += 0.001
    assert not opened.refuses()


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


@pytest.mark.parametrize("error", NEUTRAL, ids=lambda error: type(error).__name__)
def test_after_a_probe_that_says_nothing_the_next_lookup_is_the_probe(
    opened: Circuit, error: BaseException
) -> None:
    """At once: it neither closes the circuit nor opens it for another reset."""
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
def test_a_straggler_changes_nothing_while_the_circuit_is_open(
    circuit: Circuit, end: BaseException | None
) -> None:
    """An answer that was under way does not prove that PS7 is back, nor a failure the contrary."""
    straggler = circuit.lookup()
    straggler.__enter__()
    circuit.fail()
    circuit.now += RESET - 1.0
    straggle(straggler, end)
    assert circuit.refuses()
    circuit.now += 1.0
    circuit.end(None)
    assert circuit.changes == [True, False]


@pytest.mark.parametrize("end", [None, DOWN, OUR_MISTAKE, asyncio.CancelledError()], ids=repr)
def test_a_straggler_is_not_taken_for_the_probe(
    circuit: Circuit, end: BaseException | None
) -> None:
    """While the probe is under way, the end of another lookup lets no second one through."""
    straggler = circuit.lookup()
    straggler.__enter__()
    circuit.fail()
    circuit.now += RESET
    with circuit.lookup():
        straggle(straggler, end)
        assert circuit.refuses()
    assert circuit.changes == [True, False]


def straggle(straggler: AbstractContextManager[None], end: BaseException | None) -> None:
    """End a lookup that began long ago."""
    assert not straggler.__exit__(type(end) if end else None, end, None)


def test_many_that_fail_at_once_open_it_once(circuit: Circuit) -> None:
    """Whoever is told of changes hears of one."""
    lookups = [circuit.lookup() for _ in range(10)]
    for lookup in lookups:
        lookup.__enter__()
    for lookup in lookups:
        straggle(lookup, DOWN)
    assert circuit.changes == [True]
    assert circuit.breaker.is_open


def test_a_breaker_needs_nobody_to_tell() -> None:
    """Nor a clock of its own to be given."""
    breaker = Breaker(1, 60.0)
    with pytest.raises(ConnectionFailed), breaker.guard():
        raise DOWN
    with pytest.raises(CircuitOpen) as caught, breaker.guard():
        pass
    assert (caught.value.reason, caught.value.status) == (Reason.CIRCUIT_OPEN, None)
    assert caught.value.outcome.value == "unavailable"
