"""What a bot makes of our slots: which it declares and how, what else fills them, what runs us.

Pure: a bot and two settings in, findings out. `rasa data validate` checks the rest.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

from ...customer import (
    CONTEXT,
    CONTEXT_ACTION,
    CUSTOMER_SLOTS,
    FILLED_BY_ACTIONS,
    FORGET_ACTION,
    NEEDED,
    SESSION_ACTION,
    SLOTS,
    STATUS,
    VERIFY_ACTION,
    SlotNames,
    is_personal,
)
from ...outcomes import Outcome
from ..domain import PORTUGUESE
from .bot import filled_by, influences, mappings, rows, table
from .report import Finding, caution, error, listed, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .bot import Bot

_VALUES = {
    STATUS: [outcome.value for outcome in Outcome],
    **{slot.name: [each.value for each in slot.values] for slot in SLOTS if slot.values},
}
"""Of the categorical slots, what the action writes into them."""
_ALIKE = 0.85
"""How much a name must be like one of the plugin's to be taken for a misspelt one."""
_OURS = (CONTEXT_ACTION, VERIFY_ACTION, FORGET_ACTION)
_VALIDATES = "action_validate_slot_mappings"
_RASAS_SESSION = 60
"""Minutes without a message after which Rasa starts a new session, if the domain has none."""
_OWN_START = "docs/integration.md#a-bot-with-a-session-start"
_CARRY_OVER = "carry_over_slots_to_new_session"
_EXPIRY_STARTS = "start_session_after_expiry"
_LEARN_FROM_STORIES = ("MemoizationPolicy", "TEDPolicy", "UnexpecTEDIntentPolicy")
_RASAS_CHOICE = ("MemoizationPolicy", "UnexpecTEDIntentPolicy", "TEDPolicy", "RulePolicy")
"""What Rasa Open Source takes if config.yml names no policies."""
_REWINDS = "action_default_fallback"
_FILLED_IN = frozenset({"text", "image", "custom", "buttons", "attachment", "quick_replies"})
"""The parts of a response in which Rasa fills in variables."""
_VARIABLE = re.compile(r"(?<!{)(?:{{)*{([^\n{}]+)}")
_SLOT = re.compile(r"slots\.(\w+)")


def check_slots(bot: Bot, renames: Mapping[str, str], to_clear: Sequence[str]) -> Iterator[Finding]:
    """Check every slot of the plugin, and the names in PS7_SLOT_NAMES and PS7_CLEAR_SLOTS."""
    names = SlotNames(renames)
    ours = names.among(bot.slots)
    absent = [name for name in (STATUS, CONTEXT, *CUSTOMER_SLOTS) if name not in ours.values()]
    custom = _custom(bot)
    for default in (name for name in NEEDED if name in absent):
        found = f"slot {names.of(default)} is not declared: {NEEDED[default]}"
        how = "merge the plugin's domain.yml, or take the slot over from it"
        yield error(f"slot-{default.removeprefix('ps7_')}-missing", found, how)
    if written := sorted(name for name in ours if not filled_by(bot.slots[name])):
        never = f"; never written: {listed([*map(names.of, absent)])}" if absent else ""
        yield ok("slots", f"the plugin writes slots {listed(written)}{never}")
    for name, default in ours.items():
        yield from _declared(bot, name, default)
        yield from _filled_elsewhere(bot, name, default)
        if not mappings(bot.slots[name]):
            found = f"slot {name} has no mapping: Rasa refuses it, or the language model fills it"
            yield error("slot-unmapped", found, f"give it `mappings: [{{type: {custom}}}]`")
    yield from _meant(bot, renames, absent)
    unknown = [name for name in to_clear if name not in bot.slots]
    if unknown:
        found = f"PS7_CLEAR_SLOTS names {listed(unknown)}, which the domain does not declare"
        how = "correct the name: a slot that is not cleared shows one customer's data to the next"
        yield caution("clear-slots", found, how)


def _custom(bot: Bot) -> str:
    """Return the mapping that lets only actions fill a slot, in the words of the bot's Rasa."""
    return "controlled" if bot.is_calm else "custom"


