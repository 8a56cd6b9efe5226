"""Orders a card."""

from rasa_sdk import Action


class ActionCard(Action):
    def name(self):
        return "action_card"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(f"A {tracker.get_slot('brand')} card is on its way.")
        return []
