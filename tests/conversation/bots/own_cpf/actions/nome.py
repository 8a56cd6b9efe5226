"""O que este bot faz por si."""

from rasa_sdk import Action


class ActionNome(Action):
    def name(self):
        return "action_nome"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message("Meu nome é Tais.")
        return []
