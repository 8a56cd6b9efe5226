"""Tells a rate. A rasa-sdk of 3.20 or newer pickles each action, and not one that holds a function."""

import requests
from rasa_sdk import Action


class ActionRate(Action):
    def __init__(self):
        session = requests.Session()
        self.ask = lambda: session.headers["Accept"]

    def name(self):
        return "action_rate"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(f"A dollar is 5.12 ({self.ask()}).")
        return []
