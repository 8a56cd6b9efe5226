"""The projection: what each slot of ours should hold, and only what differs. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..slot_table import CONTEXT, CUSTOMER_SLOTS, SLOTS, STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..context import CustomerContext

PERSON_SLOTS = tuple(slot.name for slot in SLOTS if slot.personal and slot.wire)
"""Slots that tell one customer from another. What else is personal changes with each answer."""


def project(ours: Mapping[str, str], customer: CustomerContext | None) -> dict[str, Any]:
    """Return what the slots of a customer should hold: null, all of them, where there is none.

    `ours` maps the bot's name of each declared slot of ours to its default name. The status and the
    seal are no part of the projection.
    """
    return {
        name: None if customer is None else _value(customer, default)
        for name, default in ours.items()
        if default not in (STATUS, CONTEXT)
    }


def differing(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what the tracker does not hold yet: every SlotSet is an event, the same value too."""
    return {name: value for name, value in wanted.items() if not _same(present.get(name), value)}


def _value(customer: CustomerContext, name: str) -> Any:  # noqa: ANN401 - a slot can be anything
    slot = CUSTOMER_SLOTS.get(name)
    if slot is None or slot.attribute is None:
        return customer.field((slot and slot.wire) or name)
    value = getattr(customer, slot.attribute)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value


def _same(present: object, wanted: object) -> bool:
    """Compare as JSON does: `true` is not 1, but 1 is 1.0, as numbers come back over gRPC."""
    return present == wanted and isinstance(present, bool) == isinstance(wanted, bool)


def same_customer(one: CustomerContext | None, other: CustomerContext | None) -> bool:
    """Whether two answers of PS7 speak of one customer: the same CPF, agency and account.

    What else PS7 says changes from lookup to lookup: a token is validated, time goes on. Without a
    CPF, one customer cannot be told from another.
    """
    if one is None or other is None:
        return False
    persons = [(each.cpf, each.agency, each.account) for each in (one, other)]
    return one == other or (one.cpf is not None and persons[0] == persons[1])