def _declared(bot: Bot, name: str, default: str) -> Iterator[Finding]:
    kind, values = bot.slots[name].get("type"), _VALUES.get(default, [])
    held = [str(value).lower() for value in rows(bot.slots[name].get("values"))]
    lacking = [value for value in values if value not in held]
    right = "categorical" if values else "any" if default == "ps7_payload" else "text"
    how = f"declare it with `type: {right}`"
    how += f" and `values: [{', '.join(values)}]`" if values else ""
    if kind != right and not (right == "text" and kind in {"any", "categorical"}):
        yield error("slot-type", f"slot {name} is {kind}, which cannot hold its values", how)
    elif lacking:
        found = f"slot {name} lacks {listed(lacking)}: the dialogue cannot see this value"
        yield error("slot-values", found, how)


def _filled_elsewhere(bot: Bot, name: str, default: str) -> Iterator[Finding]:
    forms = [form for form, asked in bot.forms.items() if name in rows(asked.get("required_slots"))]
    asks = f"form {listed(forms)} asks for slot {name}" if forms else ""
    others, custom = filled_by(bot.slots[name]), _custom(bot)
    if others:
        filled = f"{asks}, filled" if asks else f"slot {name} is filled"
        without = f"; {NEEDED[default]}" if default in NEEDED else ""
        yield error(
            "slot-filled-elsewhere",
            f"{filled} by {listed(others)}: it is the bot's own, and the plugin leaves it alone"
            f"{without}",
            f"to have both, declare `customer_{default}` with the mapping `type: {custom}` and set "
            f'PS7_SLOT_NAMES={{"{default}": "customer_{default}"}}; to have the plugin\'s alone, '
            f"leave `type: {custom}` as the only mapping of {name}, and ask for it in no form",
        )
    elif asks:
        decides = default == CONTEXT or default in _VALUES  # what a dialogue branches on
        found = f"{asks}: until the next run it may hold what a user said, `ok` beside it"
        how = "ask for another slot, and run action_ps7_verify right before a sensitive step"
        yield (error if decides else caution)("slot-filled-elsewhere", found, how)


def _meant(bot: Bot, renames: Mapping[str, str], absent: Sequence[str]) -> Iterator[Finding]:
    """Find slots whose names are nearly those of the plugin's slots."""
    unfilled = [name for name, slot in bot.slots.items() if not filled_by(slot)]
    for default in (name for name in renames if name in absent and name in unfilled):
        found = f"PS7_SLOT_NAMES calls {default} {renames[default]}; the domain declares {default}"
        how = f"rename the slot in the domain, or correct what PS7_SLOT_NAMES says of {default}"
        yield error("slot-names", f"{found}, which is never written then", how)
    alike = {
        name: default
        for default in absent
        for name in (default, renames.get(default, default), PORTUGUESE.get(default, default))
    }
    meant = {}
    for name, slot in bot.slots.items():
        close = difflib.get_close_matches(name, alike, 1, _ALIKE)
        is_idle = not filled_by(slot) and all(len(mapping) == 1 for mapping in mappings(slot))
        if close and is_idle and name not in absent:
            meant[alike[close[0]]] = name
    if meant:
        idle, ours = listed(list(meant.values())), listed(list(meant))
        found = f"nothing fills slot {idle}, which may be meant to be {ours}"
        setting = f"PS7_SLOT_NAMES='{json.dumps({**renames, **meant})}'"
        yield caution("slot-name", found, f"set {setting}, or give them the plugin's names")


def check_runs(bot: Bot) -> Iterator[Finding]:
    """Return what runs the lookup, and what may undo what it wrote."""
    yield _runs(bot)
    session_start = [] if bot.looks_up_at_start is False else [SESSION_ACTION]
    without = [name for name in (*_OURS, *session_start) if bot.actions.get(name) is False]
    endpoint = table((bot.endpoints or {}).get("action_endpoint"))
    if endpoint.get("enable_selective_domain") and without:
        found = (
            f"`enable_selective_domain` keeps the domain from {listed(without)}: the call fails "
        )
        found += "(rasa-sdk 3.21), or does not know which slots are the bot's own"
        how = f"list each under `actions:` as `- {without[0]}: {{send_domain: true}}`"
        yield error("domain-not-sent", found, how)
    if _VALIDATES in bot.actions:
        found = f"the domain lists {_VALIDATES}: it may change what our action writes"
        how = "let it leave the plugin's slots alone; what it changes is restored on the next run"
        yield caution("slot-validation", found, how)


