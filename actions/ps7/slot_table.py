"""What the slots are: one row for each slot of the customer. Whatever speaks of slots reads this.

The projection, the domain fragment, what is masked and what may stand in a prompt or a report
derive from it. Adding a slot is one row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .context import Identification, SecurityDevice, TokenStatus

if TYPE_CHECKING:
    from enum import Enum

STATUS = "ps7_status"
CONTEXT = "ps7_context"


class Slot(NamedTuple):
    """One slot of the customer, by its default name."""

    name: str
    wire: str | None = None
    """The field of PS7's payload that it comes from; None: what stands elsewhere in the answer."""
    attribute: str | None = None
    """The attribute of `CustomerContext` that it shows; None: the text of `wire`."""
    values: type[Enum] | None = None
    """Of a categorical slot."""
    personal: bool = True
    """Whether it tells who the customer is: masked, and too much for a prompt."""
    declared: bool = True
    """Whether the fragment declares it; otherwise it stands there as a comment."""


SLOTS = (
    Slot("cpf", "u_cpf", "cpf"),
    Slot("cpf_masked", "u_cpf", "cpf_masked", personal=False),
    Slot("agency", "u_ag", "agency"),
    Slot("account", "u_cc", "account"),
    Slot("segment", "u_seg", "segment", personal=False),
    Slot("ivr_option", "u_dest", "ivr_option", personal=False),
    Slot("phone_number", "u_numA", "phone_number", declared=False),
    Slot("id_document", "u_tpid", "id_document", declared=False),
    Slot("identification", "u_id", "identification", Identification, personal=False),
    Slot("security_device", "u_dseg", "security_device", SecurityDevice, personal=False),
    Slot("token_status", "u_dsok", "token_status", TokenStatus, personal=False),
    Slot("ps7_expires_at", None, "expires_at", personal=False),
    Slot("ps7_key", None, "key", declared=False),
    Slot("ps7_decoded_context_id", None, "decoded_context_id", declared=False),
    Slot("ps7_payload", None, "payload", declared=False),
)
CUSTOMER_SLOTS = {slot.name: slot for slot in SLOTS}
"""What a context is projected on, beside one slot for each field of the wire."""
FIXED_NAMES = frozenset((STATUS, CONTEXT, *CUSTOMER_SLOTS))

_WIRE_NAME = re.compile(r"u_\w+", re.ASCII)


def is_wire_name(name: str) -> bool:
    """Whether a slot is named as a field of PS7's payload: `u_…`."""
    return _WIRE_NAME.fullmatch(name) is not None


def is_default_name(name: str) -> bool:
    """Whether a slot of this name is ours where nothing was renamed."""
    return name in FIXED_NAMES or is_wire_name(name)


def is_personal(name: str) -> bool:
    """Whether a slot, by its default name, tells who the customer is; a field of the wire may."""
    slot = CUSTOMER_SLOTS.get(name)
    return is_wire_name(name) if slot is None else slot.personal
