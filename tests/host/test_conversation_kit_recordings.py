"""The conversation kit against recordings of a real Rasa: same payloads, same texts, same slots.

They are of Rasa Open Source 3.6.21, the last one there is, with the domain in data/kit_bot and the
actions below. Beside each step (text, metadata, whether the session before has expired) is what
Rasa called and said, and beside each event how Rasa stores it. The script that recorded them is in
git's history, with the actions in full:
tests/host/record_conversation_kit.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, FollowupAction, SessionStarted, SlotSet
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.ps7.testing import Conversation
from actions.ps7.testing.rasa_in_memory import stored

DATA = Path(__file__).parent / "data"
BOT = DATA / "kit_bot"
_IDS = ("model_id", "assistant_id", "message_id")
_ACCIDENTS = {"timestamp": 0, "latest_event_time": 0, **dict.fromkeys(_IDS, "id")}

Events = list[Any]


class Recorded(Action):
    """A custom action of the bot that was recorded: they try what an action can do in one turn."""

    __module__ = "rasa_sdk.of_this_test"
    """The SDK registers every subclass of Action in the process but its own."""

    def __init__(self, does: Callable[[CollectingDispatcher, Tracker], Events]) -> None:
        self._does = does

    def name(self) -> str:
        return f"action_{self._does.__name__}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> Events:
        return self._does(dispatcher, tracker)


def every_turn(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
    """Follow the contextId of the message; also do what a slot mapping must not do."""
    dispatcher.utter_message(text="lost")
    metadata = tracker.latest_message.get("metadata") or {}
    found = [SlotSet("name", metadata["contextId"])] if "contextId" in metadata else []
    return [*found, FollowupAction("action_balance")]


def for_balance(_dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
    """Count the turns that ask for the balance; do not see what the other one sets in the turn."""
    count, _ = tracker.get_slot("balances") or [0, None]
    return [SlotSet("balances", [count + 1, tracker.get_slot("name")])]


def greet(dispatcher: CollectingDispatcher, _tracker: Tracker) -> Events:
    """Utter an answer with more buttons, an image, and an answer that does not exist."""
    more = [{"title": "Sair", "payload": "/bye"}]
    dispatcher.utter_message(response="utter_greet", buttons=more, extra="kept")
    dispatcher.utter_message(image="https://example.com/card.png")
    dispatcher.utter_message(response="utter_nothing")
    return [SlotSet("segment", {"of": ["a", 2.5, None]}), SlotSet("name", "Ana")]


def balance(dispatcher: CollectingDispatcher, _tracker: Tracker) -> Events:
    """Utter an answer that depends on the segment."""
    dispatcher.utter_message(response="utter_segment")
    return []


def session_start(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
    """Say what opened the session and keep it, in the bots that list it."""
    opened_by = tracker.get_slot("session_started_metadata")
    dispatcher.utter_message(text=f"opened by {opened_by}")
    return [SessionStarted(), SlotSet("free", opened_by), ActionExecuted("action_listen")]


def _recording(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((DATA / f"kit_recording_{name}.json").read_text(encoding="utf-8"))


def _without_accidents(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return the same with one value for all times and one for all ids."""

    def settled(found: dict[str, Any]) -> dict[str, Any]:
        return found | {name: _ACCIDENTS[name] for name in _ACCIDENTS if found.get(name)}

    return json.loads(json.dumps(value), object_hook=settled)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every call that reaches the executor, as it reaches it.

    A name that the domain does not know is taken, as Rasa does and as was recorded.
    """
    seen: list[dict[str, Any]] = []
    run = ActionExecutor.run

    async def listening(executor: ActionExecutor, call: Any) -> object:  # noqa: ANN401 - a call
        seen.append(json.loads(json.dumps(call)))
        return await run(executor, call)

    monkeypatch.setattr(ActionExecutor, "run", listening)
    monkeypatch.setattr(Conversation, "_expect", lambda *_: None)
    return seen


@pytest.mark.parametrize("variant", ["plain", "carry_nothing", "session_start"])
async def test_it_sends_what_rasa_sends(variant: str, calls: list[dict[str, Any]]) -> None:
    """Payloads are equal key for key, times and ids aside, over sessions, restart and rewind."""
    recording = _recording(variant)
    domain = [BOT / "domain"]
    if variant != "plain":
        domain.append(BOT / "variants" / f"{variant}.yml")
    actions = map(Recorded, (every_turn, for_balance, greet, balance, session_start))
    bot = Conversation(domain, actions, sender_id="kit")
    for step in recording["steps"]:
        calls.clear()
        if step["expired"]:
            bot.expire_session()
        result = await bot.user(step["text"], metadata=step["metadata"])
        dropped = [ignored.get("event") or ignored["text"] for ignored in result.ignored]
        assert dropped == ["followup", "lost"]
        for action in step["ran"]:
            result += await bot.run(action)
        assert all(call["domain"] == recording["domain"] for call in calls)
        sent = [_without_accidents({**call, "domain": None}) for call in calls]
        assert sent == step["calls"]
        assert (result.texts, bot.slots) == (step["texts"], step["slots"])


@pytest.mark.parametrize(("returned", "kept"), _recording("of_events"))
def test_it_keeps_events_as_rasa_does(returned: dict[str, Any], kept: dict[str, Any]) -> None:
    """Fields that an action leaves out have Rasa's values, and no field is lost or added."""
    now = {**stored(returned, timestamp=0, origin={})}
    if returned["event"] in {"user", "bot"}:
        now.setdefault("metadata", {})  # Rasa always notes a model there
    assert _without_accidents(now) == kept
