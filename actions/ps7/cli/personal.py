"""Which slots tell who a customer is. Pure."""

from __future__ import annotations

from ..slot_table import CUSTOMER_SLOTS, is_wire_name

_TELLS_NOBODY = {
    *("cpf_masked", "segment", "ivr_option"),
    *("identification", "security_device", "token_status", "ps7_expires_at"),
}
_PERSONAL = frozenset(CUSTOMER_SLOTS) - _TELLS_NOBODY


def is_personal(slot: str) -> bool:
    """Whether a slot, by its default name, tells who the customer is: too much for a prompt."""
    return slot in _PERSONAL or is_wire_name(slot)
