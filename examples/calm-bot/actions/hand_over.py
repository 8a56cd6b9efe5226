"""The bot's own action: a person takes over, if the agents' desk takes the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_sdk import Action
from rasa_sdk.events import SlotSet

from . import desk
from .ps7 import handover

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionHandOver(Action):
    """Send the context, with the reason: the customer asked, or the bot may not go on.

    The flow reads the slot `handed_over`, and runs `action_ps7_forget` only if it is true.
    """

    def name(self) -> str:
        """Return the name that the domain and the flow use."""
        return "action_hand_over"

    async def run(
        self,
        dispatcher: CollectingDispatcher,  # noqa: ARG002 - the flow answers
        tracker: Tracker,
        domain: DomainDict,  # noqa: ARG002 - the SDK calls with three arguments
    ) -> list[dict[str, Any]]:
        """Send what an agent may know; return whether the desk has it. The channel gets nothing."""
        status = tracker.get_slot("ps7_status")
        reason = status if status in ("denied", "tampered") else "asked"
        taken = await desk.hand_over(tracker, handover(tracker, reason=reason))
        return [SlotSet(desk.HANDED_OVER, value=taken)]
