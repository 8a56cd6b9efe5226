"""Counters of the runs of the actions. Alerts read them, so each begins at 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..counter import CounterFromZero
from ..outcomes import Outcome
from ..slots import CONTEXT_ACTION, SESSION_ACTION, VERIFY_ACTION
from .arrival import ARRIVAL_REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

slots_restored = CounterFromZero("ps7.slots.restored", "{slot}", "Slots restored from the seal")
seals_refused = CounterFromZero("ps7.seals.refused", "{seal}", "Seals that were refused")
arrivals_refused = CounterFromZero(
    "ps7.arrivals.refused",
    "{arrival}",
    "Arrivals that were refused, by reason",
    [{"reason": reason.value} for reason in ARRIVAL_REFUSED],
)

_ANONYMOUS = (Outcome.MISSING, Outcome.EXPIRED, Outcome.TAMPERED)


def _turn(action: str, status: Outcome, **why: str) -> dict[str, str]:
    return {"action": action, "status": str(status), **why}


def _known_turns() -> Iterator[dict[str, str]]:
    for status in Outcome:
        held = {"source": "held"} if status == Outcome.OK else {}
        yield _turn(VERIFY_ACTION, status, **held)
        for action in (CONTEXT_ACTION, SESSION_ACTION):
            if status in _ANONYMOUS:
                yield _turn(action, status, metadata="brought")
                yield _turn(action, status, metadata="none")
            else:
                yield _turn(action, status, source="looked_up")
                yield _turn(action, status, **held)


_turns = CounterFromZero(
    "ps7.turns", "{run}", "Runs of an action, by the final status", _known_turns()
)


def count_turn(
    action: str, status: Outcome, *, looked_up: bool = False, metadata: bool | None = None
) -> None:
    """Count one run of an action, and what the status is after it."""
    why = {}
    if looked_up:
        why["source"] = "looked_up"
    elif status == Outcome.OK:
        why["source"] = "held"
    elif metadata is not None:
        why["metadata"] = "brought" if metadata else "none"
    _turns.add(1, _turn(action, status, **why))
