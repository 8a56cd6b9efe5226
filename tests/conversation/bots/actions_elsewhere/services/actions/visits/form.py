"""Checks the town of a visit, and books it."""

from rasa_sdk import Action, FormValidationAction

TOWNS = {"olinda": "Olinda", "recife": "Recife"}


class ValidateVisitForm(FormValidationAction):
    def name(self):
        return "validate_visit_form"

    def validate_town(self, value, dispatcher, tracker, domain):
        town = TOWNS.get(value.lower())
        if town is None:
            dispatcher.utter_message("There is no branch there.")
        return {"town": town}


class ActionBook(Action):
    def name(self):
        return "action_book"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(f"Booked in {tracker.get_slot('town')}.")
        return []
