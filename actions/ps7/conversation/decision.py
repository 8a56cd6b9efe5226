"""What a run does, as a value: made from the rules and a reading, and thrown away without a trace.

Nothing is logged or counted here; `Decision.report` has what is to be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, cast

from ..customer import (
    PERSON_SLOTS,
    CustomerContext,
    differing,
    project,
    same_customer,
    sealed_payload,
)
from ..outcomes import Outcome, Reason
from ..telemetry import LookupReport, RunReport
from .arrival import Found, describe_metadata, fingerprint
from .rules import CONTEXT_RULES, VERIFY_RULES, Effect, Rule, applying
from .seal import NO_LOG_OUTS, Head, Seal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .reading import Reading

    Changes = dict[str, Any]

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_NOTHING_FOUND = Found(None, "")


class Question(TypedDict):
    """What PS7 is asked: the arguments of `PS7Client.ask`."""

    context_id: str
    encoded: int | None
    correlation_id: str
    flow_id: str | None


class Decision(NamedTuple):
    """What one run does."""

    rule: Rule
    reading: Reading
    report: RunReport
    slots: Changes
    """The slots to set: only those that differ. Once the tracker has shown a seal of this
    conversation, they leave the newest one in its slot."""
    asks: Question | None = None
    """What PS7 has to be asked first; the slots are not known before `answered`."""

    @property
    def outcome(self) -> Outcome:
        """What the status is afterwards."""
        return self.report.outcome

    @property
    def customer(self) -> CustomerContext | None:
        """Whom the slots are made to show, if it is without asking PS7."""
        return self.reading.customer if self.rule.then is Effect.RESTORE else None

    def answered(self, outcome: Outcome, customer: CustomerContext | None) -> Decision:
        """Return the decision once PS7 was asked: the answer is sealed, and every slot written.

        The report goes on: it is that of the same run.
        """
        reading, report = self.reading, self.report
        report.outcome, report.looked_up = outcome, True
        if customer is not None:
            payload = sealed_payload(customer.payload, reading.ours)
            customer = CustomerContext(**{**vars(customer), "payload": payload})
        found, guesses = reading.found or _NOTHING_FOUND, reading.guesses
        is_new = found.fingerprint not in reading.asked
        if is_new and outcome in (Outcome.REJECTED, Outcome.INVALID):
            guesses += 1
            if guesses % reading.bot.settings.max_contexts == 0:
                report.guesses = guesses
        asked = found.context_id
        seal = _seal(reading, outcome, context_id=asked, customer=customer, guesses=guesses)
        report.slots = slots = _changes(reading, report, project(reading.ours, customer), seal)
        return Decision(self.rule, reading, report, slots)


def slot_events(slots: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one event for each slot to set, as Rasa takes them."""
    return [
        {"event": "slot", "timestamp": None, "name": name, "value": value}
        for name, value in slots.items()
    ]


def decide(rules: tuple[Rule, ...], reading: Reading) -> Decision:
    """Return what the first rule that applies does."""
    rule = applying(rules, reading)
    if rule.then is Effect.LOOK_UP:
        report = _report(rule, reading, Outcome.UNAVAILABLE)  # until it is answered
        return Decision(rule, reading, report, {}, _question(reading))
    report = _report(rule, reading, rule.outcome or _outcome(rule, reading))
    if rules is CONTEXT_RULES and reading.found is None:
        report.without_context_id = True
        report.metadata = describe_metadata(reading.history.newest_metadata, reading.bot.paths)
    report.slots = slots = _WRITES[rule.then](rule, reading, report)
    return Decision(rule, reading, report, slots)


def verified(reading: Reading) -> tuple[Outcome, CustomerContext | None]:
    """Return what `action_ps7_verify` would make of a conversation."""
    decision = decide(VERIFY_RULES, reading)
    return decision.outcome, decision.customer


def correlation_id(reading: Reading) -> str:
    """Return what groups the calls of this conversation: the channel's id, or a made one.

    The made one is the same for the whole conversation, and tells nothing about the sender id,
    which may be a phone number. The channel's is logged, so it must not repeat an identity.
    """
    found, sender_id = reading.found, reading.sender_id
    given = None if found is None else found.correlation_id
    if found is None or given is None or given in (found.context_id, found.value, sender_id):
        return reading.bot.correlation.uuid(sender_id)
    return given


