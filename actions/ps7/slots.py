"""The names in a bot's domain: the slots, what each should have, and the actions. Pure.

`SLOTS` has one row for each slot of the customer. The projection, the domain fragment, what is
masked and what a prompt or a report may show derive from it. Adding a slot is one row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from . import cpf
from .context import Identification, SecurityDevice, TokenStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime
    from enum import Enum

    from .context import CustomerContext

STATUS = "ps7_status"
CONTEXT = "ps7_context"
CONTEXT_ACTION = "action_ps7_context"
VERIFY_ACTION = "action_ps7_verify"
FORGET_ACTION = "action_ps7_forget"
SESSION_ACTION = "action_session_start"
"""Rasa's name of the action that starts a session."""


def _iso_8601(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


class Slot(NamedTuple):
    """One slot of the customer, by its default name."""

    name: str
    wire: str | None = None
    """The field of PS7's payload that it comes from; None: from elsewhere in the answer."""
    attribute: str | None = None
    """The attribute of `CustomerContext` that it shows; None: the text of `wire`."""
    values: type[Enum] | None = None
    """Of a categorical slot."""
    show: Callable[[Any], Any] | None = None
    """How it shows the attribute; None: as it is."""
    personal: bool = True
    """Whether it tells who the customer is: masked, and too much for a prompt."""
    declared: bool = True
    """Whether the fragment declares it; otherwise the fragment has it as a comment."""


SLOTS = (
    Slot("cpf", "u_cpf", "cpf"),
    Slot("cpf_masked", "u_cpf", "cpf", show=cpf.mask, personal=False),
    Slot("agency", "u_ag", "agency"),
    Slot("account", "u_cc", "account"),
    Slot("segment", "u_seg", "segment", personal=False),
    Slot("ivr_option", "u_dest", "ivr_option", personal=False),
    Slot("phone_number", "u_numA", "phone_number", declared=False),
    Slot("id_document", "u_tpid", "id_document", declared=False),
    Slot("identification", "u_id", "identification", Identification, str, personal=False),
    Slot("security_device", "u_dseg", "security_device", SecurityDevice, str, personal=False),
    Slot("token_status", "u_dsok", "token_status", TokenStatus, str, personal=False),
    Slot("ps7_expires_at", None, "expires_at", show=_iso_8601, personal=False),
    Slot("ps7_key", None, "key", declared=False),
    Slot("ps7_decoded_context_id", None, "decoded_context_id", declared=False),
    Slot("ps7_payload", None, "payload", declared=False),
)
CUSTOMER_SLOTS = {slot.name: slot for slot in SLOTS}
"""What a context is projected on, beside one slot for each field of the wire."""
NEEDED = {
    STATUS: "the dialogue cannot tell how a lookup ended",
    CONTEXT: "nothing can be kept, and every run looks the customer up again",
}
"""Slots that a bot must declare, and what happens without each."""
FIXED_NAMES = frozenset((STATUS, CONTEXT, *CUSTOMER_SLOTS))
PERSON_SLOTS = tuple(slot.name for slot in SLOTS if slot.personal and slot.wire)
"""Slots that tell one customer from another. What else is personal changes with each answer."""
SHARED_SLOTS = tuple(slot.name for slot in SLOTS if not slot.personal and slot.wire)
"""What a person who takes over may know: it tells no customer from another."""
FILLED_BY_ACTIONS = frozenset({"custom", "controlled"})
"""The mappings that let only actions write a slot; Rasa Pro calls the first one the second."""

_ATTRIBUTES = {slot.name: (slot.attribute, slot.show) for slot in SLOTS if slot.attribute}
_WIRE = {slot.name: slot.wire for slot in SLOTS if slot.wire}
_KEPT = frozenset(_WIRE.values())
"""Fields that every seal keeps: `CustomerContext` has attributes of them."""
_NESTED = (dict, list)
_WIRE_NAME = re.compile(r"u_\w+", re.ASCII)


def is_wire_name(name: str) -> bool:
    """Whether a slot is named as a field of PS7's payload: `u_…`."""
    return _WIRE_NAME.fullmatch(name) is not None


def is_default_name(name: str) -> bool:
    """Whether a slot of this name is the plugin's, if nothing was renamed."""
    return name in FIXED_NAMES or is_wire_name(name)


def is_personal(name: str) -> bool:
    """Whether a slot, by its default name, tells who the customer is; a field of the wire may."""
    slot = CUSTOMER_SLOTS.get(name)
    return is_wire_name(name) if slot is None else slot.personal


def sealed_payload(payload: dict[str, Any], ours: Mapping[str, str]) -> dict[str, Any]:
    """Return the part of a payload that a seal keeps: what the bot's domain declares.

    That is all of it for `ps7_payload`; else the fields that `SLOTS` come from and those that are
    declared as `u_…`, at the top of the payload and in its `contexto`.
    """
    declared = ours.values()
    if "ps7_payload" in declared:
        return payload
    names, upstream = _KEPT.union(declared), payload.get("contexto")
    kept = _fields(payload, names)
    if isinstance(upstream, dict):
        kept["contexto"] = _fields(upstream, names)
    return kept


def _fields(source: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {n: v for n, v in source.items() if n in names and type(v) not in _NESTED}


def filled_otherwise(domain: object, names: Iterable[str]) -> dict[str, str]:
    """Return which of these slots a domain fills by itself, each with the mapping that does.

    Such a slot is the bot's own: a form or an entity fills it. What is not of the expected type is
    ignored.
    """
    found: dict[str, str] = {}
    match domain:
        case {"slots": dict(slots)}:
            declared = slots.keys() & names
        case _:
            return {}
    for name in declared:
        match slots[name]:
            case {"mappings": [*mappings]}:
                for mapping in mappings:
                    match mapping:
                        case {"type": str(kind)} if kind not in FILLED_BY_ACTIONS:
                            found.setdefault(name, kind)
    return found


class SlotNames:
    """Which slots of a bot are the plugin's, after `PS7_SLOT_NAMES`.

    A default name that was renamed is the bot's own again and never touched, unless another slot of
    the plugin was given that very name.
    """

    def __init__(self, renames: Mapping[str, str]) -> None:
        """Take the renames: default name to the bot's name.

        ValueError: a key is not a slot of the plugin, or two slots would share one name.
        """
        self._renamed = dict(renames)
        self._default_of = {new: default for default, new in renames.items()}
        if not all(is_default_name(default) for default in renames):
            raise ValueError
        taken = (name for name in self._default_of if name not in renames)
        if len(self._default_of) < len(renames) or any(name in FIXED_NAMES for name in taken):
            raise ValueError
        self.status, self.context = self.of(STATUS), self.of(CONTEXT)

    def of(self, default: str) -> str:
        """Return the bot's name of a slot."""
        return self._renamed.get(default, default)

    def among(self, declared: Iterable[str]) -> dict[str, str]:
        """Pick the plugin's slots from those declared: the bot's name of each to its default."""
        ours = {}
        for name in declared:
            default = self._default_of.get(name)
            if default is None and name not in self._renamed and is_default_name(name):
                default = name
            if default is not None:
                ours[name] = default
        return ours


def project(ours: Mapping[str, str], customer: CustomerContext | None) -> dict[str, Any]:
    """Return what the slots of a customer should have; all of them are null if there is none.

    `ours` maps the bot's name of each declared slot of the plugin to its default name. The status
    and the seal are not part of the projection.
    """
    attributes = {} if customer is None else vars(customer)
    shown: dict[str, Any] = {}
    for name, default in ours.items():
        if default in (STATUS, CONTEXT):
            continue
        if customer is None:
            value = None
        elif default in _ATTRIBUTES:
            attribute, show = _ATTRIBUTES[default]
            value = attributes[attribute]
            value = value if value is None or show is None else show(value)
        else:
            value = customer.field(_WIRE.get(default, default))
        shown[name] = value
    return shown


def differing(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is not present yet: every SlotSet is an event, the same value too.

    `present` has a value, or null, for each slot that is wanted. Values are compared as JSON does:
    `true` is not 1, but 1 is 1.0, as numbers come back over gRPC.
    """
    return {
        name: value
        for name, value in wanted.items()
        if (here := present[name]) != value or (type(here) is bool) != (type(value) is bool)
    }


def same_customer(one: CustomerContext | None, other: CustomerContext | None) -> bool:
    """Whether two answers of PS7 are about one customer: the same CPF, agency and account.

    The other fields change from lookup to lookup: a token is validated, time goes on. Without a
    CPF, one customer cannot be told from another.
    """
    if one is None or other is None:
        return False
    persons = [(each.cpf, each.agency, each.account) for each in (one, other)]
    return one == other or (one.cpf is not None and persons[0] == persons[1])
