"""One run: the rules that decide it, in their order, and what each of them writes.

`CONTEXT_RULES` and `VERIFY_RULES` are the tables of `action_ps7_context` and `action_ps7_verify`.
The first rule applies whose facts are all true of the situation. Knows no SDK, and no HTTP.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from ..context import CustomerContext
from ..outcomes import Outcome, Reason
from ..slots import PERSON_SLOTS, differing, project, same_customer, sealed_payload
from ..telemetry import LookupReport
from . import counters
from .arrival import ARRIVAL_REFUSED
from .context_id import Found, fingerprint
from .seal import Seal, remembered
from .situation import FACTS, Situation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .runtime import Runtime
    from .situation import TrackerLike

    Changes = dict[str, Any]

logger = logging.getLogger(__name__)


class Effect(Enum):
    """What a rule does, in words."""

    LOOK_UP = "PS7 is asked, and its answer sealed"
    RESTORE = "the slots are made to show what the seal says"
    REFUSE = "the refusal is sealed and logged once; every slot of a customer becomes null"
    CLEAR = "every slot of a customer becomes null"
    STATUS = "only `ps7_status` is set"
    NOTHING = "nothing is set"
    LOG_OUT = "the contextId at hand, and every one that a seal is about, is logged out"


class Rule(NamedTuple):
    """One rule of a table."""

    name: str
    when: tuple[str, ...]
    """Names of `FACTS`: the rule applies if all of them are true."""
    then: Effect
    outcome: Outcome | None
    """What `ps7_status` is afterwards; None: as PS7 answers, or as the seal reports."""
    reason: Reason | None = None
    """Of a refusal that does not bring its own."""

    @property
    def condition(self) -> str:
        """When it applies, in words; after all rules before it did not."""
        return "; ".join(FACTS[fact] for fact in self.when) or "in all other cases"

    @property
    def meaning(self) -> str:
        """Condition and effect, as a sentence."""
        always = self.then is Effect.LOG_OUT
        text = f"{self.then.value}." if always else f"{self.condition}: {self.then.value}."
        return text[0].upper() + text[1:]


OVER = Rule("session-over", ("claims", "outdated"), Effect.CLEAR, Outcome.EXPIRED)
NO_SEAL = Rule("no-seal-behind", ("claims",), Effect.CLEAR, Outcome.TAMPERED)
CONTEXT_RULES = (
    Rule("logged-out", ("logged_out",), Effect.REFUSE, Outcome.MISSING, Reason.FORGOTTEN),
    Rule("arrival-refused", ("refused",), Effect.REFUSE, Outcome.INVALID),
    Rule("unusable", ("unusable",), Effect.REFUSE, Outcome.INVALID, Reason.UNUSABLE_CONTEXT_ID),
    Rule("held", ("same", "good"), Effect.RESTORE, Outcome.OK),
    Rule("failed-before", ("same", "waits"), Effect.STATUS, None),
    Rule("too-many", ("too_many",), Effect.REFUSE, Outcome.REJECTED, Reason.TOO_MANY_CONTEXT_IDS),
    Rule("look-up", ("found",), Effect.LOOK_UP, None),
    OVER,
    NO_SEAL,
    Rule("still-expired", ("said_expired",), Effect.STATUS, Outcome.EXPIRED),
    Rule("still-tampered", ("said_tampered",), Effect.STATUS, Outcome.TAMPERED),
    Rule("gone", ("was_here",), Effect.CLEAR, Outcome.MISSING),
    Rule("nothing-held", (), Effect.STATUS, Outcome.MISSING),
)
"""What `action_ps7_context` does."""
VERIFY_RULES = (
    Rule("logged-out", ("logged_out", "anyone"), Effect.CLEAR, Outcome.MISSING),
    Rule("another-found", ("known", "another"), Effect.CLEAR, Outcome.MISSING),
    Rule("held", ("good",), Effect.RESTORE, Outcome.OK),
    Rule("held-too-old", ("known",), Effect.CLEAR, Outcome.EXPIRED),
    OVER,
    NO_SEAL,
    Rule("failed-before", ("says_ok",), Effect.STATUS, None),
    Rule("nothing-held", (), Effect.NOTHING, None),
)
"""What `action_ps7_verify` does, without the network."""
FORGET = Rule("forget", (), Effect.LOG_OUT, Outcome.MISSING)
"""What `action_ps7_forget` does."""


_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


def decide(rules: tuple[Rule, ...], situation: object) -> Rule:
    """Return the first rule of a table whose facts are all true."""
    facts = vars(situation)
    for rule in rules:
        for fact in rule.when:
            if not facts[fact]:
                break
        else:
            return rule
    raise LookupError  # the last rule of a table asks for no fact


def verified(situation: Situation) -> tuple[Outcome, CustomerContext | None]:
    """Return what `action_ps7_verify` would make of a conversation, and write nothing."""
    rule = decide(VERIFY_RULES, situation)
    held = situation.held if rule.then is Effect.RESTORE else None
    return _outcome(rule, situation), None if held is None else held.customer


def _outcome(rule: Rule, situation: Situation) -> Outcome:
    if rule.outcome is not None:
        return rule.outcome
    if rule.then is Effect.STATUS and situation.held is not None:
        return situation.held.outcome
    said = situation.status
    return Outcome(said) if isinstance(said, str) and said in _OUTCOMES else Outcome.MISSING


class Run:
    """One run over one tracker.

    Every method that returns changes returns the slots to set, only those that differ. Once the
    tracker has shown a seal of this conversation, each leaves the newest one in the slot.
    """

    def __init__(
        self, tracker: TrackerLike, runtime: Runtime, now: datetime, domain: object = None
    ) -> None:
        self.situation = Situation(tracker, runtime, now, domain)
        self.rule = FORGET
        """The rule that decided this run."""
        self.outcome = Outcome.MISSING
        """What the status is after this run."""
        self.metadata: bool | None = None
        """Whether the newest message brought any; None if nobody looked."""
        self.runtime = runtime
        """What the run was made with: settings, seals and the client."""

    def context(self) -> Changes | Found:
        """Return the changes of `action_ps7_context`, or what PS7 has to be asked about."""
        self._decide(CONTEXT_RULES)
        found = self.situation.found
        if found is not None and self.rule.then is Effect.LOOK_UP:
            return found
        if found is None:
            newest = self.situation.history.newest_metadata
            self.metadata = self.runtime.note_metadata(newest)
        return self._write()

    def looked_up(self, outcome: Outcome, customer: CustomerContext | None = None) -> Changes:
        """Return the changes after PS7 was asked: the answer is sealed, and every slot written."""
        self.outcome = outcome
        if customer is not None:
            payload = sealed_payload(customer.payload, self.situation.ours)
            customer = CustomerContext(**{**vars(customer), "payload": payload})
        return self._changes(self._project(customer), self._seal(outcome, customer, asked=True))

    def verify(self) -> Changes:
        """Return the changes of `action_ps7_verify`.

        Afterwards the slots show what PS7 answered, or the status is not `ok`.
        """
        self._decide(VERIFY_RULES)
        return self._write()

    def forget(self) -> Changes:
        """Return the changes of `action_ps7_forget`."""
        situation = self.situation
        about = (situation.found, *situation.by_number)
        texts = [each.context_id for each in about if each is not None]
        names = [fingerprint(text) for text in texts if text is not None]
        seal = None
        if situation.seals or names:
            new = (name for name in names if name not in situation.log_outs)
            seal = self._seal(Outcome.MISSING, logged_out=(*new, *situation.log_outs))
        return self._own_nulls() | self._changes(self._project(None), seal)

    def correlation_id(self) -> str:
        """Return what groups the calls of this conversation: the channel's id, or a made one.

        The made one is the same for the whole conversation, and tells nothing about the sender id,
        which may be a phone number. The channel's is logged, so it must not repeat an identity.
        """
        found, sender_id = self.situation.found, self.situation.sender_id
        given = None if found is None else found.correlation_id
        if found is None or given is None or given in (found.context_id, found.value, sender_id):
            return self.runtime.correlation.uuid(sender_id)
        return given

    def _decide(self, rules: tuple[Rule, ...]) -> None:
        situation = self.situation
        self.rule = decide(rules, situation)
        self.outcome = _outcome(self.rule, situation)
        if situation.seal_refused:
            counters.seals_refused.add(1)
            made = "seal_keys" not in self.runtime.settings.model_fields_set
            hint = "; PS7_SEAL_KEYS is not set, so none from before the last start opens"
            logger.warning(
                "A seal was refused: it is not ours, or not of this conversation%s",
                hint if made else "",
            )

    # What the effects write

    def _write(self) -> Changes:
        effect = self.rule.then
        if effect is Effect.RESTORE:
            return self._restore()
        if effect is Effect.REFUSE:
            return self._refuse()
        if effect is Effect.CLEAR:
            return self._clear()
        return self._set_status()

    def _restore(self) -> Changes:
        held = self.situation.held
        values = self._project(None if held is None else held.customer)
        changes = self._changes(values, held)
        restored = [name for name in values if name in changes]
        if restored:
            counters.slots_restored.add(len(restored))
            logger.warning("Slots restored from the seal: %s", ", ".join(restored))
        return changes

    def _refuse(self) -> Changes:
        situation, found, held = self.situation, self.situation.found, self.situation.held
        if found is None or (held and situation.same and held.outcome == self.outcome):
            return self._set_status()  # it is sealed already
        reason = found.refused or self.rule.reason or Reason.INTERNAL
        LookupReport(
            self.runtime.client.digest(found.context_id or found.fingerprint),
            self.correlation_id(),
            self.outcome,
            reason,
        ).write()
        if reason in ARRIVAL_REFUSED:
            counters.arrivals_refused.add(1, {"reason": reason.value})
            logger.warning("Arrival refused: %s", ARRIVAL_REFUSED[reason])
        return self._changes(self._project(None), self._seal(self.outcome))

    def _clear(self) -> Changes:
        if self.outcome == Outcome.TAMPERED:
            logger.warning("The slots claimed a customer with no seal of ours behind them: cleared")
        seal = self._seal(self.outcome) if self.situation.seals else None
        return self._changes(self._project(None), seal)

    def _set_status(self) -> Changes:
        """Set the status, or nothing: all other slots are the bot's own, or null already."""
        situation, held = self.situation, self.situation.held
        if self.rule.then is Effect.NOTHING:
            return self._changes({}, situation.in_slot, sets_status=False)
        if situation.says_ok:
            logger.warning("The status claimed a customer; the seal says %s", self.outcome.value)
        stale = held is not None and held is not situation.in_slot
        nulls = self._project(None) if situation.says_ok or stale else {}
        return self._changes(nulls, held or situation.in_slot)

    # Seals

    def _seal(
        self,
        outcome: Outcome,
        customer: CustomerContext | None = None,
        *,
        asked: bool = False,
        logged_out: tuple[str, ...] = (),
    ) -> Seal:
        """Make the next seal, about what was found; it carries all log-outs."""
        situation, newest = self.situation, self.situation.newest
        about = situation.found or Found(None, "")
        asked = asked or about.fingerprint in situation.asked
        return Seal(
            number=1 if newest is None else newest.number + 1,
            outcome=outcome,
            sealed_at=situation.now,
            session=situation.history.mark,
            fingerprint=about.fingerprint,
            context_id=about.context_id if asked else None,
            encoded=about.encoded,
            logged_out=remembered(logged_out or situation.log_outs),
            customer=customer,
        )

    def _text_of(self, seal: Seal | None) -> str | None:
        """Return the text for the slot, of a seal that is the newest and has every log-out.

        A seal without some log-out is sealed again, with its times. Instead of a seal that is not
        the newest, or of none, one is made that names nobody.
        """
        situation, newest = self.situation, self.situation.newest
        if newest is not None:
            log_outs = remembered(situation.log_outs)
            if seal is None or seal.number < newest.number:
                seal = self._seal(Outcome.MISSING)
            elif seal.number == newest.number and not set(log_outs) <= set(seal.logged_out):
                again = {"number": seal.number + 1, "logged_out": log_outs}
                seal = seal.model_copy(update=again)
        if seal is None:
            return None
        for text, known in situation.seals.items():
            if known is seal:
                return text
        return self.runtime.sealer.close(seal, situation.sender_id)

    # Slots

    def _changes(
        self, values: Mapping[str, Any], seal: Seal | None, *, sets_status: bool = True
    ) -> Changes:
        """Return what differs: these values, the status, and the seal."""
        names, situation = self.runtime.names, self.situation
        wanted = dict(values)
        if names.context in situation.ours:
            wanted[names.context] = self._text_of(seal)
        if sets_status and names.status in situation.ours:
            wanted[names.status] = str(self.outcome)
        changes = differing(wanted, situation.slots)
        return changes if self._own_slots_stay(seal, changes) else self._own_nulls() | changes

    def _own_slots_stay(self, after: Seal | None, changes: Mapping[str, Any]) -> bool:
        """Whether the bot's own slots of `PS7_CLEAR_SLOTS`, if there are any, stay.

        They stay if no customer was known before, and if the same customer is known before and
        after, by the seal and by the slots.
        """
        if not self.runtime.settings.clear_slots:
            return True
        situation, before = self.situation, self.situation.in_slot
        agree = before is situation.newest and not situation.seal_refused
        seals = (before, situation.newest_here)
        named = any(seal is not None and seal.customer is not None for seal in seals)
        if agree and not named and not situation.says_ok:
            return True
        restored = changes and any(self.runtime.names.of(slot) in changes for slot in PERSON_SLOTS)
        known = [None if seal is None else seal.customer for seal in (before, after)]
        return situation.says_ok and same_customer(*known) and not restored

    def _own_nulls(self) -> Changes:
        slots = self.situation.slots
        own = (name for name in self.runtime.settings.clear_slots if name in slots)
        return differing(dict.fromkeys(own), slots)

    def _project(self, customer: CustomerContext | None) -> Changes:
        return project(self.situation.ours, customer)
