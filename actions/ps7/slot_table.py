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
    portuguese: str | None = None
    """Its name in a fragment with Portuguese names; None: the same."""
    about: str = ""
    """What the fragment says beside it."""


SLOTS = (
    Slot("cpf", "u_cpf", "cpf", about="11 digits"),
    Slot(
        *("cpf_masked", "u_cpf", "cpf_masked"),
        personal=False,
        portuguese="cpf_mascarado",
        about="***.456.789-**, for display",
    ),
    Slot("agency", "u_ag", "agency", portuguese="agencia"),
    Slot("account", "u_cc", "account", portuguese="conta"),
    Slot(
        *("segment", "u_seg", "segment"),
        personal=False,
        portuguese="segmento",
        about="as PS7 sends it; greet by it in a conditional response",
    ),
    Slot(
        *("ivr_option", "u_dest", "ivr_option"),
        personal=False,
        portuguese="opcao_ura",
        about="the option chosen in the 30-hours phone menu",
    ),
    Slot("phone_number", "u_numA", "phone_number", declared=False, portuguese="telefone"),
    Slot("id_document", "u_tpid", "id_document", declared=False, portuguese="documento"),
    Slot(
        *("identification", "u_id", "identification", Identification),
        personal=False,
        portuguese="identificacao",
    ),
    Slot(
        *("security_device", "u_dseg", "security_device", SecurityDevice),
        personal=False,
        portuguese="dispositivo_seguranca",
    ),
    Slot(
        *("token_status", "u_dsok", "token_status", TokenStatus),
        personal=False,
        portuguese="situacao_token",
    ),
    Slot("ps7_expires_at", None, "expires_at", personal=False),
    Slot(
        *("ps7_key", None, "key"),
        declared=False,
        about="the key that the interface made for this context",
    ),
    Slot("ps7_decoded_context_id", None, "decoded_context_id", declared=False),
    Slot(
        *("ps7_payload", None, "payload"),
        declared=False,
        about="the whole answer, `contexto` included",
    ),
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
