"""What one run finds in a conversation, and what is to be done about it. Writes nothing.

It knows the tracker's plain values, and no SDK; the tables stand in `resolver`.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from ..api import telemetry
from ..context import Outcome
from ..slot_names import CONTEXT, STATUS
from . import resolver
from .settled import InOrder
from .slots import same_customer
from .tracker_view import TrackerView

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ..context import CustomerContext
    from .context_id import Found
    from .runtime import Runtime
    from .seal import Sealed
    from .tracker_view import TrackerLike

logger = logging.getLogger(__name__)


class Reading:
    """The state of a conversation at one moment, and what is to be done about it."""

    def __init__(
        self, tracker: TrackerLike, runtime: Runtime, now: datetime, domain: object = None
    ) -> None:
        """Read the tracker. What is not of the expected type counts as not there.

        The domain of the call tells which slots the bot fills by itself; without one, none.
        """
        self.now = now
        self._runtime = runtime
        settings = runtime.settings
        self._view = TrackerView(tracker, runtime.door, settings.metadata_keys, settings.encoded)
        self._slots = self._view.slots
        self._ours = runtime.ours_among(self._slots, domain)
        self._status = runtime.names.of(STATUS)
        self._context = runtime.names.of(CONTEXT)

    @cached_property
    def present(self) -> resolver.Present:
        """What the run finds; reading it opens the seal."""
        seal = self._ours_in(self._context)
        held = self._runtime.sealer.open(seal, self._view.sender_id)
        if seal is not None and held is None:
            telemetry.seal_refused()
            logger.warning("A seal was refused: it is not ours, or not of this conversation")
        return resolver.Present(
            found=self._view.found(held, self.now),
            held=held,
            says_ok=_says_ok(self._ours_in(self._status)),
            seal_set=seal is not None,
        )

    def _ours_in(self, name: str) -> object:
        """Return what stands in a slot of ours; None where it is the bot's own, or not declared."""
        return self._slots.get(name) if name in self._ours else None

    @cached_property
    def _state(self) -> bytes | None:
        ours = {name: self._slots[name] for name in self._ours}
        return self._runtime.settled.digest(self._view.sender_id, ours)

    def in_order(self) -> bool:
        """Tell whether the slots are known to say what PS7 said, with no contextId come since."""
        if not isinstance(self._ours_in(self._context), str):
            return False  # nothing is sealed here
        known = self._runtime.settled.get(self._state)
        if known is None or self.now >= known.until:
            return False
        if self._view.written_to(self._context, known.seen):
            return False  # something else was sealed here: the seals have to be opened
        return _came(self._view.newest(known.seen)) == known.came

    def note_order(self, held: Sealed) -> None:
        """Remember that the slots say what this seal says, for as long as it holds."""
        came = _came(self._view.newest(held.seen))
        in_order = InOrder(held.holds_until, held.seen, came)
        self._runtime.settled.note(self._state, in_order)

    def decide(self) -> resolver.Decision:
        """Decide one run of `action_ps7_context`."""
        decision = resolver.decide(self.present, self.now)
        if isinstance(decision, resolver.Project):
            return self._unless_left_behind(decision)
        if isinstance(decision, resolver.LookUp):
            return self._if_allowed(decision)
        if isinstance(decision, resolver.Say) and self._wiped:
            return resolver.Clear(decision.outcome)
        return decision

    def verify(self) -> resolver.Verdict:
        """Decide one run of `action_ps7_verify`."""
        verdict = resolver.verify(self.present, self.now)
        if isinstance(verdict, resolver.Project):
            return self._unless_left_behind(verdict)
        return verdict

    def _unless_left_behind(
        self, projection: resolver.Project
    ) -> resolver.Project | resolver.Forget | resolver.Clear:
        others = self._opened(self._view.written_to(self._context, projection.held.seen))
        return resolver.unless_left_behind(projection, self.present.found, others)

    def _if_allowed(self, decision: resolver.LookUp) -> resolver.Decision:
        found, others = decision.found, self._others
        gone = resolver.was_forgotten(found.fingerprint, others)
        if gone:
            return resolver.Forget(gone)
        present = resolver.without_left_over(self.present, others)
        if present.found is None:
            return resolver.decide(present, self.now)
        limit = self._runtime.settings.max_contexts
        if not self._view.among_the_first(limit, found, self.present.held):
            return resolver.Refuse(found, Outcome.REJECTED)
        return decision

    @cached_property
    def _others(self) -> list[Sealed]:
        """What else events put into the slot of the seal."""
        return self._opened(self._view.written_to(self._context))

    def leaves(self, known: CustomerContext | None) -> bool:
        """Whether a customer goes with this run, after which this one is known, or nobody.

        Where a customer is claimed and none is held, nobody can tell who it was. What an anonymous
        user told the bot before the session's first customer is no reason.
        """
        held = self.present.held
        if held is not None and held.customer is not None:
            return known is None or not same_customer(held.customer, known)
        if self.present.says_ok or (held is None and self.present.seal_set):
            return True
        # A seal that names nobody says that whoever was here went before.
        return self._someone_was_here and (held is None or known is not None)

    @cached_property
    def _someone_was_here(self) -> bool:
        """Whether seals that events of this session show name a customer."""
        seals = self._opened(self._view.written_in_session(self._context))
        return any(seal.customer is not None for seal in seals)

    @property
    def _wiped(self) -> bool:
        """Whether somebody emptied the slot of the seal: after a run of ours, one stands there."""
        return self.present.held is None and self._context in self._ours and self._someone_was_here

    @property
    def _memory(self) -> Sealed | None:
        """The seal that remembers earlier contextIds: the held one, or the last before it broke."""
        if self.present.held is not None:
            return self.present.held
        return max(self._others, key=lambda seal: seal.sealed_at, default=None)

    def _opened(self, texts: Iterable[object]) -> list[Sealed]:
        """Return the seals of ours for this conversation among these."""
        seals = (self._runtime.sealer.open(text, self._view.sender_id) for text in texts)
        return [seal for seal in seals if seal is not None]


def _says_ok(status: object) -> bool:
    """Read the status as Rasa reads a categorical slot: without regard to case."""
    return isinstance(status, str) and status.lower() == Outcome.OK.value


def _came(found: Found | None) -> tuple[str, bool] | None:
    return None if found is None else (found.fingerprint, found.carried)
