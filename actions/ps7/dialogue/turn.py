"""One run, from a tracker to the slots to set. Knows the tracker's plain values, and no SDK."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import cpf
from ..api import telemetry
from ..context import Outcome
from ..errors import Reason
from ..slot_names import CONTEXT, STATUS
from . import resolver
from .seal import UNSEEN, Sealed, remembered
from .settled import InOrder
from .slots import differing, project
from .tracker_view import TrackerView

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ..context import CustomerContext
    from .context_id import Found
    from .runtime import Runtime
    from .seal import Seen
    from .tracker_view import TrackerLike

logger = logging.getLogger(__name__)

_REFUSALS = {
    Outcome.INVALID: Reason.UNUSABLE_CONTEXT_ID,
    Outcome.MISSING: Reason.FORGOTTEN,
    Outcome.REJECTED: Reason.TOO_MANY_CONTEXT_IDS,
}

_TURNED_AWAY = {
    Reason.ARRIVAL_SIGNATURE: "it stands in no token that a key of ours signed",
    Reason.ARRIVAL_CLAIMS: "claims of its token are missing or cannot be used",
    Reason.ARRIVAL_CONVERSATION: "its token was made for another conversation",
    Reason.ARRIVAL_TIME: "its token is no longer good, or not yet",
    Reason.TOO_MANY_CONTEXT_IDS: "this session has asked about too many others",
}


class Turn:
    """The state of a conversation at one moment, and the changes that an outcome means for it.

    Every method that speaks of changes gives the slots to set, only those that differ.
    """

    def __init__(self, tracker: TrackerLike, runtime: Runtime, now: datetime) -> None:
        """Read the tracker. What is not of the expected type counts as not there."""
        self.now = now
        self._runtime = runtime
        self._view = TrackerView(tracker, runtime.door, runtime.settings.metadata_keys)
        self._slots = self._view.slots
        self._ours = runtime.ours_among(self._slots)
        self._status = runtime.names.of(STATUS)
        self._context = runtime.names.of(CONTEXT)

    @cached_property
    def present(self) -> resolver.Present:
        """What the run finds; reading it opens the seal."""
        seal = self._slots.get(self._context)
        held = self._runtime.sealer.open(seal, self._view.sender_id)
        if seal is not None and held is None:
            telemetry.seal_refused()
            logger.warning("A seal was refused: it is not ours, or not of this conversation")
        return resolver.Present(
            found=self._view.found(held, self.now),
            held=held,
            says_ok=_says_ok(self._slots.get(self._status)),
            seal_set=seal is not None,
        )

    @cached_property
    def _state(self) -> bytes | None:
        ours = {name: self._slots[name] for name in self._ours}
        return self._runtime.settled.digest(self._view.sender_id, ours)

    def in_order(self) -> bool:
        """Tell whether the slots are known to say what PS7 said, with no contextId come since."""
        known = self._runtime.settled.get(self._state)
        if known is None or self.now >= known.until:
            return False
        if self._view.written_to(self._context, known.seen):
            return False  # something else was sealed here: the seals have to be opened
        return _came(self._view.newest(known.seen)) == known.came

    def decide(self) -> resolver.Decision:
        """Decide one run of `action_ps7_context`."""
        decision = resolver.decide(self.present, self.now)
        if isinstance(decision, resolver.Project):
            return self._unless_left_behind(decision)
        if isinstance(decision, resolver.LookUp):
            return self._if_allowed(decision)
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
        others = self._other_seals(projection.held.seen)
        return resolver.unless_left_behind(projection, self.present.found, others)

    def _if_allowed(self, decision: resolver.LookUp) -> resolver.Decision:
        found, replaces = decision.found, decision.replaces
        others = self._others
        gone = resolver.was_forgotten(found.fingerprint, others)
        if gone:
            return resolver.Forget(gone)
        present = resolver.without_left_over(self.present, others)
        if present.found is None:
            return resolver.decide(present, self.now)
        limit = self._runtime.settings.max_contexts
        if not self._view.among_the_first(limit, found, self.present.held):
            return resolver.Refuse(found, replaces, Outcome.REJECTED)
        return decision

    @cached_property
    def _others(self) -> list[Sealed]:
        return self._other_seals()

    @property
    def _memory(self) -> Sealed | None:
        """The seal that remembers earlier contextIds: the held one, or the last before it broke."""
        if self.present.held is not None:
            return self.present.held
        return max(self._others, key=lambda seal: seal.sealed_at, default=None)

    def _other_seals(self, seen: Seen = UNSEEN) -> list[Sealed]:
        """Open what else events, seen ones left out, put into the slot of the seal."""
        texts = self._view.written_to(self._context, seen)
        seals = (self._runtime.sealer.open(text, self._view.sender_id) for text in texts)
        return [seal for seal in seals if seal is not None]

    def apply(self, decision: resolver.Decision | resolver.Verdict) -> dict[str, Any]:
        """Carry out a decision that asks nobody."""
        match decision:
            case resolver.Project(held):
                changes = self._put_back(held)
            case resolver.Say(outcome):
                changes = self._changes({}, outcome)
            case resolver.Empty(outcome):
                logger.warning("The status claimed a customer; the seal says %s", outcome.value)
                changes = self._changes(project(self._ours, None), outcome)
            case resolver.Clear(outcome):
                changes = self._clear(outcome)
            case resolver.Refuse():
                changes = self._refuse(decision)
            case resolver.Forget(fingerprints):
                logger.warning("A customer was forgotten, and something took that back: undone")
                changes = self.forget(fingerprints)
            case None:
                changes = {}
            case _:
                raise TypeError(type(decision).__name__)  # fails closed: never taken for nothing
        return changes

    def correlation_id(self, found: Found) -> str:
        """Give what groups the calls of this conversation: the channel's id, or one of our own.

        Ours is the same for the whole conversation, and tells nothing about the sender id, which
        may be a phone number. An id that repeats one of these, or is a CPF, is none: it is logged.
        """
        given = found.correlation_id
        secret = (found.context_id, found.value, self._view.sender_id)
        if given is None or given in secret or cpf.is_valid(given):
            return self._runtime.correlation.uuid(self._view.sender_id)
        return given

    def _refuse(self, decision: resolver.Refuse) -> dict[str, Any]:
        found, outcome = decision.found, decision.outcome
        reason = found.refused or _REFUSALS[outcome]
        telemetry.LookupReport(
            self._runtime.client.digest(found.context_id or found.fingerprint),
            self.correlation_id(found),
            outcome,
            reason,
        ).write()
        if reason in _TURNED_AWAY:
            telemetry.arrival_refused(reason)
            logger.warning("A contextId was not let in: %s", _TURNED_AWAY[reason])
        return self._write(self._sealed(outcome, found.fingerprint), decision.replaces)

    def _put_back(self, held: Sealed) -> dict[str, Any]:
        changes = self._changes(project(self._ours, held.customer), Outcome.OK)
        if changes:
            telemetry.slots_put_back(len(changes))
            logger.warning("Slots put back to what PS7 said: %s", ", ".join(changes))
        elif held.customer is not None:
            came = _came(self._view.newest(held.seen))
            in_order = InOrder(held.customer.expires_at, held.seen, came)
            self._runtime.settled.note(self._state, in_order)
        return changes

    def _clear(self, outcome: Outcome) -> dict[str, Any]:
        if outcome == Outcome.TAMPERED:
            logger.warning("The slots claimed a customer with no seal of ours behind them: cleared")
        values = self._own_nulls() | project(self._ours, None) | {self._context: self._trace()}
        return self._changes(values, outcome)

    def _trace(self) -> str | None:
        """Give what stays in the slot of the seal after a clearing: nothing, as a rule.

        Where other contextIds were here before, Rasa may still carry one of them from session to
        session: a seal without a customer remembers not to go back to it.
        """
        memory = self._memory
        if memory is None or not (memory.replaced or memory.forgotten):
            return None
        sealed = self._sealed(Outcome.MISSING, "")
        return self._runtime.sealer.close(sealed, self._view.sender_id)

    def seal(
        self,
        found: Found,
        outcome: Outcome,
        customer: CustomerContext | None = None,
        *,
        replaces: bool,
    ) -> dict[str, Any]:
        """Write what was learnt about a contextId into the seal and into every slot of ours."""
        asked = remembered(*self._view.asked(self.present.held), found.fingerprint)
        seen = self._view.seen(found)
        sealed = self._sealed(outcome, found.fingerprint, customer=customer, asked=asked, seen=seen)
        return self._write(sealed, replaces)

    def forget(self, others: Iterable[str] = ()) -> dict[str, Any]:
        """Null everything, and remember that these contextIds are not looked up again."""
        found, held = self.present.found, self.present.held
        gone = [place.fingerprint for place in (found, held) if place is not None]
        gone += others
        if not gone:
            return self._clear(Outcome.MISSING)
        forgotten = remembered(*gone, *(held.forgotten if held else ()))
        sealed = self._sealed(Outcome.MISSING, gone[0], forgotten=forgotten)
        return self._write(sealed, replaces=True)

    def _sealed(self, outcome: Outcome, fingerprint: str, **new: Any) -> Sealed:  # noqa: ANN401
        """Say what the next seal says: what is new, and what it remembers of the ones before."""
        held, memory = self.present.held, self._memory
        before = (memory.fingerprint, *memory.replaced) if memory else ()
        kept = {
            "forgotten": memory.forgotten if memory else (),
            "replaced": remembered(*(name for name in before if name != fingerprint)),
            "session": self._view.session_mark(),
            "asked": self._view.asked(held),
        }
        return Sealed(
            outcome=outcome, fingerprint=fingerprint, sealed_at=self.now, **{**kept, **new}
        )

    def _write(self, sealed: Sealed, replaces: bool) -> dict[str, Any]:  # noqa: FBT001 - one word
        own = self._own_nulls() if replaces else {}
        text = self._runtime.sealer.close(sealed, self._view.sender_id)
        values = own | project(self._ours, sealed.customer) | {self._context: text}
        return self._changes(values, sealed.outcome)

    def _own_nulls(self) -> dict[str, Any]:
        """Null the bot's own slots that go with a customer, as far as they are declared."""
        own = self._runtime.settings.clear_slots
        return dict.fromkeys(name for name in own if name in self._slots)

    def _changes(self, values: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
        wanted = values | {self._status: outcome.value}
        declared = {name: value for name, value in wanted.items() if name in self._slots}
        return differing(declared, self._slots)


def _says_ok(status: object) -> bool:
    """Read the status as Rasa reads a categorical slot: without regard to case."""
    return isinstance(status, str) and status.lower() == Outcome.OK.value


def _came(found: Found | None) -> tuple[str, bool] | None:
    return None if found is None else (found.fingerprint, found.carried)
