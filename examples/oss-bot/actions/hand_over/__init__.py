"""The bot's own action: a person takes over, if the agents' desk takes the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_ps7 import ActionPS7Forget, handover
from rasa_sdk.events import ActionExecuted, ConversationPaused, SlotSet

from . import desk

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionHandOver(ActionPS7Forget):
    """Hand over with the reason: the intent's name, or in CALM that the customer asked.

    If the desk takes the conversation, the customer is forgotten, and Rasa is silent until the desk
    returns it. That is one action, since Rasa runs no other once a conversation is paused: so this
    derives from the plugin's log-out. If the desk is away, the customer hears so, and the bot still
    knows them.
    """

    def name(self) -> str:
        """Return the name that the domain, the rules and the flows use."""
        return "action_hand_over"

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,
    ) -> list[dict[str, Any]]:
        """Send what an agent may know. The channel is told that an agent goes on."""
        status, intent = tracker.get_slot("ps7_status"), tracker.latest_message.get("intent") or {}
        reason = intent.get("name") or (status if status in {"denied", "tampered"} else "asked")
        if not await desk.hand_over(tracker, handover(tracker, reason=reason)):
            dispatcher.utter_message(response="utter_desk_away")
            return [SlotSet(desk.HANDED_OVER, value=False)]
        dispatcher.utter_message(response="utter_handover")
        return [
            SlotSet(desk.HANDED_OVER, value=True),
            *await super().run(dispatcher, tracker, domain),
            ActionExecuted("action_listen"),  # or no rule fits the next message
            ConversationPaused(),
        ]
