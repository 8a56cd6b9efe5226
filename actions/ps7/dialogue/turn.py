"""One run: from a situation to the slots to set. Knows no SDK, and no HTTP.

`Turn.context` and `Turn.verify` are the two tables. Each of their rows has a name, the `rule`,
which the DEBUG line of a run and `rasa-ps7 explain` show.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..api import telemetry
from ..context import Outcome
from ..errors import Reason
from ..slots import CONTEXT, PERSON_SLOTS, STATUS, differing, project, reduced, same_customer
from .seal import Seal, remembered
from .situation import Situation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..context import CustomerContext
    from .context_id import Found
    from .runtime import Runtime
    from .situation import TrackerLike

    Changes = dict[str, Any]

logger = logging.getLogger(__name__)

REJECTED_FOR = timedelta(seconds=30)
"""PS7 is not asked again for this long about a contextId that it did not know."""
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
_ABOUT = {"context_id", "encoded", "fingerprint", "session"}
"""The part of a seal that says what it is about."""


class Turn:
    """One run over one tracker.

    Every method that speaks of changes returns the slots to set, only those that differ. Once a
    seal of ours was seen, each leaves one with the highest number in the slot.
    """

    def __init__(
        self, tracker: TrackerLike, runtime: Runtime, now: datetime, domain: object = None
    ) -> None:
        self.situation = Situation(tracker, runtime, now, domain)
        self.rule = "in-order"
        """The row of the table by which this run was decided."""
        self.outcome = Outcome.OK
        """What the status says after this run."""
        self.metadata: bool | None = None
        """Whether the newest message brought any; None where that was not looked at."""
        self._runtime = runtime
        self._slots = self.situation.slots
        self._ours = self.situation.ours
        self._status = runtime.names.of(STATUS)
        self._context = runtime.names.of(CONTEXT)

    def in_order(self) -> bool:
        """Whether these slots are known to say what PS7 said, with nothing new to read."""
        situation = self.situation
        return situation.seal_set and self._runtime.states.in_order(situation.state, situation.now)

    # The tables

    def context(self) -> Changes | Found:
        """Return the changes of `action_ps7_context`, or what PS7 has to be asked about."""
        if self.in_order():
            return {}
        self._note_foreign_seal()
        situation = self.situation
        found, held = situation.found, situation.held
        if found is None:
            self.metadata = self._runtime.note_metadata(situation.history.session.newest_metadata)
            return self._nothing_found(held)
        if found.fingerprint in situation.logged_out:
            if held is not None and situation.same and held.customer is None:
                return self._set_status("logged-out", Outcome.MISSING)
            return self._refuse("logged-out", Outcome.MISSING, found)
        if held is not None and situation.same:
            if held.good_at(situation.now):
                return self._restore("held", held)
            if self._stands(held):
                return self._set_status("failed-before", held.outcome)
        if found.context_id is None:
            rule = "arrival-refused" if found.refused else "unusable"
            return self._refuse(rule, Outcome.INVALID, found)
        if not situation.may_ask(found):
            return self._refuse("too-many", Outcome.REJECTED, found)
        self.rule = "look-up"
        return found

    def _nothing_found(self, held: Seal | None) -> Changes:
        situation, missing = self.situation, self.situation.said_this_turn or Outcome.MISSING
        if held is None and situation.claims_customer:
            return self._clear("no-seal-behind", Outcome.TAMPERED)
        if held is None and situation.seals:
            return self._clear("nothing-held", missing)
        if held is None:
            return self._set_status("nothing-held", missing)
        if held.fingerprint in situation.logged_out and held.customer is not None:
            return self._clear("logged-out", Outcome.MISSING)
        if held.outcome != Outcome.OK:
            return self._set_status("nothing-held", missing)
        if held.good_at(situation.now):
            return self._restore("held", held)
        return self._clear("held-too-old", Outcome.EXPIRED)

    def _stands(self, held: Seal) -> bool:
        """Whether to ask PS7 again would change nothing, or is too early."""
        situation = self.situation
        if not situation.of_this_session(held):
            return False
        if held.outcome in (Outcome.DENIED, Outcome.UNAVAILABLE):
            return situation.of_this_turn(held)  # a turn costs one deadline, however many runs
        if held.outcome == Outcome.REJECTED:
            return timedelta(0) <= situation.now - held.sealed_at < REJECTED_FOR
        return held.outcome == Outcome.INVALID

    def looked_up(
        self, found: Found, outcome: Outcome, customer: CustomerContext | None = None
    ) -> Changes:
        """Return the changes after PS7 was asked: the answer is sealed, and every slot written."""
        about = _about(found, self.situation.history.session.mark)
        if customer is not None and self._runtime.settings.seal_payload == "slots":
            customer = customer.model_copy(update={"payload": reduced(customer.payload)})
        seal = self._seal(outcome, **about, customer=customer)
        return self._changes(project(self._ours, customer), outcome, seal)

    def verify(self) -> Changes:
        """Return the changes of `action_ps7_verify`, which asks no server.

        Afterwards the slots say what PS7 said, or the status is not `ok`.
        """
        if self.in_order():
            return {}
        self._note_foreign_seal()
        situation = self.situation
        held, verified = situation.held, situation.verified
        if verified is not None:
            return self._restore("held", verified)
        if held is None:
            if situation.claims_customer:
                return self._clear("no-seal-behind", Outcome.TAMPERED)
            return self._leave("nothing-held")
        logged_out = held.fingerprint in situation.logged_out
        if held.customer is None and not held.of_another_version:
            if held is situation.in_slot and not situation.says_ok:
                return self._leave("nothing-held")
            outcome = Outcome.MISSING if logged_out else held.outcome
            return self._set_status("failed-before", outcome)
        if logged_out:
            return self._clear("logged-out", Outcome.MISSING)
        if situation.found is not None and not situation.same:
            return self._clear("another-found", Outcome.MISSING)
        return self._clear("held-too-old", Outcome.EXPIRED)

    def forget(self) -> Changes:
        """Return the changes of `action_ps7_forget`.

        Null everything, and log out the contextId at hand and the one that is known.
        """
        self.rule = "forget"
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

    def correlation_id(self, found: Found | None) -> str:
        """Return what groups the calls of this conversation: the channel's id, or one of our own.

        Ours is the same for the whole conversation, and tells nothing about the sender id, which
        may be a phone number. An id that repeats one of these is none: it is logged.
        """
        sender_id = self.situation.sender_id
        given = None if found is None else found.correlation_id
        if found is None or given is None or given in (found.context_id, found.value, sender_id):
            return self._runtime.correlation.uuid(sender_id)
        return given

    # What the rows do

    def _leave(self, rule: str) -> Changes:
        self.rule = rule
        said = self.situation.status
        self.outcome = next((each for each in Outcome if each.value == said), Outcome.MISSING)
        return self._changes({}, None, self.situation.in_slot)

    def _restore(self, rule: str, held: Seal) -> Changes:
        """Make the slots equal to the held customer; status `ok`."""
        self.rule = rule
        situation, mark = self.situation, self.situation.history.session.mark
        found, seal = situation.found, held
        if found is not None and held.session != mark:  # it was carried over, and arrived anew
            seal = self._seal_again(held, **_about(found, mark))
        elif not self._is_newest(held):
            seal = self._seal_again(held)
        values = project(self._ours, held.customer)
        restored = self._differing(values)
        if restored:
            telemetry.slots_restored.add(len(restored))
            logger.warning("Slots restored from the seal: %s", ", ".join(restored))
        changes = self._changes(values, Outcome.OK, seal)
        # Only where what was found arrived last, or nothing did: the state names no other.
        last = situation.newest_hit and situation.newest_hit.value
        if not changes and held.customer is not None and last == (found and found.value):
            self._runtime.states.remember(situation.state, held.customer.expires_at)
        return changes

    def _set_status(self, rule: str, outcome: Outcome) -> Changes:
        """Set the status alone: all other slots are the bot's own, or null already."""
        self.rule = rule
        situation, held = self.situation, self.situation.held
        if situation.says_ok:
            logger.warning("The status claimed a customer; the seal says %s", outcome.value)
        if held is None or held is situation.in_slot:
            nulls = project(self._ours, None) if situation.says_ok else {}
            return self._changes(nulls, outcome, situation.in_slot)
        return self._changes(project(self._ours, None), outcome, self._seal_again(held))

    def _clear(self, rule: str, outcome: Outcome) -> Changes:
        """Null everything that could speak of a customer."""
        self.rule = rule
        if outcome == Outcome.TAMPERED:
            logger.warning("The slots claimed a customer with no seal of ours behind them: cleared")
        seal = self._seal(outcome) if outcome == Outcome.EXPIRED else None
        return self._changes(project(self._ours, None), outcome, seal)

    def _refuse(self, rule: str, outcome: Outcome, found: Found) -> Changes:
        """Seal an outcome for what was found, without asking PS7."""
        self.rule = rule
        reason = found.refused or _REFUSALS[outcome]
        telemetry.LookupReport(
            self._runtime.client.digest(found.context_id or found.fingerprint),
            self.correlation_id(found),
            outcome,
            reason,
        ).write()
        if reason in ARRIVAL_REFUSED:
            telemetry.arrivals_refused.add(1, {"reason": reason.value})
            logger.warning("Arrival refused: %s", ARRIVAL_REFUSED[reason])
        newest = self.situation.newest
        known = newest is not None and newest.fingerprint == found.fingerprint
        seal = self._seal(outcome, **({} if known else _about(found, None)))
        return self._changes(project(self._ours, None), outcome, seal)

    # Seals

    def _note_foreign_seal(self) -> None:
        if self.situation.seal_set and self.situation.in_slot is None:
            telemetry.seals_refused.add(1)
            made = "seal_keys" not in self._runtime.settings.model_fields_set
            hint = "; PS7_SEAL_KEYS is not set, so none from before the last start opens"
            logger.warning(
                "A seal was refused: it is not ours, or not of this conversation%s",
                hint if made else "",
            )

    def _seal(self, outcome: Outcome, **said: Any) -> Seal:  # noqa: ANN401 - a field of a seal
        """Return the next seal: about what the newest is about, with all log-outs, and `said`."""
        situation, highest = self.situation, self.situation.highest
        about = {} if highest is None else highest.model_dump(include=_ABOUT)
        next_ = {
            "number": 1 if highest is None else highest.number + 1,
            "outcome": outcome,
            "sealed_at": situation.now,
            "logged_out": remembered(situation.logged_out),
        }
        return Seal(**about | next_ | said)

    def _seal_again(self, held: Seal, **said: Any) -> Seal:  # noqa: ANN401 - as above
        """Return the next seal, which says what this one says and keeps its times."""
        return self._seal(held.outcome, sealed_at=held.sealed_at, customer=held.customer, **said)

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
    ) -> Changes:
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
            self.outcome = outcome
            wanted[self._status] = outcome.value
        changes = self._differing(wanted)
        return changes if self._own_slots_stay(seal, changes) else self._own_nulls() | changes

    def _own_slots_stay(self, after: Seal | None, changes: Mapping[str, Any]) -> bool:
        """Whether the bot's own slots that go with a customer stay: `PS7_CLEAR_SLOTS`.

        They do where no customer was known before, and where the same customer is known before and
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

    def _own_nulls(self) -> Changes:
        own = (name for name in self._runtime.settings.clear_slots if name in self._slots)
        return differing(dict.fromkeys(own), self._slots)

    def _differing(self, wanted: Mapping[str, Any]) -> Changes:
        ours = {name: value for name, value in wanted.items() if name in self._ours}
        return differing(ours, self._slots)


def _about(found: Found, session: str | None) -> dict[str, Any]:
    """Return what a seal says of what was found; `session` is None where it was no arrival."""
    return {name: getattr(found, name) for name in _ABOUT - {"session"}} | {"session": session}
