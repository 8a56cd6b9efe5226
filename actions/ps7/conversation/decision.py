"""What a run does: three functions, `look_up`, `verify` and `forget`, each read from top to bottom.

A decision is a plain value. Nothing is written, logged or counted here: `Decision.report` has what
is to be told. Each way that a run can end is a `Rule`, by the name that the log, `rasa-ps7 explain`
and the page "How it works" use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..customer import (
    PERSON_SLOTS,
    CustomerContext,
    differing,
    project,
    same_customer,
    sealed_payload,
)
from ..outcomes import Outcome, Reason, Word
from ..telemetry import LookupReport, RunReport
from .arrival import describe_metadata, fingerprint
from .seal import MAX_LOGGED_OUT, Answer, Contents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .arrival import Arrival
    from .seal import Seal
    from .state import State

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


class Rule(Word):
    """The ways that a run can end."""

    # Of `look_up`, some of `verify` too
    LOGGED_OUT = "logged-out"
    ARRIVAL_REFUSED = "arrival-refused"
    UNUSABLE = "unusable"
    HELD = "held"
    FAILED_BEFORE = "failed-before"
    TOO_MANY = "too-many"
    LOOK_UP = "look-up"
    SESSION_OVER = "session-over"
    NO_SEAL_BEHIND = "no-seal-behind"
    STILL_EXPIRED = "still-expired"
    STILL_TAMPERED = "still-tampered"
    NOTHING_HELD = "nothing-held"
    # Of `verify` alone
    ANOTHER_FOUND = "another-found"
    HELD_TOO_OLD = "held-too-old"
    # Of `forget`
    FORGET = "forget"


_WRITE_EVERY_SLOT = {Rule.HELD, Rule.LOOK_UP, Rule.FORGET}
_LEAVE_THE_CUSTOMER = {Rule.STILL_EXPIRED, Rule.STILL_TAMPERED, Rule.NOTHING_HELD}
"""Of these, slots of the customer stay: they are null, or the bot's own. The other rules null them,
but once: while nobody is known, a form may fill them."""


class Question(NamedTuple):
    """What PS7 has to be asked before the slots are known."""

    arrival: Arrival
    context_id: str
    correlation_id: str


class Decision(NamedTuple):
    """What one run does."""

    rule: Rule
    outcome: Outcome
    """What the status is afterwards."""
    slots: dict[str, Any]
    """The slots to set: only those that differ. Once the tracker has shown a seal of this
    conversation, they leave the newest one in its slot."""
    customer: CustomerContext | None
    """Whom the slots are made to show without asking PS7."""
    report: RunReport


def slot_events(slots: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one event for each slot to set, as Rasa takes them."""
    return [
        {"event": "slot", "timestamp": None, "name": name, "value": value}
        for name, value in slots.items()
    ]


# action_ps7_context


def look_up(state: State) -> Decision | Question:
    """Decide what `action_ps7_context` does, or what PS7 has to be asked first."""
    arrival = state.arrival()
    if arrival is None:
        return _nothing_arrived(state)
    if state.is_logged_out(arrival.context_id, arrival.encoded):
        return _refuse(state, arrival, Rule.LOGGED_OUT, Reason.FORGOTTEN)
    if arrival.refused is not None:
        return _refuse(state, arrival, Rule.ARRIVAL_REFUSED, arrival.refused)
    if arrival.context_id is None:
        return _refuse(state, arrival, Rule.UNUSABLE, Reason.UNUSABLE_CONTEXT_ID)
    seal = state.seal_about(arrival)
    if seal is not None and seal.names_customer:
        contents = state.open(seal)
        if contents.is_valid_at(state.now):
            return _decision(state, Rule.HELD, Outcome.OK, _text(state, seal), contents.customer)
    elif seal is not None and state.waits(seal):
        claims, text = state.status_claims(arrival), _text(state, seal)
        return _decision(state, Rule.FAILED_BEFORE, seal.outcome, text, status_claimed=claims)
    asked = state.asked_about()
    if len(asked) >= state.bot.settings.max_contexts and arrival.fingerprint not in asked:
        return _refuse(state, arrival, Rule.TOO_MANY, Reason.TOO_MANY_CONTEXT_IDS)
    return Question(arrival, arrival.context_id, correlation_id(state, arrival))


def answered(
    state: State, question: Question, outcome: Outcome, customer: CustomerContext | None
) -> Decision:
    """Return the decision once PS7 was asked: its answer is sealed, and every slot is written."""
    arrival, context_id, _ = question
    rule, log_outs = Rule.LOOK_UP, state.log_outs
    if customer is not None:
        payload = sealed_payload(customer.payload, state.slots.plugin)
        customer = CustomerContext(**{**vars(customer), "payload": payload})
        if state.is_logged_out(customer.decoded_context_id, None):  # by another name
            rule, outcome, customer = Rule.LOGGED_OUT, Outcome.MISSING, None
            log_outs = (fingerprint(context_id), *log_outs)
    answer = Answer(context_id=context_id, encoded=arrival.encoded, customer=customer)
    text = _sealed(state, outcome, log_outs, answer)
    guesses = _guesses(state, arrival, outcome)
    return _decision(state, rule, outcome, text, customer, looked_up=True, guesses=guesses)


