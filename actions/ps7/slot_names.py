"""Which slots of a bot are ours: the names that it gave them, and those that it fills itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .slot_table import FIXED_NAMES, is_default_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILLED_BY_ACTIONS = frozenset({"custom", "controlled"})
"""The mappings that let actions alone write a slot; the second is Rasa Pro's word for the first."""


def filled_otherwise(domain: object, names: Iterable[str]) -> dict[str, str]:
    """Return which of these slots a domain fills by itself, each with the mapping that does.

    Such a slot is the bot's own: a form asks for it, or an entity stands in it. What is not of the
    expected type counts as not there.
    """
    slots = domain.get("slots") if isinstance(domain, dict) else None
    if not isinstance(slots, dict):
        return {}
    found = {}
    for name in names:
        slot = slots.get(name)
        mappings = slot.get("mappings") if isinstance(slot, dict) else None
        for mapping in mappings if isinstance(mappings, list) else ():
            kind = mapping.get("type") if isinstance(mapping, dict) else None
            if isinstance(kind, str) and kind not in FILLED_BY_ACTIONS:
                found[name] = kind
                break
    return found


class SlotNames:
    """Which slots of a bot are ours, after `PS7_SLOT_NAMES`.

    A default name that was renamed is the bot's own again and never touched, unless another slot of
    ours was given that very name.
    """

    def __init__(self, renames: Mapping[str, str]) -> None:
        """Take the renames: default name to the bot's name.

        Raises:
            ValueError: a key is no slot of ours, or two slots would share one name.

        """
        self._renamed = dict(renames)
        self._default_of = {new: default for default, new in renames.items()}
        if not all(is_default_name(default) for default in renames):
            raise ValueError
        taken = (name for name in self._default_of if name not in renames)
        if len(self._default_of) < len(renames) or any(name in FIXED_NAMES for name in taken):
            raise ValueError

    def of(self, default: str) -> str:
        """Return the bot's name of a slot."""
        return self._renamed.get(default, default)

    def among(self, declared: Iterable[str]) -> dict[str, str]:
        """Pick our slots from those that a domain declares: the bot's name to the default one."""
        ours = {}
        for name in declared:
            default = self._default_of.get(name)
            if default is None and name not in self._renamed and is_default_name(name):
                default = name
            if default is not None:
                ours[name] = default
        return ours
