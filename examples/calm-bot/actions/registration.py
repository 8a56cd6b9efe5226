"""The bot's own action: with which CPF the customer is connected.

The masked CPF could stand in a slot, and a response quote it. But where the action server is away,
Rasa goes on with the slots of before, and the response would tell an earlier customer's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_ps7 import verified_context
from rasa_sdk import Action

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionAnswerRegistration(Action):
    """Answer the masked CPF to an authenticated customer, and to nobody else."""

    def name(self) -> str:
        """Return the name that the domain and the flow use."""
        return "action_answer_registration"

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,  # noqa: ARG002 - the SDK calls with three arguments
    ) -> list[dict[str, Any]]:
        """Answer with the masked CPF, or with what is missing. No slot changes."""
        customer = verified_context(tracker)
        if customer is None or not customer.authenticated:
            dispatcher.utter_message(response="utter_ask_sign_in")
        elif customer.cpf_masked is None:
            dispatcher.utter_message(response="utter_registration_unknown")
        else:
            dispatcher.utter_message(
                response="utter_registration", cpf_verificado=customer.cpf_masked
            )
        return []
