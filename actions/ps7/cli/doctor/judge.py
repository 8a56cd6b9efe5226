"""What a bot makes of our slots: which it declares and how, what else fills them, what runs us.

Pure: a bot and two settings in, findings out. `rasa data validate` checks the rest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...customer import (
    CONTEXT,
    CONTEXT_ACTION,
    CUSTOMER_SLOTS,
    FILLED_BY_ACTIONS,
    NEEDED,
    SESSION_ACTION,
    STATUS,
    SlotNames,
    is_personal,
)
from ..bot.code import COPY
from ..bot.content import OURS, filled_by, influences, mappings
from ..bot.yaml import rows, table
from ..findings import Finding, finding, listed
from ..masking import VALUES
from ..output import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..bot.content import Bot

_VALIDATES = "action_validate_slot_mappings"
_RASAS_SESSION = 60
"""Minutes without a message after which Rasa starts a new session, if the domain has none."""
_CARRY_OVER = "carry_over_slots_to_new_session"
_EXPIRY_STARTS = "start_session_after_expiry"
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
        key = f"slot-{default.removeprefix('ps7_')}-missing"
        yield finding(key, name=names.of(default), harm=NEEDED[default])
    if written := sorted(name for name in ours if not filled_by(bot.slots[name])):
        never = f"; never written: {listed([*map(names.of, absent)])}" if absent else ""
        yield finding("slots", written=listed(written), never=never)
    for name, default in ours.items():
        yield from _declared(bot, name, default)
        yield from _filled_elsewhere(bot, name, default)
        if not mappings(bot.slots[name]):
            yield finding("slot-unmapped", name=name, custom=custom)
    yield from _twice(bot, ours)
    yield from _not_written(bot, names, renames)
    not_ours = {old: new for old, new in renames.items() if old not in (*ours, *to_clear)}
    if kept := [old for old, new in not_ours.items() if _was_the_plugins(bot, old, new)]:
        yield finding("slot-renamed", names=listed(kept))
    if unknown := [name for name in to_clear if name not in bot.slots]:
        yield finding("clear-slots", names=listed(unknown))


def _was_the_plugins(bot: Bot, old: str, new: str) -> bool:
    """Whether a slot is declared beside its new name, and alike: `init` leaves the bot's apart."""
    both = [table(content.get("slots")) for _, content in bot.domain_files]
    return any(old in slots and slots[old] == slots.get(new) for slots in both)


def _custom(bot: Bot) -> str:
    """Return the mapping that lets only actions fill a slot, in the words of the bot's Rasa."""
    return "controlled" if bot.is_calm else "custom"


def _declared(bot: Bot, name: str, default: str) -> Iterator[Finding]:
    kind, values = str(bot.slots[name].get("type")), VALUES.get(default, [])
    held = [str(value).lower() for value in rows(bot.slots[name].get("values"))]
    lacking = [value for value in values if value not in held]
    right = "categorical" if values else "any" if default == "ps7_payload" else "text"
    one_of = f" and `values: [{', '.join(values)}]`" if values else ""
    said = {"name": name, "right": right, "values": one_of}
    if kind != right and not (right == "text" and kind in {"any", "categorical"}):
        yield finding("slot-type", kind=kind, **said)
    elif lacking:
        yield finding("slot-values", lacking=listed(lacking), **said)


def _filled_elsewhere(bot: Bot, name: str, default: str) -> Iterator[Finding]:
    forms = [form for form, asked in bot.forms.items() if name in rows(asked.get("required_slots"))]
    asks = f"form {listed(forms)} asks for slot {name}" if forms else ""
    if others := filled_by(bot.slots[name]):
        said = {
            "filled": f"{asks}, filled" if asks else f"slot {name} is filled",
            "others": listed(others),
            "without": f"; {NEEDED[default]}" if default in NEEDED else "",
        }
        key = "slot-filled-elsewhere"
        yield finding(key, name=name, default=default, custom=_custom(bot), **said)
    elif asks:
        decides = default == CONTEXT or default in VALUES  # what a dialogue branches on
        yield finding(f"slot-filled-elsewhere:{'decides' if decides else 'tells'}", asks=asks)


