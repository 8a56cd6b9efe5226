"""What one run does: from a situation to a decision. Pure.

Each function is one table; `decide` is that of `action_ps7_context`. None of them knows slots, the
text of a seal, or HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from ..context import Outcome

if TYPE_CHECKING:
    from .context_id import Found
    from .seal import Seal
    from .situation import Situation

REJECTED_FOR = timedelta(seconds=30)
"""PS7 is not asked again for this long about a contextId that it did not know."""


@dataclass(frozen=True)
class Project:
    """Make the slots equal to the held customer; status `ok`."""

    held: Seal


@dataclass(frozen=True)
class SetStatus:
    """Set the status alone. All other slots are the bot's own, or null already."""

    outcome: Outcome


@dataclass(frozen=True)
class ClearCustomer:
    """Null everything that could speak of a customer."""

    outcome: Outcome


@dataclass(frozen=True)
class LookUp:
    """Ask PS7, and seal what comes out of it."""

    context_id: str = field(repr=False)
    found: Found


@dataclass(frozen=True)
class Refuse:
    """Seal an outcome for what was found, without asking PS7."""

    found: Found
    outcome: Outcome


Decision = Project | SetStatus | ClearCustomer | LookUp | Refuse
Verdict = Project | SetStatus | ClearCustomer | None


def decide(situation: Situation) -> Decision:
    """Decide one run of `action_ps7_context`."""
    found, held = situation.found, situation.held
    if found is None:
        return _nothing_found(situation)
    if found.fingerprint in situation.logged_out:
        said = held is not None and situation.same and held.customer is None
        return SetStatus(Outcome.MISSING) if said else Refuse(found, Outcome.MISSING)
    if held is not None and situation.same:
        if held.good_at(situation.now):
            return Project(held)
        if _stands(held, situation):
            return SetStatus(held.outcome)
    return _ask(found, situation)


def _ask(found: Found, situation: Situation) -> LookUp | Refuse:
    if found.context_id is None:
        return Refuse(found, Outcome.INVALID)
    if not situation.may_ask(found):
        return Refuse(found, Outcome.REJECTED)
    return LookUp(found.context_id, found)


def _nothing_found(situation: Situation) -> Decision:
    held, missing = situation.held, _said_this_turn(situation) or Outcome.MISSING
    if held is None:
        if situation.says_ok or situation.seal_set:
            return ClearCustomer(Outcome.TAMPERED)
        return ClearCustomer(missing) if situation.seals else SetStatus(missing)
    if held.fingerprint in situation.logged_out and held.customer is not None:
        return ClearCustomer(Outcome.MISSING)
    if held.outcome != Outcome.OK:
        return SetStatus(missing)
    return Project(held) if held.good_at(situation.now) else ClearCustomer(Outcome.EXPIRED)


def _stands(held: Seal, situation: Situation) -> bool:
    """Whether to ask PS7 again would change nothing, or is too early."""
    if not situation.of_this_session(held):
        return False
    if held.outcome in (Outcome.DENIED, Outcome.UNAVAILABLE):
        return situation.of_this_turn(held)  # a turn costs one deadline, however many runs it has
    if held.outcome == Outcome.REJECTED:
        return timedelta(0) <= situation.now - held.sealed_at < REJECTED_FOR
    return held.outcome == Outcome.INVALID


def _said_this_turn(situation: Situation) -> Outcome | None:
    """Return `tampered` or `expired` where it was said since the newest message, else None.

    It stays said until the next one: whoever runs second must not hide it.
    """
    said = situation.history.said_this_turn
    stays = (Outcome.TAMPERED, Outcome.EXPIRED)
    return next((outcome for outcome in stays if outcome.value == said), None)


def verify(situation: Situation) -> Verdict:
    """Decide one run of `action_ps7_verify`, which asks nobody. None: leave everything as it is.

    Afterwards the slots say what PS7 said, or the status is not `ok`.
    """
    held = situation.held
    if held is None:
        claimed = situation.says_ok or situation.seal_set
        return ClearCustomer(Outcome.TAMPERED) if claimed else None
    logged_out = held.fingerprint in situation.logged_out
    if held.customer is None and not held.of_another_version:
        if not situation.says_ok and held is situation.in_slot:
            return None
        return SetStatus(Outcome.MISSING if logged_out else held.outcome)
    if logged_out or (situation.found is not None and not situation.same):
        return ClearCustomer(Outcome.MISSING)
    return Project(held) if held.good_at(situation.now) else ClearCustomer(Outcome.EXPIRED)
