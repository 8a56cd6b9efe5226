"""What may be shown of a customer without `--show`: what the table of slots calls not personal.

Pure.
"""

from __future__ import annotations

from typing import Any

from ..cpf import mask
from ..slots import CONTEXT, CUSTOMER_SLOTS, SLOTS, STATUS

_PERSONAL = {slot.wire for slot in SLOTS if slot.personal}
_OPEN = {slot.wire for slot in SLOTS if slot.wire} - _PERSONAL
_CODED = {slot.wire for slot in SLOTS if slot.values}
_CODES = frozenset({"aut", "ide", "nid", "token", "csi", "none", "s", "n"})
"""What the interface documents for the fields of categorical slots."""
_WITHOUT_A_SLOT = {"u_cssc", "u_ion", "u_display", "u_ura", "u_fmt", "u_codop", "u_tag", "contexto"}
_DOCUMENTED = _PERSONAL | _OPEN | _WITHOUT_A_SLOT
_LEGIBLE = 2
_ENOUGH = 6
"""Characters from which on the last ones may be read: less is too easily guessed."""


def masked(name: str, value: object) -> Any:  # noqa: ANN401 - a slot can be anything
    """Return what a slot, by its default name, may be shown as; null stays null."""
    slot = CUSTOMER_SLOTS.get(name)
    if value is None or name == STATUS or (slot is not None and not slot.personal):
        return value
    if name == CONTEXT:
        return "(sealed)"
    if name == "ps7_payload":
        return _masked_field("", value)
    text = str(value)
    if name == "cpf":
        return mask(text) or stars(text)
    # What stands beside the payload is short, or a contextId can be read from it.
    beside = slot is not None and slot.wire is None
    return "*" * len(text) if beside else stars(text)


def _masked_field(name: str, value: object) -> Any:  # noqa: ANN401 - JSON can be anything
    """Return what a field of the payload may be shown as, and what is in it.

    A name that the interface does not document may be data itself: it shows its place alone.
    """
    if isinstance(value, dict):
        return {
            key if key in _DOCUMENTED else f"({place})": _masked_field(key, inner)
            for place, (key, inner) in enumerate(value.items(), 1)
        }
    if isinstance(value, list):
        return [_masked_field(name, inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    open_ = name in _OPEN and (name not in _CODED or text.strip().lower() in _CODES)
    return text if open_ else stars(text)


def stars(text: str) -> str:
    """Mask a text but for its last two characters, if it is long enough for it."""
    legible = text[-_LEGIBLE:] if len(text) >= _ENOUGH else ""
    return "*" * (len(text) - len(legible)) + legible
