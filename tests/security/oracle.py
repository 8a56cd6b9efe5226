"""What must hold after a run, whatever was tried before it.

The slots say exactly what PS7 said about the contextId that the channel brought, or the status is
not `ok` and every slot of a customer is null; and an action of the bot that reads the seal is told
of no other customer. One thing is left to the bot: while nothing of ours is held and no status
claims `ok`, the slots are its own, and what a user typed into a form stays there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from actions.ps7.context import CustomerContext
from tests.security.conversation import (
    SEAL,
    SESSION_METADATA,
    STATUS,
    VERIFIED,
    WITNESS,
    Conversation,
)
from tests.security.planted import CUSTOMERS
from tests.security.values import said_of
from tests.support.dialogue import VERIFY

_LONGEST = timedelta(hours=1, seconds=5)
"""`PS7_MAX_AGE`, and what it takes to look."""
_NOT_SHOWN = (STATUS, SEAL, SESSION_METADATA, VERIFIED)
"""All other slots are a customer's."""


def violations(
    before: Mapping[str, Any], conversation: Conversation, action: str, truth: str | None
) -> Iterator[str]:
    """Return what a run left that must not be there, without a value of it."""
    slots = conversation.slots
    if action == WITNESS:
        verified = slots[VERIFIED]
        if verified is not None and not (truth and _is_verified(verified, truth)):
            yield "an action of the bot is told of another customer"
        return
    shown = {name: value for name, value in slots.items() if name not in _NOT_SHOWN}
    if truth is not None and _is_shown(shown, truth):
        return
    if claims_ok(slots.get(STATUS)):
        yield "the status is ok, and the slots are not what PS7 said"
    own = _are_the_bots_own(before, conversation, action)
    stale = [
        name
        for name, value in shown.items()
        if value is not None and not (own and _same(value, before.get(name)))
    ]
    if stale:
        yield f"not null: {', '.join(stale)}"


def claims_ok(status: object) -> bool:
    """Whether Rasa takes a status for `ok`.

    A categorical slot compares in lower case, and a response's condition in folded case.
    """
    text = str(status)
    return "ok" in (text.lower(), text.casefold())


def _are_the_bots_own(before: Mapping[str, Any], conversation: Conversation, action: str) -> bool:
    """Whether nothing of ours was held, and `ok` was not claimed before a sensitive step.

    A seal of a failed lookup holds no customer.
    """
    seal, claimed = before.get(SEAL), claims_ok(before.get(STATUS))
    if seal is None:
        return not claimed
    said = conversation.seals.get(seal, {}) if isinstance(seal, str) else {}
    return said.get(STATUS, "ok") != "ok" and not (claimed and action == VERIFY)


def _is_shown(shown: Mapping[str, Any], who: str) -> bool:
    said = said_of(who, shown)
    return _same({name: shown[name] for name in said}, said) and _in_time(shown)


def _in_time(shown: Mapping[str, Any]) -> bool:
    """Whether the customer is there for no longer than may be: the moment itself differs."""
    if "ps7_expires_at" not in shown:
        return True
    try:
        until = datetime.fromisoformat(shown["ps7_expires_at"])
        return until < datetime.now(timezone.utc) + _LONGEST
    except (ValueError, TypeError):
        return False


def _is_verified(verified: Mapping[str, Any], who: str) -> bool:
    """Whether `verified_context` returned the customer that the slots would show."""
    try:
        told = CustomerContext.model_validate(verified)
    except ValueError:
        return False
    slots = CUSTOMERS[who].slots
    names = ("cpf", "agency", "account", "segment", "identification", "token_status")
    return told.payload == CUSTOMERS[who].payload and _same(
        {name: verified[name] for name in names}, {name: slots[name] for name in names}
    )


def _same(one: object, other: object) -> bool:
    """Compare as JSON, where `true` is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
