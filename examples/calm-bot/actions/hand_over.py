"""The bot's own action: what goes on to the person who takes over.

It sends a message of the channel's kind, `custom`, which no customer reads as text. A real bot puts
it where its agents' desktop expects it: into such a message, or into a call of the desktop's API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_sdk import Action

from .ps7 import handover

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionHandOver(Action):
    """Send the context, with the reason: the customer asked, or the bot may not go on.

    The flow goes on with `action_ps7_forget`, so this runs before it.
    """

    def name(self) -> str:
        """Return the name that the domain and the flow use."""
        return "action_hand_over"

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,  # noqa: ARG002 - the SDK calls with three arguments
    ) -> list[dict[str, Any]]:
        """Send what an agent may know. No slot changes."""
        status = tracker.get_slot("ps7_status")
        reason = status if status in ("denied", "tampered") else "asked"
        # Rasa's socketio channel takes no message of another shape than `{"data": …}`.
        dispatcher.utter_message(json_message={"data": handover(tracker, reason=reason)})
        return []
