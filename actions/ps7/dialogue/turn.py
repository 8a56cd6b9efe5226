"""One run, from a tracker to the slots to set. Knows the tracker's plain values, and no SDK.

What is found and decided stands in `reading`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..api import telemetry
from ..context import Outcome
from ..errors import Reason
from . import resolver
from .reading import Reading
from .seal import Sealed, remembered
from .slots import differing, project

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..context import CustomerContext
    from .context_id import Found

logger = logging.getLogger(__name__)

_REFUSALS = {
    Outcome.INVALID: Reason.UNUSABLE_CONTEXT_ID,
    Outcome.MISSING: Reason.FORGOTTEN,
    Outcome.REJECTED: Reason.TOO_MANY_CONTEXT_IDS,
}

_ASKED_ON_EVERY_TURN = (Outcome.DENIED, Outcome.UNAVAILABLE)
"""Outcomes for which it does not matter when they were sealed."""
TURNED_AWAY = {
    Reason.ARRIVAL_SIGNATURE: "it stands in no token that a key of ours signed",
    Reason.ARRIVAL_CLAIMS: "claims of its token are missing or cannot be used",
    Reason.ARRIVAL_CONVERSATION: "its token was made for another conversation",
    Reason.ARRIVAL_TIME: "its token is no longer good, or not yet",
    Reason.TOO_MANY_CONTEXT_IDS: "this session has asked about too many others",
}
"""Why a contextId was not let in, in words."""


class Turn(Reading):
    """A reading, and the changes that an outcome means for the conversation.

    Every method that speaks of changes gives the slots to set, only those that differ.
    """

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
        may be a phone number. An id that repeats one of these is none: it is logged.
        """
        given = found.correlation_id
        secret = (found.context_id, found.value, self._view.sender_id)
        if given is None or given in secret:
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
        if reason in TURNED_AWAY:
            telemetry.arrival_refused(reason)
            logger.warning("A contextId was not let in: %s", TURNED_AWAY[reason])
        return self._write(self._sealed(outcome, found.fingerprint))

    def _put_back(self, held: Sealed) -> dict[str, Any]:
        changes = self._changes(project(self._ours, held.customer), Outcome.OK, held.customer)
        if changes:
            telemetry.slots_put_back(len(changes))
            logger.warning("Slots put back to what PS7 said: %s", ", ".join(changes))
        else:
            self.note_order(held)
        return changes

    def _clear(self, outcome: Outcome) -> dict[str, Any]:
        if outcome == Outcome.TAMPERED:
            logger.warning("The slots claimed a customer with no seal of ours behind them: cleared")
        values = project(self._ours, None) | {self._context: self._trace()}
        return self._changes(values, outcome)

    def _trace(self) -> str | None:
        """Return what stays in the slot of the seal after a clearing: a seal without a customer.

        Rasa may still carry an earlier contextId from session to session, which this seal remembers
        not to go back to. And it tells a clearing of ours from a slot that somebody wiped.
        """
        memory = self._memory
        if memory is None:
            return None
        sealed = self._sealed(Outcome.MISSING, "")
        if not (memory.replaced or memory.forgotten):
            sealed = sealed.model_copy(update={"replaced": ()})
        return self._runtime.sealer.close(sealed, self._view.sender_id)

    def seal(
        self,
        found: Found,
        outcome: Outcome,
        customer: CustomerContext | None = None,
    ) -> dict[str, Any]:
        """Write what was learnt about a contextId into the seal and into every slot of ours."""
        asked = self._view.asked(self.present.held)
        if found.fingerprint in asked and self._says_already(found, outcome):
            return self._changes(project(self._ours, None), outcome)
        asked = remembered(*asked, found.fingerprint)
        seen = self._view.seen(found)
        sealed = self._sealed(outcome, found.fingerprint, customer=customer, asked=asked, seen=seen)
        return self._write(sealed)

    def _says_already(self, found: Found, outcome: Outcome) -> bool:
        held = self.present.held
        said = (held.outcome, held.fingerprint) if held is not None else None
        return outcome in _ASKED_ON_EVERY_TURN and said == (outcome, found.fingerprint)

    def forget(self, others: Iterable[str] = ()) -> dict[str, Any]:
        """Null everything, and remember that these contextIds are not looked up again."""
        found, held, memory = self.present.found, self.present.held, self._memory
        gone = [place.fingerprint for place in (found, held) if place is not None]
        gone += others
        own = differing(dict.fromkeys(self._own), self._slots)
        if not gone:
            return own | self._clear(Outcome.MISSING)
        forgotten = remembered(*gone, *(memory.forgotten if memory else ()))
        sealed = self._sealed(Outcome.MISSING, gone[0], forgotten=forgotten)
        return own | self._write(sealed)

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

    def _write(self, sealed: Sealed) -> dict[str, Any]:
        text = self._runtime.sealer.close(sealed, self._view.sender_id)
        values = project(self._ours, sealed.customer) | {self._context: text}
        return self._changes(values, sealed.outcome, sealed.customer)

    @property
    def _own(self) -> list[str]:
        """The bot's own slots that go with a customer, as far as they are declared."""
        own = self._runtime.settings.clear_slots
        return [name for name in own if name in self._slots and name not in self._ours]

    def _changes(
        self, values: dict[str, Any], outcome: Outcome, known: CustomerContext | None = None
    ) -> dict[str, Any]:
        """Return the slots that differ; `known` is the customer after this run."""
        own = self._own
        gone = own if own and self.leaves(known) else ()
        wanted = values | {self._status: outcome.value}
        ours = {name: value for name, value in wanted.items() if name in self._ours}
        return differing(dict.fromkeys(gone) | ours, self._slots)
