"""The tables of one run, row by row."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from actions.ps7 import CustomerContext, Outcome
from actions.ps7.dialogue.context_id import Found
from actions.ps7.dialogue.resolver import (
    Clear,
    Decision,
    Empty,
    Forget,
    LookUp,
    Present,
    Project,
    Refuse,
    Say,
    Verdict,
    decide,
    is_known,
    is_left_over,
    unless_left_behind,
    verify,
    was_forgotten,
    without_left_over,
)
from actions.ps7.dialogue.seal import Sealed

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
C1, C2 = Found("C1", "f1"), Found("C2", "f2")
UNUSABLE = Found(None, "f3")


def held(outcome: Outcome, age: float = 0, *forgotten: str, fingerprint: str = "f1") -> Sealed:
    """Make a seal about C1; a customer of it is good for 60 s."""
    at = NOW - timedelta(seconds=age)
    expires_at = at + timedelta(seconds=60)
    return Sealed(
        outcome=outcome,
        fingerprint=fingerprint,
        sealed_at=at,
        customer=CustomerContext(expires_at=expires_at) if outcome is Outcome.OK else None,
        forgotten=forgotten,
    )


GOOD, OLD = held(Outcome.OK), held(Outcome.OK, 60)
INVALID, DENIED = held(Outcome.INVALID), held(Outcome.DENIED)
UNAVAILABLE = held(Outcome.UNAVAILABLE)
FORGOTTEN = held(Outcome.MISSING, 0, "f1")
REJECTED, REJECTED_LONG_AGO = held(Outcome.REJECTED, 29.9), held(Outcome.REJECTED, 30)
REJECTED_IN_THE_FUTURE = held(Outcome.REJECTED, -1)
FAILED = [INVALID, DENIED, UNAVAILABLE, FORGOTTEN, REJECTED, REJECTED_LONG_AGO]


def present(
    found: Found | None,
    sealed: Sealed | None,
    *,
    says_ok: bool = False,
    seal_set: bool | None = None,
) -> Present:
    is_set = sealed is not None if seal_set is None else seal_set
    return Present(found, sealed, says_ok=says_ok, seal_set=is_set)


ROWS: list[tuple[str, Present, Decision]] = [
    ("nothing found, good: project", present(None, GOOD), Project(GOOD)),
    ("nothing found, too old: expired", present(None, OLD), Clear(Outcome.EXPIRED)),
    *(("nothing found, failed: missing", present(None, it), Say(Outcome.MISSING)) for it in FAILED),
    (
        "nothing at all, and ok claimed: tampered",
        present(None, None, says_ok=True),
        Clear(Outcome.TAMPERED),
    ),
    (
        "nothing at all, and a seal that is not ours: tampered",
        present(None, None, seal_set=True),
        Clear(Outcome.TAMPERED),
    ),
    ("nothing at all: missing", present(None, None), Say(Outcome.MISSING)),
    ("the same, good: project", present(C1, GOOD), Project(GOOD)),
    ("the same, too old: look up", present(C1, OLD), LookUp("C1", C1)),
    ("the same, invalid: as sealed", present(C1, INVALID), Say(Outcome.INVALID)),
    ("the same, forgotten: missing", present(C1, FORGOTTEN), Say(Outcome.MISSING)),
    ("the same, rejected: as sealed", present(C1, REJECTED), Say(Outcome.REJECTED)),
    (
        "the same, rejected 30 s ago: look up",
        present(C1, REJECTED_LONG_AGO),
        LookUp("C1", C1),
    ),
    (
        "the same, rejected at a moment to come, by a clock that was wrong: look up",
        present(C1, REJECTED_IN_THE_FUTURE),
        LookUp("C1", C1),
    ),
    ("the same, denied: look up", present(C1, DENIED), LookUp("C1", C1)),
    ("the same, unavailable: look up", present(C1, UNAVAILABLE), LookUp("C1", C1)),
    *(("another: look up", present(C2, it), LookUp("C2", C2)) for it in (GOOD, OLD, *FAILED)),
    ("nothing held: look up", present(C1, None), LookUp("C1", C1)),
    (
        "nothing held and ok claimed: look up",
        present(C1, None, says_ok=True),
        LookUp("C1", C1),
    ),
    (
        "a seal that is not ours: look up, another may have been here",
        present(C1, None, seal_set=True),
        LookUp("C1", C1),
    ),
    (
        "another, unusable: invalid",
        present(UNUSABLE, GOOD),
        Refuse(UNUSABLE, outcome=Outcome.INVALID),
    ),
    (
        "nothing held, unusable: invalid",
        present(UNUSABLE, None),
        Refuse(UNUSABLE, outcome=Outcome.INVALID),
    ),
    (
        "the same unusable again: as sealed",
        present(UNUSABLE, held(Outcome.INVALID, fingerprint="f3")),
        Say(Outcome.INVALID),
    ),
    (
        "the same, rejected, and the status claims a customer: null what speaks of one",
        present(C1, REJECTED, says_ok=True),
        Empty(Outcome.REJECTED),
    ),
    (
        "nothing found, forgotten, and the status claims a customer: likewise",
        present(None, FORGOTTEN, says_ok=True),
        Empty(Outcome.MISSING),
    ),
    (
        "another, which was forgotten before: missing",
        present(C2, held(Outcome.OK, 0, "f2")),
        Refuse(C2, outcome=Outcome.MISSING),
    ),
]


@pytest.mark.parametrize(("at_hand", "decision"), [row[1:] for row in ROWS])
def test_the_table_of_a_run(at_hand: Present, decision: Decision) -> None:
    """Each row of the table leads to its decision."""
    assert decide(at_hand, NOW) == decision


CARRIED = Found("C1", "f1", carried=True)
FORGOT_C1 = held(Outcome.MISSING, 7200, "f1", "f0")
AFTER_C1 = held(Outcome.OK, fingerprint="f2").model_copy(update={"replaced": ("f1",)})


@pytest.mark.parametrize(
    ("found", "sealed", "left_over"),
    [
        (CARRIED, AFTER_C1, True),
        (C1, AFTER_C1, False),
        (CARRIED, held(Outcome.OK, fingerprint="f2"), False),
        (CARRIED, None, False),
    ],
)
def test_a_context_id_left_over_from_an_earlier_session(
    found: Found, sealed: Sealed | None, left_over: bool
) -> None:
    """Only where it was carried over, and another one came after it."""
    assert is_left_over(found, sealed) is left_over


@pytest.mark.parametrize(
    ("found", "others", "counts"),
    [
        (CARRIED, [AFTER_C1], None),
        (CARRIED, [GOOD, AFTER_C1], None),
        (CARRIED, [GOOD], CARRIED),
        (CARRIED, [], CARRIED),
        (C1, [AFTER_C1], C1),
        (None, [AFTER_C1], None),
    ],
)
def test_other_seals_know_what_is_left_over(
    found: Found | None, others: list[Sealed], counts: Found | None
) -> None:
    """Where the seal of the slot was wiped, those in the conversation's events remain."""
    before = present(found, None, seal_set=True)
    assert without_left_over(before, others) == present(counts, None, seal_set=True)


