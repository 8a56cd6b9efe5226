"""The bot's own action: a person takes over, if the agents' desk takes the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_sdk import Action
from rasa_sdk.events import FollowupAction, SlotSet

from . import desk
from .ps7 import handover

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionHandOver(Action):
    """Send the context, with what the customer wanted as the reason: the intent's name.

    Rules go on with `action_ps7_forget`, so this runs before it. If the desk is away, the customer
    hears so, no rule goes on, and the bot still knows them.
    """

    def name(self) -> str:
        """Return the name that the domain and the rules use."""
        return "action_hand_over"

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,  # noqa: ARG002 - the SDK calls with three arguments
    ) -> list[dict[str, Any]]:
        """Send what an agent may know. The channel is told text alone."""
        wanted = tracker.get_intent_of_latest_message(skip_fallback_intent=False)
        if await desk.hand_over(tracker, handover(tracker, reason=wanted)):
            return [SlotSet(desk.HANDED_OVER, value=True)]
        dispatcher.utter_message(response="utter_desk_away")
        return [SlotSet(desk.HANDED_OVER, value=False), FollowupAction("action_listen")]
