"""What one run does: from what was found, what is held and the time, to a decision. Pure.

Each function is one table; `decide` is that of `action_ps7_context`. None of them knows slots,
seals' text or HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ..context import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from .context_id import Found
    from .seal import Sealed

REJECTED_FOR = timedelta(seconds=30)
"""PS7 is not asked again for this long about a contextId that it did not know."""


@dataclass(frozen=True)
class Project:
    """Make the slots equal to the held customer; status `ok`."""

    held: Sealed


@dataclass(frozen=True)
class Say:
    """Set the status alone. All other slots are the bot's own, or null already."""

    outcome: Outcome


@dataclass(frozen=True)
class Clear:
    """Null everything that could speak of a customer, the seal included."""

    outcome: Outcome


@dataclass(frozen=True)
class Empty:
    """Null the slots of a customer whom nothing of ours vouches for, and keep the seal."""

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


_SETTLED = (Outcome.INVALID, Outcome.MISSING)
"""Outcomes that another call about the same contextId cannot change; `missing`: forgotten."""


@dataclass(frozen=True)
class Forget:
    """Null everything, and keep in mind which contextIds are not looked up again."""

    fingerprints: tuple[str, ...]


Decision = Project | Say | Clear | Empty | LookUp | Refuse | Forget
Verdict = Project | Clear | Empty | Forget | None


@dataclass(frozen=True)
class Present:
    """What one run finds in the conversation."""

    found: Found | None
    """The contextId, None where there is none."""
    held: Sealed | None
    """What the seal says, None where no seal of ours for this conversation is there."""
    says_ok: bool
    """Whether the status claims a customer."""
    seal_set: bool
    """Whether anything stands in the slot of the seal."""

    @property
    def claimed(self) -> bool:
        """Whether the slots speak of a customer, with a seal of ours behind them or not."""
        return self.says_ok or self.seal_set


def is_left_over(found: Found, held: Sealed | None) -> bool:
    """Tell whether a contextId is that of an earlier customer, left over from another session.

    Rasa keeps the metadata that opened a session in a slot, and carries it into later sessions that
    bring none, also after another contextId has come meanwhile.
    """
    return found.carried and held is not None and found.fingerprint in held.replaced


def without_left_over(present: Present, others: Iterable[Sealed]) -> Present:
    """Leave out a contextId that other seals of the conversation know to be left over.

    Where the seal was wiped, it cannot say so itself.
    """
    found = present.found
    if found is not None and any(is_left_over(found, other) for other in others):
        return replace(present, found=None)
    return present


def is_known(found: Found, held: Sealed | None) -> bool:
    """Tell whether a contextId came in before: the one that is held, or one that was forgotten."""
    return held is not None and found.fingerprint in (held.fingerprint, *held.forgotten)


def decide(present: Present, now: datetime) -> Decision:
    """Decide one run of `action_ps7_context`."""
    decision = _decide(present, now)
    if isinstance(decision, Say) and present.says_ok:
        return Empty(decision.outcome)
    return decision


def _decide(present: Present, now: datetime) -> Decision:
    found, held = present.found, present.held
    if found is None:
        return _nothing_found(present, now)
    if held is None:
        return _ask(found)
    if found.fingerprint == held.fingerprint:
        return _same_found(found, held, now)
    if found.fingerprint in held.forgotten:
        return Refuse(found, Outcome.MISSING)
    return _ask(found)


def _same_found(found: Found, held: Sealed, now: datetime) -> Decision:
    if held.good_at(now):
        return Project(held)
    recently = timedelta(0) <= now - held.sealed_at < REJECTED_FOR
    if held.outcome in _SETTLED or (held.outcome == Outcome.REJECTED and recently):
        return Say(held.outcome)
    return _ask(found)


def _nothing_found(present: Present, now: datetime) -> Decision:
    held = present.held
    if held is None:
        return Clear(Outcome.TAMPERED) if present.claimed else Say(Outcome.MISSING)
    if held.customer is None:
        return Say(Outcome.MISSING)
    return Project(held) if held.good_at(now) else Clear(Outcome.EXPIRED)


def _ask(found: Found) -> Decision:
    if found.context_id is None:
        return Refuse(found, Outcome.INVALID)
    return LookUp(found.context_id, found)


def verify(present: Present, now: datetime) -> Verdict:
    """Decide one run of `action_ps7_verify`, which asks nobody. None: leave everything as it is.

    Afterwards the slots say what PS7 said, or the status is not `ok` and they are null.
    """
    found, held = present.found, present.held
    if held is None:
        return Clear(Outcome.TAMPERED) if present.claimed else None
    if held.customer is None:
        return Empty(held.outcome) if present.says_ok else None
    if found is not None and found.fingerprint != held.fingerprint:
        return Clear(Outcome.MISSING)
    return Project(held) if held.good_at(now) else Clear(Outcome.EXPIRED)


def unless_left_behind(
    projection: Project, found: Found | None, others: Sequence[Sealed]
) -> Project | Forget | Clear:
    """Look at the other seals of this session before a customer is projected.

    Something may have put an old seal back: that of a customer who was forgotten since, or of one
    after whom another came. Where a contextId is at hand, that one decides.
    """
    held = projection.held
    gone = was_forgotten(held.fingerprint, others)
    if gone:
        return Forget(gone)
    newest = max([held, *others], key=lambda seal: seal.sealed_at)
    if found is None and newest.fingerprint != held.fingerprint:
        return Clear(Outcome.TAMPERED)
    return projection


def was_forgotten(fingerprint: str, seals: Sequence[Sealed]) -> tuple[str, ...]:
    """Give what the seal remembers that forgot this contextId; nothing where none did."""
    return next((seal.forgotten for seal in seals if fingerprint in seal.forgotten), ())
