"""A bot with a `cpf` slot of its own, which a form fills with what the user types.

However a call travels, the plugin must leave that slot alone: it holds the payee of a transfer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.ps7.testing import PERSONAS
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY, Dialogue

if TYPE_CHECKING:
    from tests.support.dialogue import Send

ANA = PERSONAS["ana"].slots
TYPED = "11144477735"
CUSTOM, FROM_TEXT = {"type": "custom"}, {"type": "from_text"}


def payer(**mappings: object) -> Dialogue:
    """Make a user of a bot that declares these mappings; its other slots have `custom` alone."""
    user = Dialogue()
    user.domain = {
        "slots": {
            name: {"type": "any", "mappings": mappings.get(name, [CUSTOM])} for name in SLOTS
        },
        "session_config": {"carry_over_slots_to_new_session": True},
    }
    return user


def shown(user: Dialogue) -> tuple[Any, Any, Any]:
    """Return how the lookup ended, whose account is known, and the payee in the form."""
    status, account, cpf = (user.slots[name] for name in ("ps7_status", "account", "cpf"))
    return status, account, cpf


async def the_payee_stays(send: Send) -> None:
    """Whatever becomes of the customer, the form asks for the payee and keeps the answer."""
    user = payer(cpf=[FROM_TEXT])
    await user.turn(send, metadata={"contextId": "ana"})
    assert shown(user) == ("ok", ANA["account"], None), "the form would not ask"

    user.slots["cpf"] = TYPED
    for action in (LOOK_UP, VERIFY):
        assert await user.turn(send, action) == {}
    user.slots["account"] = "overwritten"
    assert await user.turn(send, VERIFY) == {"account": ANA["account"]}
    for context_id, status, account in (
        ("not-found", "rejected", None),
        ("diego", "ok", PERSONAS["diego"].slots["account"]),
        ("http-503", "unavailable", None),
    ):
        await user.turn(send, metadata={"contextId": context_id})
        assert shown(user) == (status, account, TYPED)
    await user.turn(send, FORGET)
    assert shown(user) == ("missing", None, TYPED)
    user.slots |= {"ps7_status": "ok", "ps7_context": "forged", "account": "forged"}
    await user.turn(send, VERIFY)
    assert shown(user) == ("missing", None, TYPED), "the newest seal is the log-out"