def _twice(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Find slots that two files declare for different purposes: one of them is not had."""
    declared = defaultdict[str, dict[Path, list[str]]](dict)
    for file, content in bot.domain_files:
        for name, slot in table(content.get("slots")).items():
            declared[name][file] = filled_by(table(slot))
    for name, places in declared.items():
        if any(others != next(iter(places.values())) for others in places.values()):
            is_ours = name in ours and any(file.parent.name == COPY for file in places)
            key = "slot-twice" if is_ours else "slot-twice:own"
            yield finding(key, files=listed([*map(str, places)]), name=name)


def _not_written(bot: Bot, names: SlotNames, renames: Mapping[str, str]) -> Iterator[Finding]:
    """Find slots of the plugin's own file that the plugin does not write: names are not set."""
    for file, content in bot.domain_files:
        slots, whole = table(content.get("slots")), file.parent.name == COPY
        unset = slots.keys() - names.among(slots)
        idle = [name for name in unset if whole or renames.get(name, name) not in bot.slots]
        if idle and (whole or names.status in slots):
            yield finding("slot-names", file=file, names=listed(sorted(idle)))


def check_runs(bot: Bot) -> Iterator[Finding]:
    """Return what runs the lookup, and what may undo what it wrote."""
    runs = _runs(bot)
    yield runs
    if bot.own_session_start and runs.level is Mark.OK:
        yield finding("session-start-early")
    session_start = [] if bot.looks_up_at_start is False else [SESSION_ACTION]
    without = [name for name in (*OURS, *session_start) if bot.actions.get(name) is False]
    endpoint = table((bot.endpoints or {}).get("action_endpoint"))
    if endpoint.get("enable_selective_domain") and without:
        yield finding("domain-not-sent", names=listed(without), first=without[0])
    if _VALIDATES in bot.actions:
        yield finding("slot-validation")


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
        return finding("runs", ways=listed(ways))
    key = "run_action_every_turn" if bot.is_calm else "action"
    every_turn = "merge the plugin's domain.yml, whose slot ps7_status has the mapping "
    every_turn += f"`type: {_custom(bot)}, {key}: {CONTEXT_ACTION}` without conditions"
    if bot.looks_up_at_start is not False:
        name = "runs-at-start"
    elif STATUS in bot.slots and bot.has_session_start:
        name = "session-start-own"
    else:
        name = "runs-unknown" if bot.scripts is None else "runs-never"
    return finding(name, every_turn=every_turn)


def check_dialogue(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check what reads our slots, and what writes them. `ours`: the bot's name to the default."""
    for name in ours:
        waiting = [each.title for each in bot.scripts or () if name in each.names("slot_was_set")]
        if waiting and not influences(bot.slots[name]):
            yield finding("condition-ignored", titles=listed(waiting), name=name)
        comparing = [each.title for each in bot.scripts or () if each.compares(name)]
        if comparing and bot.slots[name].get("type") == "text":
            yield finding("condition-value", titles=listed(comparing), name=name)
    yield from _quoted(bot, ours)
    if bot.is_calm:
        yield from _calm(bot, ours)


def check_session(bot: Bot, max_age: float) -> Iterator[Finding]:
    """Check `PS7_MAX_AGE`, in seconds, against the time of a session."""
    minutes = bot.session.get("session_expiration_time", _RASAS_SESSION)
    if isinstance(minutes, (int, float)) and 0 < minutes * 60 < max_age:
        yield finding("max-age", age=max_age, minutes=minutes)


def _quoted(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check for responses that quote a customer, who may be another one by now."""
    for response, variations in bot.responses.items():
        said = [item for each in map(table, rows(variations)) for item in each.items()]
        filled_in = str([value for key, value in said if key in _FILLED_IN])
        quotes = {name: ours.get(name, "") for name in _VARIABLE.findall(filled_in)}
        # A masked CPF may be shown, and only to its owner.
        tell = [name for name, own in quotes.items() if is_personal(own) or own == "cpf_masked"]
        if tell:
            yield finding("response-quotes", response=response, names=listed(tell))


def _calm(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check what differs if a language model takes part."""
    raw = [name for name, default in ours.items() if is_personal(default)]
    if raw:
        yield finding("calm-personal", names=listed(raw))
    alone = [name for name in ours if not bot.slots[name].get("shared_for_coexistence")]
    if alone and "BasedRouter" in str(bot.config):
        yield finding("calm-coexistence", names=listed(alone))
    yield from _calm_sessions(bot, ours)
    for flow in bot.scripts or ():
        for key, does in (("collect", "collects"), ("set_slots", "sets")):
            for name in (each for each in flow.names(key) if each in ours):
                yield finding("flow-writes", flow=flow.title, does=does, name=name)
        guard = dict.fromkeys(_SLOT.findall(str(flow.content.get("if"))))
        read = [name for name in guard if name in ours]
        if read:
            yield finding("flow-guard", flow=flow.title, names=listed(read))
    for tests in bot.e2e_tests:
        stubbed = {name.rpartition("::")[2] for name in table(tests.get("stub_custom_actions"))}
        always = [CONTEXT_ACTION, *([SESSION_ACTION] if bot.has_session_start else [])]
        if lacking := [name for name in always if name not in stubbed]:
            yield finding("e2e-stubs", names=listed(lacking))


def _calm_sessions(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check what becomes of a customer, and of a seal, once a session is over."""
    if bot.session.get(_EXPIRY_STARTS) is False:
        yield finding("session-endless")
    rules = rows(table((bot.endpoints or {}).get("privacy")).get("rules"))
    unreadable = [str(rule["slot"]) for rule in map(table, rules) if "slot" in rule]
    if unknown := [name for name in unreadable if name not in bot.slots]:
        yield finding("privacy-slots", names=listed(unknown))
    seals = [name for name, default in ours.items() if default == CONTEXT and name in unreadable]
    if seals and bot.session.get(_CARRY_OVER) is not False:
        yield finding("privacy-seal", name=seals[0])
