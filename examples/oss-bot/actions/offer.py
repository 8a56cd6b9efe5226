"""The bot's own action: offer what the customer chose in the phone menu before the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_ps7 import verified_context
from rasa_sdk import Action
from rasa_sdk.events import SlotSet

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionOfferIvrOption(Action):
    """Offer the balance to a customer who asked for it in the phone menu; else say nothing.

    `balance_offered` lets a rule take a "sim" for a yes to this. It goes with the customer:
    PS7_CLEAR_SLOTS names it.
    """

    def name(self) -> str:
        """Return the name that the domain and the rules use."""
        return "action_offer_ivr_option"

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,  # noqa: ARG002 - the SDK calls with three arguments
    ) -> list[dict[str, Any]]:
        """Ask whether to show the balance, where the phone menu says so."""
        customer = verified_context(tracker)
        if customer is None or customer.ivr_option != "saldo":
            return []
        dispatcher.utter_message(response="utter_offer_balance")
        return [SlotSet("balance_offered", value=True)]