def _nothing_arrived(state: State) -> Decision:
    """Decide about a session in which no contextId has arrived."""
    metadata = describe_metadata(state.history.newest_metadata, state.bot.paths)
    told: dict[str, Any] = {"without_context_id": True, "metadata": metadata}
    if state.claims(None):
        return _clear_what_is_claimed(state, **told)
    rule, outcome = Rule.NOTHING_HELD, Outcome.MISSING
    if state.history.status_in_turn == Outcome.EXPIRED:
        rule, outcome = Rule.STILL_EXPIRED, Outcome.EXPIRED
    elif state.history.status_in_turn == Outcome.TAMPERED:
        rule, outcome = Rule.STILL_TAMPERED, Outcome.TAMPERED
    return _decision(state, rule, outcome, _text(state), **told)


def _refuse(state: State, arrival: Arrival, rule: Rule, reason: Reason) -> Decision:
    """Decide about a contextId about which PS7 is not asked."""
    refusal = None
    if state.is_new_refusal(arrival, reason):
        digest = state.bot.digest(arrival.context_id or arrival.fingerprint)
        refusal = LookupReport(digest, correlation_id(state, arrival), reason.outcome, reason)
    logged_out, claims = [], False
    if rule is Rule.LOGGED_OUT and arrival.context_id is not None:  # by its own name too
        logged_out, claims = [fingerprint(arrival.context_id)], state.status_claims(arrival)
    text = _text(state, None, *logged_out)
    return _decision(state, rule, reason.outcome, text, refusal=refusal, status_claimed=claims)


def _guesses(state: State, arrival: Arrival, outcome: Outcome) -> int:
    """Return how many contextIds the conversation guessed in vain, if that is one more alarm."""
    failures = (Outcome.REJECTED, Outcome.INVALID)
    in_vain = {seal.about for seal in state.seals if seal.about and seal.outcome in failures}
    guesses = len(in_vain | {arrival.fingerprint})
    is_one_more = outcome in failures and guesses > len(in_vain)
    return guesses if is_one_more and guesses % state.bot.settings.max_contexts == 0 else 0


# action_ps7_verify


def verify(state: State) -> Decision:
    """Decide what `action_ps7_verify` does; it asks nobody."""
    arrival = state.arrival()
    is_out = arrival is not None and state.is_logged_out(arrival.context_id, arrival.encoded)
    seal = None if arrival is None or is_out else state.seal_about(arrival)
    claimed = state.claims(seal)
    if is_out and claimed:
        return _decision(state, Rule.LOGGED_OUT, Outcome.MISSING, _text(state))
    if seal is not None and seal.names_customer:
        contents = state.open(seal)
        if contents.is_valid_at(state.now):
            return _decision(state, Rule.HELD, Outcome.OK, _text(state, seal), contents.customer)
        return _decision(state, Rule.HELD_TOO_OLD, Outcome.EXPIRED, _text(state))
    was_here = state.slot_names_customer and state.slot_seal in state.session_seals
    if was_here and arrival is not None and seal is None:
        return _decision(state, Rule.ANOTHER_FOUND, Outcome.MISSING, _text(state))
    if claimed:
        return _clear_what_is_claimed(state)
    if seal is not None and state.says_ok:
        return _decision(state, Rule.FAILED_BEFORE, seal.outcome, _text(state, seal))
    said = state.status
    outcome = Outcome(said) if isinstance(said, str) and said in _OUTCOMES else Outcome.MISSING
    decision = _decision(state, Rule.NOTHING_HELD, outcome, _text(state))
    decision.slots.pop(state.bot.names.status, None)
    return decision


def verified(state: State) -> tuple[Outcome, CustomerContext | None]:
    """Return what `action_ps7_verify` would make of a conversation."""
    decision = verify(state)
    return decision.outcome, decision.customer


# action_ps7_forget


def forget(state: State) -> Decision:
    """Decide what `action_ps7_forget` does: log out all that is known here."""
    arrival = state.arrival()
    known = [name for seal in reversed(state.seals) for name in seal.names]
    if arrival is not None and arrival.context_id is not None:
        known.insert(0, fingerprint(arrival.context_id))
    log_outs = tuple(dict.fromkeys((*known, *state.log_outs)))
    text = _sealed(state, Outcome.MISSING, log_outs) if state.seals or log_outs else None
    decision = _decision(state, Rule.FORGET, Outcome.MISSING, text)
    return decision._replace(slots=_bot_nulls(state) | decision.slots)