SEALED_LATER = held(Outcome.OK, -5, fingerprint="f2")


@pytest.mark.parametrize(
    ("found", "others", "decision"),
    [
        (None, [], Project(GOOD)),
        (None, [held(Outcome.OK, 3600, fingerprint="f2")], Project(GOOD)),
        (None, [SEALED_LATER], Clear(Outcome.TAMPERED)),
        (None, [SEALED_LATER, held(Outcome.OK, -9)], Project(GOOD)),
        (C1, [SEALED_LATER], Project(GOOD)),
        (C1, [FORGOT_C1], Forget(("f1", "f0"))),
        (None, [SEALED_LATER, FORGOT_C1], Forget(("f1", "f0"))),
    ],
)
def test_a_customer_who_was_left_behind_is_not_projected(
    found: Found | None, others: list[Sealed], decision: Decision
) -> None:
    """Forgotten once is forgotten; and with no contextId at hand the newest seal counts."""
    assert unless_left_behind(Project(GOOD), found, others) == decision


@pytest.mark.parametrize(
    ("sealed", "known"),
    [
        (held(Outcome.OK, fingerprint="f1"), True),
        (held(Outcome.UNAVAILABLE, fingerprint="f1"), True),
        (held(Outcome.OK, fingerprint="f2").model_copy(update={"forgotten": ("f1",)}), True),
        (AFTER_C1, False),
        (None, False),
    ],
)
def test_a_context_id_that_came_in_before(sealed: Sealed | None, known: bool) -> None:
    """The one that is held, or one that was forgotten; not one that another came after."""
    assert is_known(C1, sealed) is known


VERDICTS: list[tuple[Present, Verdict]] = [
    (present(None, GOOD), Project(GOOD)),
    (present(C1, GOOD), Project(GOOD)),
    (present(None, OLD), Clear(Outcome.EXPIRED)),
    (present(C1, OLD), Clear(Outcome.EXPIRED)),
    (present(C2, GOOD), Clear(Outcome.MISSING)),
    (present(UNUSABLE, GOOD), Clear(Outcome.MISSING)),
    (present(C2, OLD), Clear(Outcome.MISSING)),
    (present(None, None, says_ok=True), Clear(Outcome.TAMPERED)),
    (present(C1, None, seal_set=True), Clear(Outcome.TAMPERED)),
    (present(C1, None), None),
    (present(None, None), None),
    *((present(found, it), None) for it in FAILED for found in (None, C1, C2)),
    *((present(C1, it, says_ok=True), Empty(it.outcome)) for it in FAILED),
]


@pytest.mark.parametrize(("at_hand", "verdict"), VERDICTS)
def test_the_table_of_a_verification(at_hand: Present, verdict: Verdict) -> None:
    """Nobody is asked; afterwards either the seal stands behind the slots, or nothing is `ok`."""
    assert verify(at_hand, NOW) == verdict


def test_a_decision_shows_no_context_id() -> None:
    """A decision may be printed without telling whom it is about."""
    found = Found("secret-1", "secret-2")
    assert "secret" not in repr(LookUp("secret-1", found))


def test_which_seal_forgot_a_context_id() -> None:
    """The first that did says what else is forgotten; where none did, nothing is."""
    first, second = held(Outcome.MISSING, 0, "f1", "f2"), held(Outcome.MISSING, 0, "f1")
    assert was_forgotten("f1", [GOOD, first, second]) == ("f1", "f2")
    assert was_forgotten("f2", [second, first]) == ("f1", "f2")
    assert was_forgotten("f3", [GOOD, first, second]) == ()
