"""What may be shown of a customer without `--show`: by the name of a slot or field, and by value.

A form, an entity or an attacker may write anything into any slot, so a name alone opens nothing: a
closed slot is shown if it has one of its values, and digits that could be a CPF or an account are
masked wherever they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..customer import CONTEXT, CUSTOMER_SLOTS, SLOTS, STATUS, mask_cpf
from ..lookup.wire import CODES, UNUSED, UPSTREAM_ACCOUNT
from ..outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

VALUES = {
    STATUS: [outcome.value for outcome in Outcome],
    **{slot.name: [each.value for each in slot.values] for slot in SLOTS if slot.values},
}
"""Of the categorical slots, by default name, what the action writes into them."""
_FORMS = {
    "cpf_masked": re.compile(r"\*{3}\.\d{3}\.\d{3}-\*\*", re.ASCII),
    "ps7_expires_at": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", re.ASCII),
}
_EXPIRY = re.compile(
    r"\d{1,10}|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_CODE = re.compile(r"(?!.*\d{5})-?\w{1,20}", re.ASCII)
_NUMBER = re.compile(r"\d(?:[ ./-]{0,2}\d){4,}")
"""Five digits or more, as an account, a CPF or a phone number is written."""
_PERSONAL = {slot.wire for slot in SLOTS if slot.personal}
_OPEN = {slot.wire for slot in SLOTS if slot.wire} - _PERSONAL
_DOCUMENTED = _PERSONAL | _OPEN | UNUSED | {UPSTREAM_ACCOUNT, "payload", "data"}
_ENVELOPE = {"code": _CODE, "message": None, "expireIn": _EXPIRY}
_SECRET = {"key", "decodedContextId"}
_NAME = re.compile(r"(?!(?:.*\d){5})[A-Za-z_][\w-]{0,39}", re.ASCII)
_LEGIBLE, _ENOUGH = 2, 6
"""How many of the last characters may be read, and from which length on: less is guessed."""
_LONGEST = 60
"""Characters of a shape."""


def masked(name: str, value: object, arrived: Collection[str] = ()) -> Any:
    """Return what a slot, by its default name, may be shown as; null stays null.

    `arrived`: the contextIds that are known; one of them is shown in no slot.
    """
    if value is None or value in VALUES.get(name, ()):
        return value
    if name == CONTEXT:
        return "(sealed)"
    if name == "ps7_payload":
        return masked_field(value)
    text, slot = str(value), CUSTOMER_SLOTS.get(name)
    if any(each == text or (len(each) >= _ENOUGH and each in text) for each in arrived):
        return "*" * len(text)
    if name in _FORMS and _FORMS[name].fullmatch(text):
        return text
    if name == "cpf":
        return mask_cpf(text) or stars(text)
    if name == STATUS or (slot is not None and not slot.personal):
        return _without_numbers(text)
    # What is beside the payload is short, or a contextId can be read from it.
    beside = slot is not None and slot.wire is None
    return "*" * len(text) if beside else stars(text)


def masked_field(value: object, name: str = "") -> Any:
    """Return what a field of PS7's answer may be shown as, and what is in it.

    What the interface does not document is shown by its shape, and so is a name that could be data.
    """
    if isinstance(value, dict):
        return {shown_name(key): masked_field(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked_field(inner, name) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    if name in _SECRET:
        return "*" * len(text)
    if name in _OPEN and (name not in CODES or text.strip().lower() in CODES[name]):
        return _without_numbers(text)
    if name in _DOCUMENTED:
        return stars(text)
    allowed = _ENVELOPE.get(name)
    return text if allowed is not None and allowed.fullmatch(text) else shape(text)


def without(value: Any, secrets: Mapping[str, str]) -> Any:
    """Return JSON with the names of secrets in their places, also where somebody repeats them."""
    if isinstance(value, dict):
        return {without(key, secrets): without(part, secrets) for key, part in value.items()}
    if isinstance(value, list):
        return [without(part, secrets) for part in value]
    for secret, name in secrets.items() if isinstance(value, str) else ():
        value = value.replace(secret, f"({name})")
    return value


def shown_name(name: str) -> str:
    """Return the name of a field, or its shape if it could be data itself."""
    return name if name in _DOCUMENTED or _NAME.fullmatch(name) else f"({shape(name)})"


def shape(text: str) -> str:
    """Return a text with 9 for each digit, a for each letter and ? for what ASCII does not have."""
    shown = (
        "9" if char.isdigit() else "a" if char.isalpha() else char if char.isascii() else "?"
        for char in text[:_LONGEST]
    )
    return "".join(shown) + (f"… ({len(text)})" if len(text) > _LONGEST else "")


def stars(text: str) -> str:
    """Mask a text but for its last two characters, if it is long enough for it."""
    legible = text[-_LEGIBLE:] if len(text) >= _ENOUGH else ""
    return "*" * (len(text) - len(legible)) + legible


def _without_numbers(text: str) -> str:
    return _NUMBER.sub(lambda found: stars(found[0]), text)
