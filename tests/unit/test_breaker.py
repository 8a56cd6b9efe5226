"""The circuit breaker: which lookups are evidence, and what a probe decides. In plain values."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from actions.ps7 import LookupFailed, Reason, telemetry
from actions.ps7.lookup import breaker
from actions.ps7.lookup.breaker import Breaker
from tests.support.log import Log

LIMIT, RESET = 3, 15.0
ANSWERS = (
    *(Reason.OK, Reason.FAILURE_CODE, Reason.NO_PAYLOAD),
    *(Reason.BUSINESS_FAILURE, Reason.BAD_REQUEST),
)
"""What PS7 says: it is there, whether we like the answer or not."""
REFUSALS = (Reason.UNAUTHORIZED, Reason.FORBIDDEN, Reason.TOKEN_REFUSED)
NEUTRAL = [
    reason for reason in Reason if reason.outcome.value == "unavailable" and not reason.counts
]
"""What says that somebody is there, or what is a mistake of ours."""


class Circuit:
    """A breaker, its clock, what it refuses, and what telemetry heard of its changes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.changes: list[int] = []
        monkeypatch.setattr(breaker, "monotonic", lambda: self.now)
        monkeypatch.setattr(telemetry, "open_circuits", SimpleNamespace(add=self.changes.append))
        self.breaker = Breaker(LIMIT, RESET)

    def look_up(self, *ends: Reason) -> str | None:
        """Look up, each time with this end; return how the last was refused, None if it was not."""
        refused: LookupFailed | None = None
        for end in ends:
            try:
                self.breaker.may_refuse()
                refused = None
            except LookupFailed as failure:
                refused = failure
            self.breaker.learn(refused.reason if refused else end)
        if refused is None:
            return None
        assert refused.reason is Reason.CIRCUIT_OPEN
        return refused.outcome.value

    def probe(self, end: Reason) -> None:
        """Send the probe that is due, and let it end so."""
        assert self.breaker.wants_probe
        self.breaker.probe_begins()
        self.breaker.probe_ended(end)

    def probe_after(self, seconds: float, end: Reason) -> None:
        """Let the first lookup after a pause set off a probe; it is refused itself."""
        self.now += seconds
        assert self.look_up(Reason.OK) is not None
        self.probe(end)

    def fail(self, end: Reason = Reason.CONNECT, probe: Reason | None = None) -> None:
        """Let as many lookups fail as the limit says, and the probe too, or end as it is told."""
        self.look_up(*[end] * LIMIT)
        self.probe(probe or end)


@pytest.fixture
def circuit(monkeypatch: pytest.MonkeyPatch) -> Circuit:
    """Return a circuit that is closed."""
    return Circuit(monkeypatch)


# Which lookups are evidence


@pytest.mark.parametrize(
    "reason", [reason for reason in Reason if reason.counts and reason not in REFUSALS], ids=str
)
def test_lookups_that_fail_in_a_row_make_a_probe_due(circuit: Circuit, reason: Reason) -> None:
    """At the limit and not before; the same failure of the probe opens the circuit with it.

    Those that fail meanwhile make no other one due, neither then nor as the circuit opens.
    """
    circuit.look_up(*[reason] * (LIMIT - 1))
    assert not circuit.breaker.wants_probe
    circuit.look_up(reason)
    assert circuit.changes == []
    assert circuit.breaker.wants_probe
    circuit.breaker.probe_begins()
    circuit.look_up(*[reason] * LIMIT)
    circuit.breaker.probe_ended(reason)
    assert circuit.look_up(Reason.OK) == "unavailable"
    assert circuit.changes == [1]
    assert not circuit.breaker.wants_probe


@pytest.mark.parametrize("reason", REFUSALS, ids=str)
def test_the_first_refusal_of_our_credentials_makes_a_probe_due(
    circuit: Circuit, reason: Reason
) -> None:
    """Two refused logins open the circuit: a technical user may be locked after three.

    It stays due, however lookups end that were in flight.
    """
    circuit.look_up(reason, Reason.CONNECT, Reason.OK)
    circuit.probe(reason)
    assert circuit.look_up(Reason.OK) == "denied"


@pytest.mark.parametrize("reason", [*ANSWERS, *NEUTRAL], ids=str)
def test_an_answer_begins_a_new_row_and_what_says_nothing_of_ps7_leaves_it(
    circuit: Circuit, reason: Reason
) -> None:
    """PS7 takes others while it is busy, and what cannot be read is about one contextId."""
    circuit.look_up(*[reason] * LIMIT, *[Reason.CONNECT] * (LIMIT - 1), reason)
    assert not circuit.breaker.wants_probe
    circuit.look_up(Reason.CONNECT)
    assert circuit.breaker.wants_probe is (reason in NEUTRAL)


# What a probe decides while the circuit is closed