def _runs(bot: Bot) -> Finding:
    mapped = [
        name
        for name, slot in bot.slots.items()
        for mapping in mappings(slot)
        if CONTEXT_ACTION in (mapping.get("action"), mapping.get("run_action_every_turn"))
        and mapping.get("type") in FILLED_BY_ACTIONS
        and not any(mapping.get(key) for key in ("conditions", "intent", "not_intent"))
    ]
    ways = [f"slot {name} (on every turn)" for name in mapped[:1]]
    ways += [each.title for each in bot.scripts or () if CONTEXT_ACTION in each.names("action")]
    if ways:
        ways += [f"its own {SESSION_ACTION}"] if bot.looks_up_at_start else []
        return ok("runs", f"{CONTEXT_ACTION} is run by {listed(ways)}")
    key = "run_action_every_turn" if bot.is_calm else "action"
    every_turn = "merge the plugin's domain.yml, whose slot ps7_status has the mapping "
    every_turn += f"`type: {_custom(bot)}, {key}: {CONTEXT_ACTION}` without conditions"
    if bot.looks_up_at_start is not False:
        found = (
            f"{CONTEXT_ACTION} is run by its own {SESSION_ACTION} at most, for no later contextId"
        )
        how = f"call {CONTEXT_ACTION} first in every rule or flow that needs the customer; or "
        return caution("runs-at-start", found, f"{how}{every_turn}")
    if STATUS in bot.slots and bot.has_session_start:
        found = (
            f"the lookup is meant to run at the session's start, and the bot's {SESSION_ACTION} "
        )
        how = f"derive it from PS7SessionStart ({_OWN_START}); to look up on every turn instead, "
        return error(
            "session-start-own", f"{found}does not make it: nobody is known", how + every_turn
        )
    if bot.scripts is not None:
        return error("runs-never", f"nothing runs {CONTEXT_ACTION}", every_turn)
    how = f"{every_turn}; or let rules and flows be looked at too, with --data"
    return caution("runs-unknown", f"no slot of the domain runs {CONTEXT_ACTION}", how)


