"""One run, from a tracker to the slots to set. Knows the tracker's plain values, and no SDK."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from ..api import telemetry
from ..context import Outcome
from ..errors import Reason
from ..slot_names import CONTEXT, STATUS
from . import resolver
from .context_id import find
from .seal import Sealed, remembered
from .slots import differing, project

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ..context import CustomerContext
    from .context_id import Found
    from .runtime import Runtime

logger = logging.getLogger(__name__)

_METADATA_SLOT = "session_started_metadata"
_REFUSALS = {
    Outcome.INVALID: Reason.UNUSABLE_CONTEXT_ID,
    Outcome.MISSING: Reason.FORGOTTEN,
}


class TrackerLike(Protocol):
    """What is read of the SDK's tracker."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]


class Turn:
    """The state of a conversation at one moment, and the changes that an outcome means for it.

    Every method that speaks of changes gives the slots to set, only those that differ.
    """

    def __init__(self, tracker: TrackerLike, runtime: Runtime, now: datetime) -> None:
        """Read the tracker. What is not of the expected type counts as not there."""
        self.sender_id = str(tracker.sender_id)
        self.now = now
        self._runtime = runtime
        self._slots = tracker.slots if isinstance(tracker.slots, dict) else {}
        self._ours = runtime.ours_among(self._slots)
        self._status = runtime.names.of(STATUS)
        self._context = runtime.names.of(CONTEXT)
        seal = self._slots.get(self._context)
        held = runtime.sealer.open(seal, self.sender_id)
        found = find(
            tracker.latest_message,
            tracker.events if isinstance(tracker.events, list) else [],
            self._slots.get(_METADATA_SLOT),
            runtime.settings.metadata_keys,
        )
        self.present = resolver.Present(
            found=None if resolver.is_left_over(found, held) else found,
            held=held,
            says_ok=self._slots.get(self._status) == Outcome.OK.value,
            seal_set=seal is not None,
        )
        if seal is not None and self.present.held is None:
            telemetry.seal_refused()
            logger.warning("A seal was refused: it is not ours, or not of this conversation")

    def apply(self, decision: resolver.Decision | resolver.Verdict) -> dict[str, Any]:
        """Carry out a decision that asks nobody."""
        match decision:
            case resolver.Project(held):
                return self._put_back(held)
            case resolver.Say(outcome):
                return self._changes({}, outcome)
            case resolver.Empty(outcome):
                logger.warning("The status claimed a customer; the seal says %s", outcome.value)
                return self._changes(project(self._ours, None), outcome)
            case resolver.Clear(outcome):
                return self._clear(outcome)
            case resolver.Refuse():
                return self._refuse(decision)
            case None:
                return {}
            case _:
                raise TypeError(type(decision).__name__)  # fails closed: never taken for nothing

    def correlation_id(self, found: Found) -> str:
        """Give what groups the calls of this conversation: the channel's id, or one of our own.

        Ours is the same for the whole conversation, and tells nothing about the sender id, which
        may be a phone number. An id that repeats one of these is none: it is going to be logged.
        """
        given = found.correlation_id
        if given is None or given in (found.context_id, self.sender_id):
            return self._runtime.correlation.uuid(self.sender_id)
        return given

    def _refuse(self, decision: resolver.Refuse) -> dict[str, Any]:
        found, outcome = decision.found, decision.outcome
        telemetry.LookupReport(
            self._runtime.client.digest(found.context_id or found.fingerprint),
            self.correlation_id(found),
            outcome,
            _REFUSALS[outcome],
        ).write()
        return self.seal(found, outcome, replaces=decision.replaces)

    def _put_back(self, held: Sealed) -> dict[str, Any]:
        changes = self._changes(project(self._ours, held.customer), Outcome.OK)
        if changes:
            telemetry.slots_put_back(len(changes))
            logger.warning("Slots put back to what PS7 said: %s", ", ".join(changes))
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
        held = self.present.held
        if held is None or not (held.replaced or held.forgotten):
            return None
        sealed = self._sealed(Outcome.MISSING, "")
        return self._runtime.sealer.close(sealed, self.sender_id)

    def seal(
        self,
        found: Found,
        outcome: Outcome,
        customer: CustomerContext | None = None,
        *,
        replaces: bool,
    ) -> dict[str, Any]:
        """Write what was learnt about a contextId into the seal and into every slot of ours."""
        sealed = self._sealed(outcome, found.fingerprint, customer)
        return self._write(sealed, own=self._own_nulls() if replaces else {})

    def forget(self) -> dict[str, Any]:
        """Null everything, and remember that these contextIds are not looked up again."""
        found, held = self.present.found, self.present.held
        gone = [place.fingerprint for place in (found, held) if place is not None]
        if not gone:
            return self._clear(Outcome.MISSING)
        sealed = self._sealed(Outcome.MISSING, gone[0], forget=gone)
        return self._write(sealed, own=self._own_nulls())

    def _sealed(
        self,
        outcome: Outcome,
        fingerprint: str,
        customer: CustomerContext | None = None,
        forget: Iterable[str] = (),
    ) -> Sealed:
        """Say what the next seal says, and what it still remembers of the ones before."""
        held = self.present.held
        before = (held.fingerprint, *held.replaced) if held else ()
        return Sealed(
            outcome=outcome,
            fingerprint=fingerprint,
            sealed_at=self.now,
            customer=customer,
            forgotten=remembered(*forget, *(held.forgotten if held else ())),
            replaced=remembered(*(name for name in before if name != fingerprint)),
        )

    def _write(self, sealed: Sealed, own: dict[str, Any]) -> dict[str, Any]:
        text = self._runtime.sealer.close(sealed, self.sender_id)
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