@pytest.mark.parametrize("end", [*ANSWERS, *NEUTRAL], ids=str)
def test_a_probe_that_fails_in_no_way_that_counts_keeps_the_circuit_closed(
    circuit: Circuit, end: Reason, log: Log
) -> None:
    """However often: nobody is kept out for one contextId, and nothing is logged. A new row."""
    for _ in range(3):
        circuit.fail(probe=end)
    assert circuit.look_up(*[Reason.CONNECT] * (LIMIT - 1)) is None
    assert not circuit.breaker.wants_probe
    assert (circuit.changes, log()) == ([], [])


def test_a_customer_who_is_answered_meanwhile_keeps_the_circuit_closed(circuit: Circuit) -> None:
    """A probe that fails alone is one request of many; one that was answered before is no proof."""
    circuit.look_up(*[Reason.CONNECT] * LIMIT)
    circuit.breaker.probe_begins()
    circuit.look_up(Reason.REDIRECT, Reason.OK, *[Reason.CONNECT] * LIMIT)
    circuit.breaker.probe_ended(Reason.CONNECT)
    assert (circuit.look_up(Reason.OK), circuit.changes) == (None, [])
    circuit.fail()
    assert circuit.changes == [1]


# What it decides while the circuit is open


def test_a_probe_is_due_after_each_reset_and_the_pause_begins_anew(circuit: Circuit) -> None:
    """Every lookup before is refused at once, and makes none due: an outage costs few requests."""
    circuit.fail()
    for _ in range(3):
        circuit.now += RESET - 0.001
        assert circuit.look_up(Reason.OK, Reason.OK) == "unavailable"
        assert not circuit.breaker.wants_probe
        circuit.probe_after(0.001, Reason.CONNECT)
    assert circuit.changes == [1]


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_only_an_answer_closes_the_circuit_and_the_line_says_which(
    circuit: Circuit, answer: Reason, log: Log
) -> None:
    """A page of a gateway, 429 or 404 is none: PS7 does not answer yet. A new row begins."""
    circuit.fail()
    for end in NEUTRAL:
        circuit.probe_after(RESET, end)
        assert circuit.look_up(Reason.OK) == "unavailable"
    circuit.probe_after(RESET, answer)
    assert circuit.look_up(Reason.OK, *[Reason.CONNECT] * (LIMIT - 1)) is None
    assert circuit.changes == [1, -1]
    assert not circuit.breaker.wants_probe
    assert log() == [
        "WARNING Circuit breaker open after 3 failures; next probe in 15 s",
        f"WARNING Circuit breaker closed: PS7 answers again (probe: {answer})",
    ]


def test_the_line_says_how_many_failures_led_to_the_probe(circuit: Circuit, log: Log) -> None:
    """Those while it was under way are no reason for it."""
    circuit.look_up(*[Reason.CONNECT] * LIMIT)
    circuit.breaker.probe_begins()
    circuit.look_up(Reason.CONNECT)
    circuit.breaker.probe_ended(Reason.CONNECT)
    assert log() == ["WARNING Circuit breaker open after 3 failures; next probe in 15 s"]


def test_the_last_probe_decides_how_lookups_are_refused(circuit: Circuit) -> None:
    """From `unavailable` to `denied` and back."""
    circuit.fail()
    for end in (Reason.UNAUTHORIZED, Reason.SERVER_ERROR, Reason.FORBIDDEN, Reason.NOT_JSON):
        circuit.probe_after(RESET, end)
        assert circuit.look_up(Reason.OK) == end.outcome.value


@pytest.mark.parametrize("end", [Reason.OK, Reason.CONNECT, Reason.UNAUTHORIZED], ids=str)
def test_a_lookup_that_began_before_decides_nothing(circuit: Circuit, end: Reason) -> None:
    """Its answer does not prove that PS7 is back, nor its failure the contrary."""
    circuit.fail()
    circuit.breaker.learn(end)
    assert circuit.look_up(Reason.OK) == "unavailable"
    assert not circuit.breaker.wants_probe


def test_while_our_credentials_are_refused_the_pauses_double_up_to_ten_minutes(
    circuit: Circuit, log: Log
) -> None:
    """Another failure begins at the reset again, and so does a refusal after an answer."""
    circuit.look_up(Reason.UNAUTHORIZED)
    circuit.probe(Reason.UNAUTHORIZED)
    for pause in (15, 30, 60, 120, 240, 480, 600, 600):
        circuit.now += pause - 0.001
        circuit.look_up(Reason.OK)
        assert not circuit.breaker.wants_probe
        circuit.probe_after(0.001, Reason.FORBIDDEN if pause < 600 else Reason.UNAUTHORIZED)
    circuit.probe_after(600, Reason.CONNECT)
    for end in (Reason.CONNECT, Reason.UNAUTHORIZED, Reason.OK):
        circuit.probe_after(15, end)
    circuit.fail(Reason.TOKEN_REFUSED)
    circuit.probe_after(15, Reason.CONNECT)
    assert log()[0] == "WARNING Circuit breaker open after 1 failure; next probe in 15 s"
