"""What may be shown of a customer without `--show`. Pure."""

from __future__ import annotations

from typing import Any

from ..cpf import mask
from ..slot_table import CONTEXT, STATUS

_OPEN_SLOTS = frozenset(
    {STATUS, "cpf_masked", "identification", "security_device", "token_status", "ps7_expires_at"}
)
"""They tell no customer from another, or are masked already."""
_OPEN_FIELDS = ("u_id", "u_dseg", "u_dsok")
_CODES = frozenset({"aut", "ide", "nid", "token", "csi", "none", "s", "n"})
"""What the interface documents for these."""
_FIELDS = frozenset(
    {
        *("u_cpf", "u_ag", "u_cc", "u_cssc", "u_seg", "u_dest", "u_numA", "u_tpid", *_OPEN_FIELDS),
        *("u_ion", "u_display", "u_ura", "u_fmt", "u_codop", "u_tag", "contexto"),
    }
)
"""The fields that the interface documents."""
_HIDDEN = ("ps7_key", "ps7_decoded_context_id")
"""Short ones, or what a contextId can be read from."""
_LEGIBLE = 2
_ENOUGH = 6
"""Characters from which on the last ones may be read: less is too easily guessed."""


def masked(slot: str, value: object) -> Any:  # noqa: ANN401 - a slot can be anything
    """Return what a slot, by its default name, may be shown as; null stays null."""
    if value is None or slot in _OPEN_SLOTS:
        return value
    if slot == CONTEXT:
        return "(sealed)"
    if slot == "ps7_payload":
        return masked_field("", value)
    text = str(value)
    if slot == "cpf":
        return mask(text) or stars(text)
    return "*" * len(text) if slot in _HIDDEN else stars(text)


def masked_field(name: str, value: object) -> Any:  # noqa: ANN401 - JSON can be anything
    """Return what a field of the payload may be shown as, and what is in it.

    A name that the interface does not document may be data itself: it shows its place alone.
    """
    if isinstance(value, dict):
        return {
            key if key in _FIELDS else f"({place})": masked_field(key, inner)
            for place, (key, inner) in enumerate(value.items(), 1)
        }
    if isinstance(value, list):
        return [masked_field(name, inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    shown = name in _OPEN_FIELDS and text.strip().lower() in _CODES
    return text if shown else stars(text)


def stars(text: str) -> str:
    """Mask a text but for its last two characters, if it is long enough for it."""
    legible = text[-_LEGIBLE:] if len(text) >= _ENOUGH else ""
    return "*" * (len(text) - len(legible)) + legible
