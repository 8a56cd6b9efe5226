"""What the help desk does by itself."""

from rasa_sdk import Action
from rasa_sdk.events import UserUtteranceReverted


class ActionDefaultFallback(Action):
    def name(self):
        return "action_default_fallback"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message("Sorry, I did not get that. Incidents are what I know about.")
        return [UserUtteranceReverted()]


class ActionOpenIncident(Action):
    def name(self):
        return "action_open_incident"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message("Incident INC-1 is open.")
        return []
