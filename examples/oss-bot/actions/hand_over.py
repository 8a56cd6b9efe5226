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
    """Send the context, with what the customer wanted as the reason: the intent's name.

    `ps7_status` stands in it as well. A rule that goes on with `action_ps7_forget` runs this first.
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
        """Send what an agent may know. No slot changes."""
        wanted = tracker.get_intent_of_latest_message(skip_fallback_intent=False)
        # Rasa's socketio channel takes no message of another shape than `{"data": …}`.
        dispatcher.utter_message(json_message={"data": handover(tracker, reason=wanted)})
        return []
