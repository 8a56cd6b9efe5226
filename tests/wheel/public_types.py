"""What a bank's developers write. `make types` checks it, and nobody runs it.

A mark on a line without a mistake is an error too: types that were lost are noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import assert_type

from actions import ps7
from actions.ps7 import CustomerContext, PS7Client, PS7SessionStart, PS7Settings, verified_context
from actions.ps7.testing import Conversation, Simulator

if TYPE_CHECKING:
    from rasa_sdk import Tracker


class ActionSessionStart(PS7SessionStart):
    """Complete as it is."""


def agency(tracker: Tracker) -> str | None:
    """Only who may be nobody has to be asked for."""
    customer = verified_context(tracker)
    assert_type(customer, CustomerContext | None)
    customer.agency  # type: ignore[union-attr] # noqa: B018 - a mistake, to be found
    return customer.agency if customer and customer.authenticated else None


async def look_up(context_id: str) -> CustomerContext:
    """Without any bot around it."""
    client = PS7Client(PS7Settings.load())
    await client.lookup(7)  # type: ignore[arg-type]
    return await client.lookup(context_id)


async def talk() -> dict[str, Any]:
    """As a test of a bot does."""
    async with Simulator() as ps7:
        assert_type(ps7.environment, dict[str, str])
        bot = Conversation(domain="domain", actions="actions")
        await bot.user("oi", metadata={"contextId": "ana"})
        return bot.slots


ps7.no_such_name  # type: ignore[attr-defined] # noqa: B018 - another mistake