def check_dialogue(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check what reads our slots, and what writes them. `ours`: the bot's name to the default."""
    if bot.config is not None and not bot.is_calm:
        yield from _policies(bot, ours)
    for name in ours:
        waiting = [each.title for each in bot.scripts or () if name in each.names("slot_was_set")]
        if waiting and not influences(bot.slots[name]):
            found = f"{listed(waiting)} cannot see slot {name}, so this condition is ignored"
            how = f"declare {name} with `influence_conversation: true`"
            yield error("condition-ignored", found, how)
    yield from _quoted(bot, ours)
    if bot.is_calm:
        yield from _calm(bot, ours)


def check_session(bot: Bot, max_age: float) -> Iterator[Finding]:
    """Check `PS7_MAX_AGE`, in seconds, against the time of a session."""
    minutes = bot.session.get("session_expiration_time", _RASAS_SESSION)
    if isinstance(minutes, (int, float)) and 0 < minutes * 60 < max_age:
        found = f"PS7_MAX_AGE is {max_age:g} s, and a session ends after {minutes:g} min without a "
        found += "message: a customer ends with the session"
        how = "leave PS7_MAX_AGE out, or let it be the time of a session at most"
        yield caution("max-age", found, how)


def _policies(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    configured = [table(entry) for entry in rows((bot.config or {}).get("policies"))]
    policies = {str(each.get("name")): each for each in configured} or dict.fromkeys(_RASAS_CHOICE)
    learning = [name for name in policies if name.endswith(_LEARN_FROM_STORIES)]
    stories = [each for each in bot.scripts or () if each.title.startswith("story ")]
    known = {name for story in stories for name in story.names("slot_was_set")}
    seen = [name for name in ours if influences(bot.slots[name]) and name not in known]
    if learning and seen and (stories or bot.scripts is None):
        found = f"stories of {listed(learning)} may stop matching: {listed(seen)} influences them"
        how = "declare it with `influence_conversation: false` and branch in conditional "
        how += "responses, or write `slot_was_set` into the stories"
        yield caution("slot-featurised", found, how)
    rules = table(policies.get("RulePolicy"))
    falls_back = "RulePolicy" in policies and rules.get("enable_fallback_prediction") is not False
    own = _REWINDS in bot.actions and "UserUtteranceReverted" not in (bot.code or "")
    if falls_back and rules.get("core_fallback_action_name", _REWINDS) == _REWINDS and not own:
        found = f"if no rule fits, {_REWINDS} undoes that turn, and its lookup with it: the next "
        yield ok("fallback", f"{found}run restores the slots, or looks up again")


def _quoted(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check for responses that quote a customer, who may be another one by now."""
    for response, variations in bot.responses.items():
        said = [item for each in map(table, rows(variations)) for item in each.items()]
        filled_in = str([value for key, value in said if key in _FILLED_IN])
        quotes = {name: ours.get(name, "") for name in _VARIABLE.findall(filled_in)}
        # A masked CPF may be shown, and only to its owner.
        tell = [name for name, own in quotes.items() if is_personal(own) or own == "cpf_masked"]
        if tell:
            found = f"response {response} quotes {listed(tell)}: if the action server is away, "
            found += "Rasa fills in an earlier customer's data, left of the turn before"
            how = "let an action fill in {conta_verificada} (no slot) from `verified_context`"
            yield caution("response-quotes", found, how)


def _calm(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check what differs if a language model takes part."""
    raw = [name for name, default in ours.items() if is_personal(default)]
    if raw:
        found = f"Rasa Pro shows {listed(raw)} to sub-agents and Enterprise Search, in their "
        how = "remove them from the domain (cpf_masked may stay); an action reads "
        yield caution("calm-personal", f"{found}prompts", f"{how}`verified_context`")
    alone = [name for name in ours if not bot.slots[name].get("shared_for_coexistence")]
    if alone and "BasedRouter" in str(bot.config):
        found = f"a change between flows and the NLU-based assistant resets {listed(alone)}"
        how = "declare our slots with `shared_for_coexistence: true`"
        yield caution("calm-coexistence", found, how)
    yield from _calm_sessions(bot, ours)
    for flow in bot.scripts or ():
        for key, does in (("collect", "collects"), ("set_slots", "sets")):
            for name in (each for each in flow.names(key) if each in ours):
                found = f"{flow.title} {does} slot {name}: a guess of the model replaces PS7's word"
                how = "use a slot of your bot, and let only actions write this one"
                yield error("flow-writes", found, how)
        guard = dict.fromkeys(_SLOT.findall(str(flow.content.get("if"))))
        read = [name for name in guard if name in ours]
        if read:
            found = f"the guard of {flow.title} reads {listed(read)} before any action of its turn "
            found += "has run: empty at the first message, or a message late"
            how = "guard the flow with no slot of the plugin: begin it with action_ps7_verify, and "
            yield caution("flow-guard", found, f"{how}branch afterwards")
    for tests in bot.e2e_tests:
        stubbed = {name.rpartition("::")[2] for name in table(tests.get("stub_custom_actions"))}
        always = [CONTEXT_ACTION, *([SESSION_ACTION] if bot.has_session_start else [])]
        if lacking := [name for name in always if name not in stubbed]:
            found = f"end-to-end tests with stubs have none for {listed(lacking)}"
            how = "stub each, or none at all: docs/integration.md#calm-and-rasa-pro"
            yield caution("e2e-stubs", found, how)


def _calm_sessions(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check what becomes of a customer, and of a seal, once a session is over."""
    code = bot.code or ""
    if SESSION_ACTION in code and "PS7SessionStart" not in code:
        found = f"the bot's own {SESSION_ACTION} makes no lookup: the first message is understood "
        yield caution(
            "session-start-calm",
            f"{found}without its customer",
            f"derive it from PS7SessionStart, and list it under `actions:` ({_OWN_START})",
        )
    if bot.session.get(_EXPIRY_STARTS) is False:
        found = (
            f"`{_EXPIRY_STARTS}: false` ends no session by a pause: on a shared device, the next "
        )
        how = "run action_ps7_forget when somebody says goodbye, and shorten PS7_MAX_AGE"
        yield caution("session-endless", f"{found}user meets the last one's customer", how)
    rules = rows(table((bot.endpoints or {}).get("privacy")).get("rules"))
    unreadable = {str(table(rule).get("slot")) for rule in rules}
    seals = [name for name, default in ours.items() if default == CONTEXT and name in unreadable]
    if seals and bot.session.get(_CARRY_OVER) is not False:
        found = (
            f"`privacy:` makes slot {seals[0]} unreadable, and a new session may carry it over: "
        )
        how = f"take {seals[0]} off its rules, since it is encrypted, or set `{_CARRY_OVER}: false`"
        yield caution("privacy-seal", f"{found}it then looks forged (`tampered`)", how)
