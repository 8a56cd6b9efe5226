"""Finds days, with what requirements-actions.txt asks for and the plugin does not bring."""

from dateutil.parser import parse
from dateutil.relativedelta import relativedelta
from rasa_sdk import Action


class ActionNextDay(Action):
    def name(self):
        return "action_next_day"

    def run(self, dispatcher, tracker, domain):
        day = parse("2024-01-31") + relativedelta(months=1)
        dispatcher.utter_message(f"{day:%d %B %Y} is free.")
        return []
