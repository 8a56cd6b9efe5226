"""What must hold after a run, whatever was tried before it.

The slots say exactly what PS7 said about the contextId that the channel brought, or the status is
not `ok` and every slot of a customer is null; and a bot's own action that reads the seal is told of
no other customer. One thing is left to the bot: while nothing of ours is held and nobody claims
`ok`, the slots are its own, and what a user typed into a form stays there.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from actions.ps7.context import CustomerContext
from tests.security.moves import says_of
from tests.security.planted import CUSTOMERS
from tests.security.talk import SEAL, SESSION_METADATA, STATUS, VOUCHED, WITNESS
from tests.support.dialogue import VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.security.talk import Talk

_LONGEST = timedelta(hours=1, seconds=5)
"""`PS7_MAX_AGE`, and what it takes to look."""
_NOT_SHOWN = (STATUS, SEAL, SESSION_METADATA, VOUCHED)
"""All other slots are a customer's."""


def violations(
    before: Mapping[str, Any], talk: Talk, action: str, truth: str | None
) -> Iterator[str]:
    """Give what a run left behind that must not be there, without a value of it."""
    if action == WITNESS:
        vouched = talk.slots[VOUCHED]
        if vouched is not None and not (truth and _is_vouched(vouched, truth)):
            yield "an action of the bot is told of somebody else"
        return
    shown = {name: value for name, value in talk.slots.items() if name not in _NOT_SHOWN}
    if truth is not None and _is_shown(shown, truth):
        return
    if claims_ok(talk.slots.get(STATUS)):
        yield "the status is ok, and the slots are not what PS7 said"
    own = _are_the_bots_own(before, talk, action)
    left = [
        name
        for name, value in shown.items()
        if value is not None and not (own and _same(value, before.get(name)))
    ]
    if left:
        yield f"not null: {', '.join(left)}"


def claims_ok(status: object) -> bool:
    """Tell whether Rasa takes a status for `ok`.

    A categorical slot compares in lower case, and a response's condition in folded case.
    """
    text = str(status)
    return "ok" in (text.lower(), text.casefold())


def _are_the_bots_own(before: Mapping[str, Any], talk: Talk, action: str) -> bool:
    """Tell whether nothing of ours was held, and whether nobody claimed so before a sensitive step.

    A seal of a failed lookup holds nobody.
    """
    seal, claimed = before.get(SEAL), claims_ok(before.get(STATUS))
    if seal is None:
        return not claimed
    said = talk.seals.get(seal, {}) if isinstance(seal, str) else {}
    holds_nobody = said.get(STATUS, "ok") != "ok"
    return holds_nobody and not (claimed and action == VERIFY)


def _is_shown(shown: Mapping[str, Any], who: str) -> bool:
    said = says_of(who, shown)
    return _same({name: shown[name] for name in said}, said) and _in_time(shown)


def _in_time(shown: Mapping[str, Any]) -> bool:
    """Tell whether the customer is there for no longer than may be: the moment itself differs."""
    if "ps7_expires_at" not in shown:
        return True
    try:
        until = datetime.fromisoformat(shown["ps7_expires_at"])
        return until < datetime.now(timezone.utc) + _LONGEST
    except (ValueError, TypeError):
        return False


def _is_vouched(vouched: Mapping[str, Any], who: str) -> bool:
    """Compare with the slots of a customer what `verified_context` gave."""
    try:
        told = CustomerContext.model_validate(vouched)
    except ValueError:
        return False
    slots = CUSTOMERS[who].slots
    names = ("cpf", "agency", "account", "segment", "identification", "token_status")
    return told.payload == CUSTOMERS[who].payload and _same(
        {name: vouched[name] for name in names}, {name: slots[name] for name in names}
    )


def _same(one: object, other: object) -> bool:
    """Compare as JSON, where `true` is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