def _outcome(rule: Rule, reading: Reading) -> Outcome:
    """Return what a rule leaves as it was: what the seal reports, else what the slot has."""
    seal = {Effect.REPEAT: reading.failed, Effect.STATUS: reading.held}.get(rule.then)
    if seal is not None:
        return seal.outcome
    said = reading.status
    return Outcome(said) if isinstance(said, str) and said in _OUTCOMES else Outcome.MISSING


def _report(rule: Rule, reading: Reading, outcome: Outcome) -> RunReport:
    report = RunReport(rule.name, outcome, undeclared=reading.undeclared, own=reading.own)
    if reading.seal_refused and rule.then is not Effect.LOG_OUT:
        report.seal_refused = True
        report.seal_keys_made = "seal_keys" not in reading.bot.settings.model_fields_set
    return report


def _question(reading: Reading) -> Question:
    found = reading.found or _NOTHING_FOUND
    return {
        "context_id": found.context_id or "",  # one that is not usable was refused
        "encoded": found.encoded,
        "correlation_id": correlation_id(reading),
        "flow_id": found.flow_id,
    }


# What the effects write


def _restore(_rule: Rule, reading: Reading, report: RunReport) -> Changes:
    values = project(reading.ours, reading.customer)
    changes = _changes(reading, report, values, reading.held)
    report.restored = [name for name in values if name in changes]
    return changes


def _refuse(rule: Rule, reading: Reading, report: RunReport) -> Changes:
    found, held, hit = reading.found or _NOTHING_FOUND, reading.held, reading.logged_out
    own = fingerprint(found.context_id or "")  # what is not usable is not logged out
    if held and reading.same and held.outcome == report.outcome and hit in (None, own):
        return _set_status(rule, reading, report)
    report.refusal = LookupReport(
        reading.bot.digest(found.context_id or found.fingerprint),
        correlation_id(reading),
        report.outcome,
        found.refused or rule.reason or Reason.INTERNAL,
    )
    log_outs = reading.log_outs
    if hit is not None:  # from now on its own text is what is logged out, without `encoded`
        log_outs = log_outs.and_hit(hit, own)
    seal = _seal(reading, report.outcome, **log_outs.in_seal)
    return _changes(reading, report, project(reading.ours, None), seal)


def _clear(_rule: Rule, reading: Reading, report: RunReport) -> Changes:
    report.slots_claimed = report.outcome == Outcome.TAMPERED
    seal = _seal(reading, report.outcome) if reading.seals else None
    return _changes(reading, report, project(reading.ours, None), seal)


def _repeat(_rule: Rule, reading: Reading, report: RunReport) -> Changes:
    """Seal a failure again, with its time, if another seal is newer; all else is null already."""
    seal, newest = reading.failed, reading.newest
    report.status_claimed = reading.says_ok
    as_it_was = seal is reading.in_slot and not reading.says_ok
    nulls = {} if as_it_was else project(reading.ours, None)
    if seal is not None and newest is not None and seal.number < newest.number:
        return _changes(reading, report, nulls, _again(seal, reading))
    return _changes(reading, report, nulls, seal)


def _set_status(_rule: Rule, reading: Reading, report: RunReport) -> Changes:
    """Set the status: all other slots are the bot's own, or null already."""
    held, in_slot = reading.held, reading.in_slot
    report.status_claimed = reading.says_ok
    stale = held is not None and held is not in_slot
    nulls = project(reading.ours, None) if reading.says_ok or stale else {}
    return _changes(reading, report, nulls, held or in_slot)


def _set_nothing(_rule: Rule, reading: Reading, report: RunReport) -> Changes:
    """Leave `ps7_status` and the customer's slots.

    If the slot of the seal has lost the newest one, a seal that names nobody replaces it, and the
    bot's own slots of `PS7_CLEAR_SLOTS` become null.
    """
    return _changes(reading, report, {}, reading.in_slot, sets_status=False)


def _log_out(_rule: Rule, reading: Reading, report: RunReport) -> Changes:
    found = (reading.found or _NOTHING_FOUND).context_id
    customers: list[str] = []
    others = [] if found is None else [fingerprint(found)]
    for seal in reading.seals:
        (customers if seal.named else others).extend(seal.names[:1])
        others.extend(seal.names[1:])
    log_outs, new = reading.log_outs.and_newer(customers, others), None
    if reading.seals or others:
        new = _seal(reading, Outcome.MISSING, **log_outs.in_seal)
    return _own_nulls(reading) | _changes(reading, report, project(reading.ours, None), new)


