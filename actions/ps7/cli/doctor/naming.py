"""What the settings call slots, held against what the domain calls them.

Pure: a bot and two settings in, findings out.
"""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from ...slot_names import FILLED_BY_ACTIONS, SlotNames
from ...slot_table import CONTEXT, CUSTOMER_SLOTS, STATUS
from ..fragment import PORTUGUESE
from .finding import Finding, caution, error, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .bot import Bot, Slot

_IN_PORTUGUESE = {new: default for default, new in PORTUGUESE.items()}
_ALIKE = 0.85
"""How much a name must be like one of ours to be taken for a slip of the pen."""


def check(bot: Bot, renames: Mapping[str, str], to_clear: Sequence[str]) -> list[Finding]:
    """Check PS7_SLOT_NAMES, PS7_CLEAR_SLOTS, and names that stand where one of ours is meant."""
    names = SlotNames(renames)
    ours = names.among(bot.slots)
    return [
        *_doubles(bot, ours),
        *_renamed(bot, renames, ours),
        *_meant(bot, renames, ours),
        *_to_clear(bot, to_clear),
    ]


def _doubles(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    for name in bot.doubles.keys() & ours.keys():
        yield caution(
            "slot-twice",
            f"slot {name} is declared differently in {listed(list(bot.doubles[name]))}, and which "
            "of these Rasa reads first depends on the file system",
            "declare it once, or put the plugin's file into a folder below the bot's",
        )


def _renamed(bot: Bot, renames: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[Finding]:
    """Find new names that the domain does not know, though it seems to mean them.

    One that it knows in no form is no fault: what a bot does not need it does not declare.
    """
    idle = [slot.name for slot in bot.slots.values() if slot.name not in ours and _is_idle(slot)]
    for default, name in renames.items():
        if name in bot.slots or default in {STATUS, CONTEXT}:
            continue
        found = f"PS7_SLOT_NAMES calls {default} {name}, and the domain declares no {name}"
        how = f"rename the slot in the domain, or correct what PS7_SLOT_NAMES says of {default}"
        if default in bot.slots:
            found = f"{found}, but {default}, which is not written any more"
            yield error("slot-names", found, how)
        elif (meant := _like(name, idle)) is not None:
            yield caution("slot-names", f"{found}, but {meant}, which nothing fills", how)


def _meant(bot: Bot, renames: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[Finding]:
    """Find slots that nothing fills, and that look like one of ours which is not declared."""
    declared = {*ours.values(), *renames}
    absent = [name for name in (STATUS, CONTEXT, *CUSTOMER_SLOTS) if name not in declared]
    meant = {}
    for slot in bot.slots.values():
        if slot.name not in ours and _is_idle(slot):
            default = _IN_PORTUGUESE.get(slot.name) or _like(slot.name, absent)
            if default in absent:
                meant[default] = slot.name
    if meant:
        names = {**renames, **meant}
        yield caution(
            "slot-name",
            f"nothing fills slot {listed(list(meant.values()))}, which may be meant to be "
            f"{listed(list(meant))}",
            f"set PS7_SLOT_NAMES='{json.dumps(names)}', or give them the plugin's names",
        )


def _like(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, list(known), 1, _ALIKE)), None)


def _is_idle(slot: Slot) -> bool:
    return all(
        mapping.get("type") in FILLED_BY_ACTIONS and len(mapping) == 1 for mapping in slot.mappings
    )


def _to_clear(bot: Bot, to_clear: Sequence[str]) -> Iterator[Finding]:
    unknown = [name for name in to_clear if name not in bot.slots]
    if unknown:
        yield caution(
            "clear-slots",
            f"PS7_CLEAR_SLOTS names {listed(unknown)}, which the domain does not declare",
            "correct the name: a slot that stays behind shows one customer's data to the next",
        )
