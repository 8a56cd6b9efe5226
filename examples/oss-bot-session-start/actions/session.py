"""The session start: it knows the customer before the first message is answered, and greets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rasa_ps7 import CustomerContext, Outcome, PS7SessionStart

if TYPE_CHECKING:
    from rasa_sdk.executor import CollectingDispatcher

WELCOME = {"Private": "utter_welcome_private", "Personnalité": "utter_welcome_personnalite"}
"""By segment. The customer chooses the response: Rasa sets the slots after it is said, so a
condition on a slot would still see those of the session before."""


class ActionSessionStart(PS7SessionStart):
    """Start a session as Rasa does, look the customer up, and greet."""

    async def opened(
        self, dispatcher: CollectingDispatcher, customer: CustomerContext | None, outcome: Outcome
    ) -> None:
        """Greet by segment; where the customer could have been known, say why not."""
        segment = None if customer is None else customer.segment
        dispatcher.utter_message(response=WELCOME.get(segment or "", "utter_welcome"))
        if outcome in {Outcome.UNAVAILABLE, Outcome.EXPIRED}:
            dispatcher.utter_message(response=f"utter_ps7_{outcome.value}")
