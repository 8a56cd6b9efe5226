"""The bot's own action: which agency and account are the customer's.

A response that quotes slots would do it without an action. But where the action server is away,
Rasa goes on with the slots of before, and the response would tell an earlier customer's account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_ps7 import verified_context
from rasa_sdk import Action

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionAnswerAccount(Action):
    """Answer agency and account to an authenticated customer, and to nobody else.

    `ps7_status: ok` alone would not do: it says that PS7 knows the context, not who is there.
    """

    def name(self) -> str:
        """Return the name that the domain and the rules use."""
        return "action_answer_account"

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,  # noqa: ARG002 - the SDK calls with three arguments
    ) -> list[dict[str, Any]]:
        """Answer with agency and account, or that they are not known. No slot changes."""
        customer = verified_context(tracker)
        if customer is None or not customer.authenticated:
            dispatcher.utter_message(response="utter_account_unknown")
        else:
            dispatcher.utter_message(
                response="utter_account",
                agencia_verificada=customer.agency,
                conta_verificada=customer.account,
            )
        return []
