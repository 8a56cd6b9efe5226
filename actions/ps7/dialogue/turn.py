"""One run: from a situation and a decision to the slots to set. Knows no SDK."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..api import telemetry
from ..context import Outcome
from ..errors import Reason
from ..slot_table import CONTEXT, STATUS
from . import resolver
from .seal import Seal, remembered
from .situation import Situation
from .slots import PERSON_SLOTS, differing, project, same_customer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..context import CustomerContext
    from .context_id import Found
    from .runtime import Runtime
    from .situation import TrackerLike

logger = logging.getLogger(__name__)

_REFUSALS = {
    Outcome.INVALID: Reason.UNUSABLE_CONTEXT_ID,
    Outcome.MISSING: Reason.FORGOTTEN,
    Outcome.REJECTED: Reason.TOO_MANY_CONTEXT_IDS,
}
ARRIVAL_REFUSED = {
    Reason.ARRIVAL_SIGNATURE: "it stands in no token that a key of ours signed",
    Reason.ARRIVAL_CLAIMS: "claims of its token are missing or cannot be used",
    Reason.ARRIVAL_CONVERSATION: "its token was made for another conversation",
    Reason.ARRIVAL_TIME: "its token was no longer valid as it came, or not yet",
    Reason.TOO_MANY_CONTEXT_IDS: "this session has asked about too many others",
}
"""Why an arrival was refused, in words."""


class Turn:
    """One run over one tracker. It carries out its own decisions, and no other turn's.

    Every method that speaks of changes returns the slots to set, only those that differ. Once a
    seal of ours was seen, each leaves one with the highest number in the slot.
    """

    def __init__(
        self, tracker: TrackerLike, runtime: Runtime, now: datetime, domain: object = None
    ) -> None:
        """Read the tracker, and decide nothing yet; see `Situation`."""
        self.situation = Situation(tracker, runtime, now, domain)
        self._runtime = runtime
        self._slots = self.situation.slots
        self._ours = self.situation.ours
        self._status = runtime.names.of(STATUS)
        self._context = runtime.names.of(CONTEXT)

    def in_order(self) -> bool:
        """Whether these slots are known to say what PS7 said, with nothing new to read."""
        if not self.situation.seal_set:
            return False
        until = self._runtime.states.in_order_until(self.situation.digest)
        return until is not None and self.situation.now < until

    def decide(self) -> resolver.Decision:
        """Decide one run of `action_ps7_context`."""
        self._note_foreign_seal()
        return resolver.decide(self.situation)

    def verify(self) -> resolver.Verdict:
        """Decide one run of `action_ps7_verify`."""
        self._note_foreign_seal()
        return resolver.verify(self.situation)

    def _note_foreign_seal(self) -> None:
        if self.situation.seal_set and self.situation.in_slot is None:
            telemetry.seal_refused()
            logger.warning("A seal was refused: it is not ours, or not of this conversation")

    def apply(self, decision: resolver.Decision | resolver.Verdict) -> dict[str, Any]:
        """Carry out a decision that asks nobody."""
        match decision:
            case resolver.Project(held):
                return self._restore(held)
            case resolver.SetStatus(outcome):
                return self._set_status(outcome)
            case resolver.ClearCustomer(outcome):
                return self._clear(outcome)
            case resolver.Refuse(found, outcome):
                return self._refuse(found, outcome)
            case None:
                return self._changes({}, None, self.situation.in_slot)
            case _:
                raise TypeError(type(decision).__name__)  # fails closed: never taken for nothing

    def looked_up(
        self, found: Found, outcome: Outcome, customer: CustomerContext | None = None
    ) -> dict[str, Any]:
        """Seal how a lookup ended, and write every slot of ours."""
        about = _about(found, self.situation.history.session.mark)
        seal = self._seal(outcome, **about, customer=customer)
        return self._changes(project(self._ours, customer), outcome, seal)

    def forget(self) -> dict[str, Any]:
        """Null everything, and log out the contextId at hand and the one that is known."""
        situation, gone = self.situation, []
        found, highest, about = situation.found, situation.highest, {}
        if highest is not None and highest.context_id is not None:
            here = highest.session == situation.history.session.mark
            if here or highest.customer is not None:
                gone = [highest.fingerprint]
        if found is not None and found.context_id is not None and found.fingerprint not in gone:
            gone, about = [found.fingerprint, *gone], _about(found, None)
        logged_out = remembered((*gone, *situation.logged_out))
        seal = self._seal(Outcome.MISSING, **about, logged_out=logged_out) if gone else None
        changes = self._changes(project(self._ours, None), Outcome.MISSING, seal)
        return self._own_nulls() | changes

    def correlation_id(self, found: Found) -> str:
        """Return what groups the calls of this conversation: the channel's id, or one of our own.

        Ours is the same for the whole conversation, and tells nothing about the sender id, which
        may be a phone number. An id that repeats one of these is none: it is logged.
        """
        given, sender_id = found.correlation_id, self.situation.sender_id
        if given is None or given in (found.context_id, found.value, sender_id):
            return self._runtime.correlation.uuid(sender_id)
        return given

    def _restore(self, held: Seal) -> dict[str, Any]:
        situation, mark = self.situation, self.situation.history.session.mark
        found, seal = situation.found, held
        if found is not None and held.session != mark:  # it was carried over, and arrived anew
            seal = self._seal_again(held, **_about(found, mark))
        elif not self._is_newest(held):
            seal = self._seal_again(held)
        values = project(self._ours, held.customer)
        restored = self._differing(values)
        if restored:
            telemetry.slots_put_back(len(restored))
            logger.warning("Slots restored from the seal: %s", ", ".join(restored))
        changes = self._changes(values, Outcome.OK, seal)
        # Only where what was found arrived last, or nothing did: the digest names no other.
        last = situation.newest_hit and situation.newest_hit.value
        if not changes and held.customer is not None and last == (found and found.value):
            self._runtime.states.remember(situation.digest, held.customer.expires_at)
        return changes

    def _set_status(self, outcome: Outcome) -> dict[str, Any]:
        situation, held = self.situation, self.situation.held
        if situation.says_ok:
            logger.warning("The status claimed a customer; the seal says %s", outcome.value)
        if held is None or held is situation.in_slot:
            nulls = project(self._ours, None) if situation.says_ok else {}
            return self._changes(nulls, outcome, situation.in_slot)
        return self._changes(project(self._ours, None), outcome, self._seal_again(held))

    def _clear(self, outcome: Outcome) -> dict[str, Any]:
        if outcome == Outcome.TAMPERED:
            logger.warning("The slots claimed a customer with no seal of ours behind them: cleared")
        seal = self._seal(outcome) if outcome == Outcome.EXPIRED else None
        return self._changes(project(self._ours, None), outcome, seal)

    def _refuse(self, found: Found, outcome: Outcome) -> dict[str, Any]:
        reason = found.refused or _REFUSALS[outcome]
        telemetry.LookupReport(
            self._runtime.client.digest(found.context_id or found.fingerprint),
            self.correlation_id(found),
            outcome,
            reason,
        ).write()
        if reason in ARRIVAL_REFUSED:
            telemetry.arrival_refused(reason)
            logger.warning("Arrival refused: %s", ARRIVAL_REFUSED[reason])
        newest = self.situation.newest
        known = newest is not None and newest.fingerprint == found.fingerprint
        seal = self._seal(outcome, **({} if known else _about(found, None)))
        return self._changes(project(self._ours, None), outcome, seal)

    # Seals

    @cached_property
    def _next(self) -> dict[str, Any]:
        """What the next seal says: about what the newest is about, with all log-outs."""
        highest = self.situation.highest
        said = {"context_id", "encoded", "fingerprint", "number", "session"}
        next_ = {"number": 0} if highest is None else highest.model_dump(include=said)
        next_["number"] += 1
        logged_out = remembered(self.situation.logged_out)
        return {**next_, "sealed_at": self.situation.now, "logged_out": logged_out}

    def _seal(self, outcome: Outcome, **new: Any) -> Seal:  # noqa: ANN401 - a field of a seal
        return Seal(**{**self._next, "outcome": outcome, **new})

    def _seal_again(self, held: Seal, **new: Any) -> Seal:  # noqa: ANN401 - as above
        """Return the next seal, which says what this one says and keeps its times."""
        return self._seal(held.outcome, sealed_at=held.sealed_at, customer=held.customer, **new)

    def _is_newest(self, seal: Seal | None) -> bool:
        """Whether a seal has the highest number, and every log-out that is to be remembered."""
        highest = self.situation.highest
        if seal is None or highest is None or seal.number < highest.number:
            return False
        if seal.number > highest.number:
            return True  # a new one: what it does not remember, its own log-outs pushed out
        return set(remembered(self.situation.logged_out)) <= set(seal.logged_out)

    # Slots

    def _changes(
        self, values: Mapping[str, Any], outcome: Outcome | None, seal: Seal | None
    ) -> dict[str, Any]:
        """Return what differs: these values, the status, and the seal that is to stand.

        Where that is not the newest, one that says nothing stands instead.
        """
        situation = self.situation
        if situation.seals and not self._is_newest(seal):
            seal = self._seal(Outcome.MISSING)
        text = situation.text_of(seal)
        if seal is not None and text is None:
            text = self._runtime.sealer.close(seal, situation.sender_id)
        wanted = {**values, self._context: text}
        if outcome is not None:
            wanted[self._status] = outcome.value
        changes = self._differing(wanted)
        if self._own_slots_stay(seal, changes):
            return changes
        return self._own_nulls() | changes

    def _own_slots_stay(self, after: Seal | None, changes: Mapping[str, Any]) -> bool:
        """Whether the bot's own slots that go with a customer stay: `PS7_CLEAR_SLOTS`.

        They do where nobody was known before, and where the same customer is known before and
        after, by the seal and by the slots.
        """
        situation = self.situation
        before = situation.in_slot
        agree = before is situation.newest and (before is not None or not situation.seal_set)
        named = before is not None and before.customer is not None
        if agree and not named and not situation.says_ok:
            return True
        restored = any(self._runtime.names.of(slot) in changes for slot in PERSON_SLOTS)
        known = [None if seal is None else seal.customer for seal in (before, after)]
        return situation.says_ok and same_customer(*known) and not restored

    def _own_nulls(self) -> dict[str, Any]:
        own = (name for name in self._runtime.settings.clear_slots if name in self._slots)
        return differing(dict.fromkeys(own), self._slots)

    def _differing(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        ours = {name: value for name, value in wanted.items() if name in self._ours}
        return differing(ours, self._slots)


def _about(found: Found, session: str | None) -> dict[str, Any]:
    """Return the part of a seal that says what it is about."""
    return {
        "fingerprint": found.fingerprint,
        "context_id": found.context_id,
        "encoded": found.encoded,
        "session": session,
    }
