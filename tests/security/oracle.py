"""What must hold after a run, whatever was tried before it.

The slots say exactly what PS7 said about the contextId that the channel brought in this session, or
the status is not `ok` and every slot of a customer is null; and an action of the bot that reads the
seal is told of no other customer. Nobody is known whose contextId did not arrive in this session,
and nobody whom the conversation knew before a log-out. One thing is left to the bot: while nothing
of the plugin's is held and no status claims `ok`, the slots are its own, and what a user typed into
a form stays there.
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
from tests.security.planted import CONTEXT_IDS, CUSTOMERS
from tests.security.values import brings_to, said_of
from tests.support.dialogue import VERIFY

_LONGEST = timedelta(hours=1, seconds=5)
"""`PS7_MAX_AGE`, and what it takes to look."""
_NOT_SHOWN = (STATUS, SEAL, SESSION_METADATA, VERIFIED)
"""All other slots are a customer's."""


def violations(
    before: Mapping[str, Any], conversation: Conversation, action: str, truth: str | None
) -> Iterator[str]:
    """Return what a run left that must not be there, without a value of it."""
    slots, shown = conversation.slots, _shown(conversation)
    if truth is not None and is_served(conversation, action, truth):
        if truth in conversation.logged_out:
            yield "a customer who logged out is back"
        if not _arrived(conversation, truth):
            yield "a customer is known who did not arrive in this session"
        return
    if action == WITNESS:
        if slots[VERIFIED] is not None:
            yield "an action of the bot is told of another customer"
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


def is_served(conversation: Conversation, action: str, who: str) -> bool:
    """Whether a run named this customer: to the bot's own action, or in the slots."""
    if action == WITNESS:
        verified = conversation.slots[VERIFIED]
        return verified is not None and _is_verified(verified, who)
    return _is_shown(_shown(conversation), who)


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


def _arrived(conversation: Conversation, who: str) -> bool:
    """Whether this session brought a customer's contextId, as it is or in a token."""
    return any(brings_to(each) == CONTEXT_IDS[who] for each in conversation.brought)


def _shown(conversation: Conversation) -> dict[str, Any]:
    slots = conversation.slots.items()
    return {name: value for name, value in slots if name not in _NOT_SHOWN}


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
