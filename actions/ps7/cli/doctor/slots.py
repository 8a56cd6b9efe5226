"""The slots of ours that a bot's domain declares: which, how, and what else fills them.

Pure: a bot and the names of its slots in, findings out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...context import Identification, Outcome, SecurityDevice, TokenStatus
from ...slot_names import FILLED_BY_ACTIONS
from ...slot_table import CONTEXT, CUSTOMER_SLOTS, STATUS
from .finding import Finding, caution, error, listed, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...slot_names import SlotNames
    from .bot import Bot, Slot

CATEGORIES: dict[str, tuple[str, ...]] = {
    STATUS: tuple(value.value for value in Outcome),
    "identification": tuple(value.value for value in Identification),
    "security_device": tuple(value.value for value in SecurityDevice),
    "token_status": tuple(value.value for value in TokenStatus),
}
"""The categorical slots, and what the action writes into them."""
_NEEDED = {
    STATUS: "the dialogue cannot tell how a lookup ended",
    CONTEXT: "nothing is kept, and every turn asks PS7 again",
}
_DECIDES = frozenset({CONTEXT, *CATEGORIES})
"""Slots that a dialogue decides by: what else writes one of them decides too."""
_TEXT_TYPES = frozenset({"text", "any", "categorical"})
_MERGE = "merge the plugin's domain.yml, or take the slot over from it"


def check(bot: Bot, names: SlotNames) -> list[Finding]:
    """Check every slot of ours."""
    ours = names.among(bot.slots)
    found = [*_missing(names, bot)]
    if ours:
        found.append(_declared(ours))
    for name, default in ours.items():
        slot = bot.slots[name]
        found += [
            *_kind(slot, default),
            *_mappings(slot),
            *_filled_elsewhere(slot, default, bot),
            *_initial(slot, default),
        ]
    return found


def _missing(names: SlotNames, bot: Bot) -> Iterator[Finding]:
    for default, without_it in _NEEDED.items():
        name = names.of(default)
        if name not in bot.slots:
            word = default.removeprefix("ps7_")
            yield error(
                f"slot-{word}-missing", f"slot {name} is not declared: {without_it}", _MERGE
            )


def _declared(ours: Mapping[str, str]) -> Finding:
    declared = set(ours.values())
    table = [name for name in (STATUS, CONTEXT, *CUSTOMER_SLOTS) if name not in declared]
    without = f"; not declared, and so never written: {listed(table)}" if table else ""
    return ok("slots", f"the domain declares {listed(sorted(ours))} of ours{without}")


def _kind(slot: Slot, default: str) -> Iterator[Finding]:
    wanted = CATEGORIES.get(default)
    if wanted is None:
        types = frozenset({"any"}) if default == "ps7_payload" else _TEXT_TYPES
        if slot.type not in types:
            right = "any" if default == "ps7_payload" else "text"
            yield error(
                "slot-type",
                f"slot {slot.name} is of type {slot.type}, and the action writes "
                f"{'a whole object' if right == 'any' else 'text'}",
                f"declare it with `type: {right}`",
            )
    elif slot.type != "categorical":
        yield error(
            "slot-type",
            f"slot {slot.name} is of type {slot.type}: no rule can tell its values apart",
            f"declare it with `type: categorical` and `values: [{', '.join(wanted)}]`",
        )
    else:
        lacking = [value for value in wanted if value not in slot.values]
        if lacking:
            yield error(
                "slot-values",
                f"slot {slot.name} lacks the value{'s' if len(lacking) > 1 else ''} "
                f"{listed(lacking)}: the dialogue will not see it when it comes",
                f"declare it with `values: [{', '.join(wanted)}]`",
            )


def _mappings(slot: Slot) -> Iterator[Finding]:
    if not slot.mappings:
        yield error(
            "slot-unmapped",
            f"slot {slot.name} has no mapping: Rasa Open Source refuses it, and in Rasa Pro the "
            "language model fills it",
            "give it `mappings: [{type: custom}]`",
        )


def _filled_elsewhere(slot: Slot, default: str, bot: Bot) -> Iterator[Finding]:
    kinds = [str(mapping["type"]) for mapping in slot.mappings if "type" in mapping]
    others = [kind for kind in dict.fromkeys(kinds) if kind not in FILLED_BY_ACTIONS]
    forms = [form for form, asked in bot.forms.items() if slot.name in asked]
    asks = f"form {listed(forms)} asks for slot {slot.name}" if forms else ""
    if others:
        filled = f"{asks}, filled" if asks else f"slot {slot.name} is filled"
        without = f"; {_NEEDED[default]}" if default in _NEEDED else ""
        yield error(
            "slot-filled-elsewhere",
            f"{filled} by {listed(others)}: it is the bot's own, and the plugin leaves it alone"
            f"{without}",
            f"to have both, declare `customer_{default}` with the mapping `type: custom` and set "
            f'PS7_SLOT_NAMES={{"{default}": "customer_{default}"}}; to have the plugin\'s alone, '
            f"leave `type: custom` as the only mapping of {slot.name}, and ask for it in no form",
        )
    elif asks and default in _DECIDES:
        yield error(
            "slot-filled-elsewhere",
            f"{asks}: what a user says can stand where PS7's word should",
            "ask for it in no form",
        )
    elif asks:
        yield caution(
            "slot-filled-elsewhere",
            f"{asks}: until the next run it may hold what a user said, `ok` beside it",
            "run action_ps7_verify right before a sensitive step, or read `verified_context`; or "
            "give the bot's own slot another name",
        )


def _initial(slot: Slot, default: str) -> Iterator[Finding]:
    if not slot.initial_value:
        return
    found = f"slot {slot.name} has an initial_value: it claims a customer before PS7 was asked"
    if default in {STATUS, CONTEXT}:
        yield error("slot-initial-value", f"{found}, and counts as tampered", "remove it")
    else:
        yield caution("slot-initial-value", found, "remove it")
