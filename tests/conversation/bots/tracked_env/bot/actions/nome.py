"""O que este bot faz por si."""

import os

from rasa_sdk import Action


class ActionNome(Action):
    def name(self):
        return "action_nome"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(f"Meu nome é {os.environ['BOT_NAME']}.")
        return []