# What they have in common


def correlation_id(state: State, arrival: Arrival | None) -> str:
    """Return what groups the calls of this conversation: the channel's id, or a made one.

    The made one is the same for the whole conversation, and tells nothing about the sender id,
    which may be a phone number. The channel's is logged, so it must not repeat an identity.
    """
    given = None if arrival is None else arrival.correlation_id
    if arrival is None or given in (None, arrival.context_id, arrival.value, state.sender_id):
        return state.bot.correlation.uuid(state.sender_id)
    return str(given)


def _clear_what_is_claimed(state: State, **told: Any) -> Decision:  # noqa: ANN401 - of a report
    """Take back what the slots claim: Rasa left it, or somebody wrote it."""
    if state.is_left_by_rasa:
        return _decision(state, Rule.SESSION_OVER, Outcome.EXPIRED, _text(state), **told)
    told["slots_claimed"] = True
    return _decision(state, Rule.NO_SEAL_BEHIND, Outcome.TAMPERED, _text(state), **told)


def _text(state: State, seal: Seal | None = None, *logged_out: str) -> str | None:
    """Return the text for the slot: that of a seal, or of one that names nobody.

    It is the newest of the conversation, and has every log-out: if not, it is sealed again. Null,
    if the tracker shows no seal. `logged_out` is what the seals do not know yet.
    """
    newest = state.newest_seal
    log_outs = tuple(dict.fromkeys((*logged_out, *state.log_outs)))[:MAX_LOGGED_OUT]
    if newest is None:
        return None
    if seal is None and newest.names_customer:
        return _sealed(state, Outcome.MISSING, log_outs)
    kept = newest if seal is None else seal
    if kept is newest and {*kept.logged_out}.issuperset(log_outs):
        return kept.text
    again = state.open(kept).model_copy(update={"logged_out": log_outs})
    return state.bot.sealer.close(again, state.sender_id)


def _sealed(
    state: State, outcome: Outcome, log_outs: tuple[str, ...], answer: Answer | None = None
) -> str:
    contents = Contents(
        outcome=outcome,
        sealed_at=state.now,
        session=state.history.mark,
        answer=answer,
        logged_out=log_outs[:MAX_LOGGED_OUT],
    )
    return state.bot.sealer.close(contents, state.sender_id)


def _decision(
    state: State,
    rule: Rule,
    outcome: Outcome,
    text: str | None,
    customer: CustomerContext | None = None,
    **told: Any,  # noqa: ANN401 - of any type
) -> Decision:
    """Return what a rule sets: the seal's text, the status, and the customer's slots.

    `told` is what the report has beside what all have.
    """
    slots, names, bot = state.slots, state.bot.names, state.bot
    is_as_left = state.nobody_is_known and state.status == outcome
    wanted: dict[str, Any] = {}
    if rule in _WRITE_EVERY_SLOT or not (rule in _LEAVE_THE_CUSTOMER or is_as_left):
        wanted = project(slots.plugin, customer)
    shown = [*wanted] if rule is Rule.HELD and text == state.text else ()
    for name, value in ((names.context, text), (names.status, outcome.value)):
        if name in slots.plugin:
            wanted[name] = value
    changes = differing(wanted, slots.values)
    told["restored"] = [name for name in shown if name in changes]
    if bot.settings.clear_slots and not _bot_slots_stay(state, customer, changes):
        changes = _bot_nulls(state) | changes
    if state.is_foreign and rule is not Rule.FORGET:
        told["seal_refused"] = True
        told["seal_keys_made"] = "seal_keys" not in bot.settings.model_fields_set
    told |= {"undeclared": slots.undeclared, "own": slots.filled_by_bot}
    return Decision(rule, outcome, changes, customer, RunReport(rule, outcome, changes, **told))


def _bot_slots_stay(
    state: State, customer: CustomerContext | None, changes: Mapping[str, Any]
) -> bool:
    """Whether the bot's own slots of `PS7_CLEAR_SLOTS` stay.

    They stay if no customer was known before, and no slot was about another person; or if the same
    customer is known before and after, by status, slots and seal.
    """
    names = [state.bot.names.of(slot) for slot in PERSON_SLOTS]
    changed = [name for name in names if name in changes]
    if state.nobody_is_known:
        return all(state.slots.values[name] is None for name in changed)
    before = None if state.slot_seal is None else state.open(state.slot_seal).customer
    return state.says_ok and not changed and same_customer(before, customer)


def _bot_nulls(state: State) -> dict[str, Any]:
    values = state.slots.values
    names = [name for name in state.bot.settings.clear_slots if name in values]
    return differing(dict.fromkeys(names), values)
