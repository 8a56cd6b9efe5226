"""The tables of one run: what was found across, what is held down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from actions.ps7 import Outcome
from actions.ps7.dialogue.runtime import Runtime
from actions.ps7.dialogue.turn import Turn
from tests.support.talk import ANA, FOUND, HELD, Talk, runtime, signed, talk_with

Run = Callable[[Talk], str]

UNUSABLE, TAMPERED = "unusable: invalid", "no-seal-behind: tampered"
CONTEXT = {
    # held: nothing found, the same, another, not usable
    "nothing": ("nothing-held: missing", "look-up", "look-up", UNUSABLE),
    "ok": ("held", "held", "look-up", UNUSABLE),
    "ok, too old": ("held-too-old: expired", "look-up", "look-up", UNUSABLE),
    "invalid": ("nothing-held: missing", "failed-before", "look-up", "unusable"),
    "rejected": ("nothing-held: missing", "failed-before", "look-up", UNUSABLE),
    "rejected, 30 s ago": ("nothing-held: missing", "look-up", "look-up", UNUSABLE),
    "rejected, clock ahead": ("nothing-held: missing", "look-up", "look-up", UNUSABLE),
    "denied": ("nothing-held: missing", "look-up", "look-up", UNUSABLE),
    "unavailable": ("nothing-held: missing", "look-up", "look-up", UNUSABLE),
    "expired": ("nothing-held: missing", "look-up", "look-up", UNUSABLE),
    "logged out": ("nothing-held", "logged-out", "look-up", UNUSABLE),
    "wiped": (TAMPERED, "look-up", "look-up", UNUSABLE),
    "older": (TAMPERED, "look-up", "too-many: rejected", UNUSABLE),
    "not ours": (TAMPERED, "look-up", "look-up", UNUSABLE),
    "first format": ("held-too-old: expired", "look-up", "look-up", UNUSABLE),
    "a status alone": (TAMPERED, "look-up", "look-up", UNUSABLE),
}
VERIFY = {
    **dict.fromkeys(HELD, ("nothing-held",) * 4),
    "ok": ("held",) * 2 + ("another-found: missing",) * 2,
    "ok, too old": ("held-too-old: expired",) * 2 + ("another-found: missing",) * 2,
    "first format": ("held-too-old: expired", *("another-found: missing",) * 3),
    **dict.fromkeys(("wiped", "older", "not ours", "a status alone"), (TAMPERED,) * 4),
}


def context(talk: Talk) -> str:
    """Return the row by which a run of `action_ps7_context` goes, and the status that it sets."""
    turn = talk.turn()
    return shown(turn, turn.context())


def verify(talk: Talk) -> str:
    """Return the same of `action_ps7_verify`."""
    turn = talk.turn()
    return shown(turn, turn.verify())


def forget(talk: Talk) -> str:
    """Return the same of `action_ps7_forget`."""
    turn = talk.turn()
    return shown(turn, turn.forget())


def shown(turn: Turn, changes: object) -> str:
    if isinstance(changes, dict) and "ps7_status" in changes:
        return f"{turn.rule}: {changes['ps7_status']}"
    return turn.rule


@pytest.mark.parametrize("held", HELD)
def test_the_table_of_a_run(held: str) -> None:
    """Each row of the documented table leads to its decision."""
    row = [context(talk_with(held, found)) for found in FOUND]
    assert tuple(row) == CONTEXT[held]


@pytest.mark.parametrize("held", HELD)
def test_the_table_of_a_verification(held: str) -> None:
    """Nobody is asked; afterwards either the seal stands behind the slots, or nothing is `ok`."""
    row = [verify(talk_with(held, found)) for found in FOUND]
    assert tuple(row) == VERIFY[held]


@pytest.mark.parametrize(
    ("held", "said"),
    [(name, name) for name in ("invalid", "denied", "unavailable", "rejected")]
    + [("logged out", "missing"), ("expired", "expired")],
)
def test_a_verification_contradicts_a_status(held: str, said: str) -> None:
    """Where it claims a customer, whatever arrived."""
    for found in FOUND:
        talk = talk_with(held, found)
        talk.writes(ps7_status="ok")
        assert verify(talk) == f"failed-before: {said}"


@pytest.mark.parametrize(
    ("seconds", "decision"),
    [(-0.1, "look-up"), (0, "failed-before"), (29.9, "failed-before"), (30, "look-up")],
)
def test_how_long_ps7_is_not_asked_about_what_it_did_not_know(
    seconds: float, decision: str
) -> None:
    """For 30 s, by the clock of the server that asks."""
    talk = Talk()
    talk.meets("ana", Outcome.REJECTED)
    talk.now += timedelta(seconds=seconds)
    assert context(talk) == decision


@pytest.mark.parametrize("outcome", [Outcome.INVALID, Outcome.REJECTED])
def test_a_failure_of_an_earlier_session_does_not_hold(outcome: Outcome) -> None:
    """PS7 may know by now: a contextId that arrives in another session is looked up there."""
    talk = Talk()
    talk.meets("ana", outcome)
    talk.says("ana", opens="rasas")
    assert context(talk) == "look-up"


def test_what_could_not_be_used_in_an_earlier_session_is_refused_anew() -> None:
    """The seal of a refusal names no session: it was no arrival. In its own session it stands."""
    talk = Talk()
    talk.meets("two words")
    talk.says("two words")
    assert context(talk) == "failed-before"
    talk.says("two words", opens="rasas")
    assert context(talk) == "unusable"


def _two_servers(talk: Talk) -> None:
    """Let a second server seal ana, who is logged out by a seal of the same number."""
    talk.meets("ana")
    talk.is_sealed_by_two(logged_out=(ANA,), customer=None)
    talk.says(opens="rasas")


ROWS: list[tuple[Run, Runtime, Callable[[Talk], object], str]] = [
    (context, runtime(), lambda talk: (talk.meets("ana"), talk.run()), "in-order"),
    (verify, runtime(), lambda talk: (talk.meets("ana"), talk.run()), "in-order"),
    (
        context,
        runtime(),
        lambda talk: (talk.meets("ana"), talk.forgets(), talk.meets("diego"), talk.says("ana")),
        "logged-out: missing",
    ),
    (context, runtime(), _two_servers, "logged-out: missing"),
    (verify, runtime(), _two_servers, "logged-out: missing"),
    (
        context,
        runtime(),
        lambda talk: (
            (talk.meets("ana"), talk.says(opens="rasas")),
            talk.writes(ps7_context=None, ps7_status="invalid"),
        ),
        "nothing-held: missing",
    ),
    (context, signed(), lambda talk: talk.says("ana"), "arrival-refused: invalid"),
    (forget, runtime(), lambda talk: talk.says("ana"), "forget: missing"),
]


@pytest.mark.parametrize(("run", "shared", "happens", "row"), ROWS)
def test_a_row_that_a_longer_history_leads_to(
    run: Run, shared: Runtime, happens: Callable[[Talk], object], row: str
) -> None:
    """Each row has its name."""
    talk = Talk(runtime=shared)
    happens(talk)
    assert run(talk) == row
