"""The slots of ours that a bot's domain declares: which, how, and what else fills them.

Pure: a bot and the names of its slots in, findings out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...context import Identification, Outcome, SecurityDevice, TokenStatus
from ...slot_names import CONTEXT, CUSTOMER_SLOTS, STATUS
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
FILLED_BY_ACTIONS = frozenset({"custom", "controlled"})
"""The mappings that let actions alone write a slot; the second is Rasa Pro's word for the first."""
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
    others = [str(m.get("type")) for m in slot.mappings if m.get("type") not in FILLED_BY_ACTIONS]
    others += [f"form {form}" for form, asked in bot.forms.items() if slot.name in asked]
    if not others:
        return
    found = f"slot {slot.name} is also filled by {listed(list(dict.fromkeys(others)))}"
    if default in _DECIDES:
        yield error(
            "slot-filled-elsewhere",
            f"{found}: what a user says can stand where PS7's word should",
            "leave `type: custom` as its only mapping (Rasa Pro: `controlled`), and ask for it in "
            "no form",
        )
    else:
        yield caution(
            "slot-filled-elsewhere",
            f"{found}: until the next run it may hold what a user said, `ok` beside it",
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
