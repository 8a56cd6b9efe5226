"""Tells the balance."""

from rasa_sdk import Action

from . import profiles


class ActionBalance(Action):
    def name(self):
        return "action_balance"

    def run(self, dispatcher, tracker, domain):
        balance, currency = profiles.balance(tracker.sender_id), tracker.get_slot("currency")
        dispatcher.utter_message(f"Your balance is {currency}{balance:,.2f}.")
        return []
