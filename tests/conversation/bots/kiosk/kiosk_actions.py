"""The bot's own actions: who is there, by what PS7 said and not by what a form was told.

And a session start with a greeting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_sdk import Action

from actions.ps7 import CustomerContext, Outcome, PS7SessionStart, verified_context

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionTellWho(Action):
    """Names the customer whom PS7 vouches for; where there is none, what the slots say."""

    def name(self) -> str:
        """Return the name that a domain lists."""
        return "action_tell_who"

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,  # noqa: ARG002 - the host's signature
    ) -> list[dict[str, Any]]:
        """Answer; no slot changes."""
        customer = verified_context(tracker)
        status, account, cpf = map(tracker.get_slot, ("ps7_status", "account", "cpf"))
        text = f"Estado {status}, conta {account}, CPF {cpf}."
        if customer is not None:
            text = f"Conta {customer.account}, CPF {customer.cpf}."
        dispatcher.utter_message(text=text)
        return []


class ActionSessionStart(PS7SessionStart):
    """Opens a session with a greeting, which Rasa writes between this action and its events."""

    async def opened(
        self, dispatcher: CollectingDispatcher, customer: CustomerContext | None, outcome: Outcome
    ) -> None:
        """Greet by the account that the session opens with."""
        known = outcome.value if customer is None else customer.account
        dispatcher.utter_message(text=f"Boas-vindas ao terminal ({known}).")
