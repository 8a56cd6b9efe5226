"""A bot's own actions beside ours: what they are told of the customer when they ask the seal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet

from actions.ps7 import PS7SessionStart, verified_context

if TYPE_CHECKING:
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionWitness(Action):
    """Stands for any action of a bot that does something sensitive."""

    def name(self) -> str:
        """Give the name that a domain lists."""
        return "action_witness"

    async def run(
        self, _dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Set all that is known of the customer, null where nobody vouches for one."""
        customer = verified_context(tracker)
        return [SlotSet("vouched", customer and customer.model_dump(mode="json"))]


class ActionSessionStart(PS7SessionStart):
    """Knows the customer before the first turn."""