_WRITES: dict[Effect, Callable[[Rule, Reading, RunReport], Changes]] = {
    Effect.RESTORE: _restore,
    Effect.REFUSE: _refuse,
    Effect.CLEAR: _clear,
    Effect.REPEAT: _repeat,
    Effect.STATUS: _set_status,
    Effect.NOTHING: _set_nothing,
    Effect.LOG_OUT: _log_out,
}


# Seals


def _seal(reading: Reading, outcome: Outcome, **fields: Any) -> Seal:  # noqa: ANN401 - those of Seal
    """Make the next seal, about what was found; it carries what the conversation remembers."""
    newest, about = reading.newest, reading.found or _NOTHING_FOUND
    remembered = {
        "number": 1 if newest is None else newest.number + 1,
        "session": reading.history.mark,
        "fingerprint": about.fingerprint,
        "context_id": about.context_id if about.fingerprint in reading.asked else None,
        "encoded": about.encoded,
        "guesses": reading.guesses,
        **reading.log_outs.in_seal,
    }
    return Seal(outcome=outcome, sealed_at=reading.now, **remembered | fields)


def _again(seal: Seal | Head, reading: Reading) -> Seal | None:
    """Return a copy that is the newest seal and has every log-out; it keeps its times."""
    opened, newest = reading.open(seal), reading.newest or seal
    new = {"number": newest.number + 1, "guesses": reading.guesses}
    new |= reading.log_outs.in_seal
    return None if opened is None else opened.model_copy(update=new)


def _text_of(seal: Seal | Head | None, reading: Reading) -> str | None:
    """Return the text for the slot, of a seal that is the newest and has every log-out.

    In place of none, or of one that is not the newest, there is one that names nobody.
    """
    newest = reading.newest
    if newest is not None and (seal is None or seal.number < newest.number):
        seal = _seal(reading, Outcome.MISSING)
    if seal is not None and seal.text:
        log_outs = reading.log_outs
        if log_outs == NO_LOG_OUTS or log_outs.remembered().are_in(seal):
            return seal.text
        seal = _again(seal, reading)
    return None if seal is None else reading.bot.sealer.close(cast("Seal", seal), reading.sender_id)


# Slots


def _changes(
    reading: Reading,
    report: RunReport,
    values: Mapping[str, Any],
    seal: Seal | Head | None,
    *,
    sets_status: bool = True,
) -> Changes:
    """Return what differs: these values, the status, and the seal."""
    names, ours, wanted = reading.bot.names, reading.ours, {**values}
    if names.context in ours:
        wanted[names.context] = _text_of(seal, reading)
    if sets_status and names.status in ours:
        wanted[names.status] = str(report.outcome)
    changes = differing(wanted, reading.slots)
    if not reading.bot.settings.clear_slots or _own_slots_stay(reading, seal, changes):
        return changes
    return _own_nulls(reading) | changes


def _own_slots_stay(reading: Reading, after: Seal | Head | None, changes: Changes) -> bool:
    """Whether the bot's own slots of `PS7_CLEAR_SLOTS` stay.

    They stay if no customer was known before, and if the same customer is known before and after,
    by the seal and by the slots.
    """
    bot, before = reading.bot, reading.in_slot
    agree = before == reading.newest and not reading.seal_refused
    seals = (before, *reading.here[:1])
    named = any(seal is not None and seal.named for seal in seals)
    if agree and not named and not reading.says_ok:
        return True
    restored = changes and any(bot.names.of(slot) in changes for slot in PERSON_SLOTS)
    known = [_customer_of(seal, reading) for seal in (before, after)]
    return reading.says_ok and same_customer(*known) and not restored


def _customer_of(seal: Seal | Head | None, reading: Reading) -> CustomerContext | None:
    opened = reading.open(seal) if seal is not None and seal.text else seal
    return getattr(opened, "customer", None)


def _own_nulls(reading: Reading) -> Changes:
    own = (name for name in reading.bot.settings.clear_slots if name in reading.slots)
    return differing(dict.fromkeys(own), reading.slots)
