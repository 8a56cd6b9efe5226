"""Begins a session: it makes a profile, and says which money the bank uses."""

from rasa_sdk import Action
from rasa_sdk.events import ActionExecuted, SessionStarted, SlotSet

from . import profiles


class ActionSessionStart(Action):
    def name(self):
        return "action_session_start"

    async def run(self, dispatcher, tracker, domain):
        profiles.fill(tracker.sender_id)
        return [SessionStarted(), SlotSet("currency", "$"), ActionExecuted("action_listen")]
