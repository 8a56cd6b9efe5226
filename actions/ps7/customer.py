"""The language of the plugin: the customer, their CPF, and the slots that show them.

Plain values only. Nothing here knows HTTP, a tracker or the settings. `SLOTS` has one row for each
slot of the customer. The projection, the domain fragment, what is masked and what a prompt or a
report may show derive from it. Adding a slot is one row, and an attribute of `CustomerContext` if a
bot's code is to read it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from stdnum.br import cpf as _register

from .outcomes import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from enum import Enum

# The CPF, Brazil's register number of natural persons

_CPF_LENGTH = 11
_CPF_FORM = re.compile(rf"\d{{{_CPF_LENGTH}}}", re.ASCII)
_ZERO_FILLED_LENGTH = 14
"""The neighbours of the PS7 interface state a CPF as 14 digits with zeros in front."""
_WRITTEN = re.compile(r"(000\.)?\d{3}\.\d{3}\.\d{3}-\d{2}|\d+(-\d+)*", re.ASCII)
"""How one is written, but for blanks. No dot elsewhere, as in a number with a fraction; and no
slash of a CNPJ, a company's number, whose last 11 digits may be a person's CPF."""
_MARKS = re.compile(r"[\s._-]")


def normalise_cpf(text: str) -> str:
    """Return the 11 digits of a CPF, whatever its punctuation.

    What is not written as one is returned unchanged. Digits of another length lose only their
    punctuation: nothing is filled up or cut off.
    """
    written = "".join(text.split())
    if not _WRITTEN.fullmatch(written):
        return text
    digits = written.replace(".", "").replace("-", "")
    if len(digits) == _ZERO_FILLED_LENGTH and digits.startswith("000"):
        return digits[-_CPF_LENGTH:]
    return digits


def has_cpf_form(text: str) -> bool:
    """Whether the text is 11 digits, as a normalised CPF is."""
    return _CPF_FORM.fullmatch(text) is not None


def is_valid_cpf(text: str) -> bool:
    """Whether the text is 11 digits whose last two check the others."""
    return has_cpf_form(text) and _register.is_valid(text)


def is_written_as_cpf(text: str) -> bool:
    """Whether the text is a valid CPF, whatever marks and zeros it is written with."""
    return is_valid_cpf(normalise_cpf(_MARKS.sub("", text)))


def mask_cpf(text: str | None) -> str | None:
    """Show the middle of a CPF, as in `***.456.789-**`; None unless it is 11 digits."""
    if text is None or not has_cpf_form(text):
        return None
    return f"***.{text[3:6]}.{text[6:9]}-**"


# Who the customer is


class Identification(Word):
    """How far the phone menu or the app knew the customer (`u_id`).

    Examples:
        >>> customer.identification is Identification.AUTHENTICATED
        True

    """

    AUTHENTICATED = "authenticated"
    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not_identified"


class SecurityDevice(Word):
    """The device that the customer has (`u_dseg`).

    Examples:
        >>> customer.security_device is SecurityDevice.TOKEN
        True

    """

    TOKEN = "token"  # noqa: S105 - the name of a device, not a secret
    CSI = "csi"
    NONE = "none"


class TokenStatus(Word):
    """Whether the device was checked (`u_dsok`), or is not there at all.

    Examples:
        >>> customer.token_status is TokenStatus.VALID
        True

    """

    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"


def is_blank(value: object) -> bool:
    """Whether a value is null or blank: as if its key were not there."""
    match value:
        case None:
            return True
        case str():
            return not value.strip()
    return False


def wire_text(value: object) -> str | None:
    """Read a value of the wire as text.

    Text is stripped, and blank text is None. A number becomes the text that the wire has. Any other
    type is None.
    """
    match value:
        case str():
            return value.strip() or None
        case bool():
            return None
        case int() | float():
            return str(value)
    return None


def field_text(payload: Mapping[str, Any], wire_name: str) -> str | None:
    """Read one field of a payload as text.

    A field that is missing or blank at the top is taken from `contexto`, the upstream payload.
    """
    text = wire_text(payload.get(wire_name))
    if text is None:
        upstream = payload.get("contexto")
        text = wire_text(upstream.get(wire_name)) if isinstance(upstream, dict) else None
    return text


class CustomerContext(BaseModel):
    """What PS7 said about the customer of one conversation.

    Every attribute but `expires_at` and `payload` may be None. A log may contain an instance: its
    `repr` shows only the categorical attributes. A test may make one.

    Raises:
        ValidationError: it is made of values of other types, or without `expires_at`.

    Examples:
        >>> maria = CustomerContext(cpf="52998224725", expires_at="2099-01-01T00:00Z")
        >>> maria.cpf_masked, maria.authenticated, maria.field("u_display")
        ('***.982.247-**', False, None)

    """

    # `from_attributes`: a host that reloads modules has instances of this class from before.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, from_attributes=True)

    cpf: str | None = None
    """Natural person's register number: 11 digits if PS7 sent one, zeros in front included."""
    agency: str | None = None
    account: str | None = None
    segment: str | None = None
    ivr_option: str | None = None
    """The option that was chosen in the 30-hours phone menu."""
    phone_number: str | None = None
    id_document: str | None = None
    identification: Identification | None = None
    security_device: SecurityDevice | None = None
    token_status: TokenStatus | None = None
    expires_at: datetime
    """Until when this may be used, in UTC."""
    key: str | None = None
    """The key that the interface made for this context."""
    decoded_context_id: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict)
    """The whole payload; from `verified_context` only what a seal keeps: the fields of slots that
    have names, and of declared ones. A number that a store may write in another way is its text.
    """

    @property
    def authenticated(self) -> bool:
        """Whether the customer proved who they are before the chat began."""
        return self.identification == Identification.AUTHENTICATED

    @property
    def token_valid(self) -> bool:
        """Whether the customer's device was checked and accepted."""
        return self.token_status == TokenStatus.VALID

    @property
    def cpf_masked(self) -> str | None:
        """The CPF for display, such as `***.456.789-**`. It is no protection."""
        return mask_cpf(self.cpf)

    def field(self, wire_name: str) -> str | None:
        """Return the text of one field of the payload, by its name on the wire."""
        return field_text(self.payload, wire_name)

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        for name in ("identification", "security_device", "token_status"):
            value = getattr(self, name)
            yield name, value.value if value else None


# The names in a bot's domain: slots and actions

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
    Slot("cpf_masked", "u_cpf", "cpf", show=mask_cpf, personal=False),
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
    CONTEXT: "every turn asks PS7 again, and no verification or log-out holds",
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
    differ = {}
    for name, value in wanted.items():
        here = present[name]
        if here != value or (type(here) is bool) != (type(value) is bool):
            differ[name] = value
    return differ


def same_customer(one: CustomerContext | None, other: CustomerContext | None) -> bool:
    """Whether two answers of PS7 are about one customer: all of `PERSON_SLOTS` are the same.

    The other fields change from lookup to lookup: a token is validated, time goes on. Without a
    CPF, one customer cannot be told from another.
    """
    if one is None or other is None:
        return False
    same = all(getattr(one, name) == getattr(other, name) for name in PERSON_SLOTS)
    return one == other or (one.cpf is not None and same)
