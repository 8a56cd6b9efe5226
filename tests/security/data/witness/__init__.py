"""A bot's own actions beside ours: what they are told of the customer when they read the seal."""

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
        """Return the name that a domain lists."""
        return "action_witness"

    async def run(
        self, _dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Set all that the seal says of the customer, null where it vouches for none."""
        customer = verified_context(tracker)
        return [SlotSet("verified", customer and customer.model_dump(mode="json"))]


class ActionSessionStart(PS7SessionStart):
    """Looks the customer up before the first turn."""
