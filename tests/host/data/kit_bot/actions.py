"""The custom actions of the bot that was recorded: they try what an action can do in one turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, FollowupAction, SessionStarted, SlotSet

if TYPE_CHECKING:
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict

Events = list[dict[str, Any]]


class ActionEveryTurn(Action):
    """Follows the contextId of the message; also does what a slot mapping must not do."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_every_turn"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> Events:
        """Set `name` if the message brings a contextId."""
        dispatcher.utter_message(text="lost")
        metadata = tracker.latest_message.get("metadata") or {}
        found = [SlotSet("name", metadata["contextId"])] if "contextId" in metadata else []
        return [*found, FollowupAction("action_balance")]


class ActionForBalance(Action):
    """Runs in the same turn, and must not see what the other one sets."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_for_balance"

    async def run(
        self, _dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> Events:
        """Count the turns that ask for the balance, and note the name as it stands."""
        count, _ = tracker.get_slot("balances") or [0, None]
        return [SlotSet("balances", [count + 1, tracker.get_slot("name")])]


class ActionGreet(Action):
    """Says several things and sets a slot to something nested."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_greet"

    async def run(
        self, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> Events:
        """Utter an answer with more buttons, an image, and an answer that does not exist."""
        more = [{"title": "Sair", "payload": "/bye"}]
        dispatcher.utter_message(response="utter_greet", buttons=more, extra="kept")
        dispatcher.utter_message(image="https://example.com/card.png")
        dispatcher.utter_message(response="utter_nothing")
        return [SlotSet("segment", {"of": ["a", 2.5, None]}), SlotSet("name", "Ana")]


class ActionBalance(Action):
    """Answers by segment."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_balance"

    async def run(
        self, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> Events:
        """Utter a conditional answer."""
        dispatcher.utter_message(response="utter_segment")
        return []


class ActionSessionStart(Action):
    """Opens sessions in the bots that list it."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_session_start"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> Events:
        """Say what opened the session and keep it."""
        opened_by = tracker.get_slot("session_started_metadata")
        dispatcher.utter_message(text=f"opened by {opened_by}")
        return [SessionStarted(), SlotSet("free", opened_by), ActionExecuted("action_listen")]
