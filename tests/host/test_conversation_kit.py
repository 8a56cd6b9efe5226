"""The conversation kit: what a bot builder relies on when testing actions without Rasa."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.events import (
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    FollowupAction,
    SlotSet,
    UserUttered,
)
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionNotFoundException
from rasa_sdk.types import DomainDict

from actions.ps7.testing.conversation import Conversation, UndeclaredSlotError, UnknownNameError


class Scripted(Action):
    """Says, returns or raises what it was told to, and remembers the trackers that it saw."""

    __module__ = "rasa_sdk.of_this_test"
    """The SDK registers every subclass of Action in the process but its own."""

    def __init__(
        self,
        name: str = "action_scripted",  # a package of actions makes one of every class there is
        *events: dict[str, Any],
        says: Mapping[str, Any] | None = None,
        error: Exception | None = None,
    ) -> None:
        self._name, self.events, self.says, self.error = name, events, says, error
        self.seen: list[Tracker] = []

    def name(self) -> str:
        """Return the name it is registered under."""
        return self._name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Play the script."""
        self.seen.append(tracker)
        if self.error:
            raise self.error
        if self.says:
            dispatcher.utter_message(**self.says)
        return list(self.events)


COLOUR: dict[str, Any] = {"slots": {"colour": {"type": "text", "initial_value": "blue"}}}
EACH = {"slots": {"a": {"mappings": [{"type": "custom", "action": "action_each"}]}}}


def _kinds(bot: Conversation) -> list[str]:
    return [event.get("name") or event["event"] for event in bot.events]


@pytest.mark.parametrize(
    ("text", "given", "intent"),
    [
        *(("oi", "greet", "greet"), ("/greet", "other", "other"), ("/ greet ", None, "greet")),
        ('/greet{"a": "b"}', None, None),
    ],
)
async def test_a_message_has_what_the_test_says(
    text: str, given: str | None, intent: str | None
) -> None:
    """Its channel, entities, and what NLU understood, in place of `/name`."""
    bot = Conversation({}, [], sender_id="ana", channel="phone")
    entities = [{"entity": "e", "value": "v"}]
    await bot.user(text, metadata={"n": 1}, intent=given, entities=entities)
    guess = {"name": intent, "confidence": 1.0 if intent else 0.0}
    assert (bot.latest_message["intent"], bot.latest_message["entities"]) == (guess, entities)
    assert bot.latest_message["metadata"]["n"] == 1
    assert (bot.tracker.sender_id, bot.tracker.get_latest_input_channel()) == ("ana", "phone")
    assert Conversation({}, []).sender_id != Conversation({}, []).sender_id


async def test_an_action_returns_events_messages_and_texts() -> None:
    """They come as they crossed the wire, the slots are set, and what a test gets is a copy."""
    action = Scripted("a", SlotSet("colour", ("a", [1])), BotUttered("e"), says={"text": "feito"})
    bot = Conversation([COLOUR, {"responses": {"utter_a": [{"text": "A!"}]}}], [action])
    await bot.user("oi")
    result = await bot.run("a")
    kept = {"event": "slot", "timestamp": None, "name": "colour", "value": ["a", [1]]}
    assert result.events[0] == kept
    assert [message["text"] for message in result.responses] == ["feito"]
    assert result.texts == ["feito", "e"]
    assert result.slots == {"colour": ["a", [1]]}
    for given in (bot.slots["colour"], bot.tracker.events, bot.events, bot.latest_message):
        given.clear()
    assert bot.slots["colour"] == bot.tracker.get_slot("colour") == ["a", [1]]
    assert bot.events
    assert bot.latest_message


BUTTONS = [{"title": "{colour}", "payload": "/ok"}]
ANSWERS: dict[str, Any] = {
    "actions": ["utter_a", "action_of_the_bot"],
    "responses": {"utter_a": [{"text": "A!", "buttons": BUTTONS}], "utter_default": [{"text": ""}]},
}


@pytest.mark.parametrize("listed", [True, False])
async def test_what_is_named_utter_is_a_response(listed: bool) -> None:
    """Also where the domain lists it among its actions, as for Rasa; what it said is told whole."""
    domain = ANSWERS if listed else {"responses": ANSWERS["responses"]}
    bot = Conversation([COLOUR, domain], [])
    await bot.user("oi")
    result = await bot.run("utter_a")
    shown = [{"title": "blue", "payload": "/ok"}]
    assert result.responses == [{"response": "utter_a", "text": "A!", "buttons": shown}]
    assert (result.texts, result.events, result.ignored) == (["A!"], [], [])
    assert _kinds(bot)[-2:] == ["utter_a", "bot"]
    assert (await bot.rewind()).responses == [{"response": "utter_default"}]
    await bot.run("action_back")
    assert (await bot.run("utter_a")).texts == ["A!"], "where nothing is left that counts"


WHOLE: dict[str, Any] = {
    "intents": ["greet"],
    "actions": ["action_greet", "action_absent", "undeclared", "broken", "of_pro"],
    "responses": {"utter_greet": [{"text": "Olá!"}]},
    "slots": {"cpf": {"type": "text", "mappings": [{"type": "custom"}]}},
}
ERRORS: list[tuple[Callable[[Conversation], Awaitable[object]], type[Exception], str]] = [
    (lambda bot: bot.run("action_gret"), UnknownNameError, "action action_gret; did you mean acti"),
    (lambda bot: bot.run("utter_gret"), UnknownNameError, "response utter_gret; did you mean utte"),
    (lambda bot: bot.validate("validate_form"), UnknownNameError, "no action validate_form$"),
    (lambda bot: bot.run("action_greet"), UnknownNameError, "has no response utter_nao_existe$"),
    (lambda bot: bot.user("oi", intent="gret"), UnknownNameError, "intent gret; did you mean gree"),
    (lambda bot: bot.user("/gret"), UnknownNameError, "intent gret; did you mean greet"),
    (lambda bot: bot.set_slot("cfp", "1"), UndeclaredSlotError, "domain: cfp; did you mean cpf"),
    (lambda bot: bot.run("undeclared"), UndeclaredSlotError, "not declared in the domain: x, y$"),
    (lambda bot: bot.run("action_absent"), ActionNotFoundException, "action_absent"),
    (lambda bot: bot.run("broken"), ZeroDivisionError, "on purpose"),
    (lambda bot: bot.run("of_pro"), ValueError, "knows no event 'session_ended'"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
async def test_an_error_reaches_the_test(
    call: Callable[[Conversation], Awaitable[object]], error: type[Exception], text: str
) -> None:
    """A name that the domain lacks is one, with the name that is meant. Rasa's own are known."""
    actions = [
        Scripted("action_greet", says={"response": "utter_nao_existe"}),
        Scripted("undeclared", SlotSet("cpf", "1"), SlotSet("y"), SlotSet("x")),
        Scripted("broken", error=ZeroDivisionError("on purpose")),
        Scripted("of_pro", {"event": "session_ended"}),
    ]
    bot = Conversation(WHOLE, actions)
    of_rasa = ("restart", "back", "session_start", "out_of_scope", "nlu_fallback")
    for intent in (None, "greet", *of_rasa):
        await bot.user("oi", intent=intent)
    with pytest.raises(error, match=text):
        await call(bot)
    assert bot.slots["cpf"] is None


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan")])
async def test_what_cannot_cross_the_wire_fails(value: object) -> None:
    """As it would in production: in a slot, in a message, in metadata."""
    slot = Scripted("action_slot", SlotSet("colour", value))
    message = Scripted("action_message", says={"json_message": {"value": value}})
    bot = Conversation(COLOUR, [slot, message])
    sent = bot.user("oi", metadata={"value": value})
    for crossing in (bot.run("action_slot"), bot.run("action_message"), sent):
        with pytest.raises((TypeError, ValueError)):
            await crossing


async def test_a_slot_opens_no_session_in_place_of_an_expired_one() -> None:
    """As by Rasa's API: an action does, and a restart. Both begin with initial slots."""
    bot = Conversation(COLOUR, [Scripted("a")], carry_over_slots=False)
    await bot.user("oi")
    bot.expire_session()
    for begins in (bot.run("a"), bot.restart()):
        await bot.set_slot("colour", "red")
        assert bot.slots["colour"] == "red"
        await begins
        assert bot.slots["colour"] == "blue"


@pytest.mark.parametrize(("config", "minutes"), [({}, 60), ({"session_expiration_time": 5}, 5)])
async def test_a_session_expires_by_its_own_time(config: dict[str, int], minutes: int) -> None:
    """By the domain's minutes, or 60, since the user last said something that counts."""
    now = [1000.0]
    bot = Conversation({"session_config": config}, [], now=lambda: now[0])
    for text, seconds, sessions in (("oi", 0, 1), ("ainda", 0, 1), ("de novo", 1, 2)):
        now[0] += minutes * 60 + seconds
        await bot.user(text)
        assert _kinds(bot).count("session_started") == sessions
    await bot.user("e mais")
    said = [event["text"] for event in bot.tracker.events if event["event"] == "user"]
    assert (said, bot.events[-1]["timestamp"]) == (["de novo", "e mais"], now[0])


async def test_a_session_may_never_expire() -> None:
    """By its domain, or if nothing that was said counts any more."""
    for minutes in (0, 60):
        bot = Conversation({"session_config": {"session_expiration_time": minutes}}, [])
        await bot.user("oi")
        if minutes:
            await bot.rewind()
        bot.expire_session()
        await bot.user("oi")
        assert _kinds(bot).count("session_started") == 1


async def test_validate_runs_a_forms_validation_on_the_given_slots() -> None:
    """It sees what was filled in as Rasa shows it; what it says nothing of is good."""
    slots = {**COLOUR["slots"], "size": {"type": "text"}, "note": {"type": "text"}}
    forms = {"paint_form": {"required_slots": ["colour", "size"]}}
    set_both = (SlotSet("colour", "AZUL"), SlotSet("size", None))
    form = Scripted("validate_paint_form", *set_both, says={"text": "torto?"})
    bot = Conversation({"slots": slots, "forms": forms}, [form])
    await bot.happens(ActiveLoop("paint_form"), SlotSet("requested_slot", "colour"))
    await bot.user("azul")
    filled = {"colour": "azul", "size": "torto", "note": "n"}
    result = await bot.validate("validate_paint_form", **filled)
    assert (result.slots, result.texts) == ({"colour": "AZUL", "size": None}, ["torto?"])
    assert form.seen[0].slots_to_validate() == filled
    assert form.seen[0].active_loop["name"] == "paint_form"
    assert {name: bot.slots[name] for name in slots} == {**filled, "colour": "AZUL", "size": None}
    assert _kinds(bot)[3:7] == ["paint_form", "requested_slot", "user", "bot"]
    with pytest.raises(UndeclaredSlotError, match="not declared in the domain: weight"):
        await bot.validate("validate_paint_form", weight="torto")
    assert len(form.seen) == 1, "the action was not even asked"


async def test_an_action_may_decide_what_follows() -> None:
    """A follow-up waits for the test, what it says for the user is a turn; none was rejected."""
    each, follow = Scripted("action_each"), Scripted("a", FollowupAction("b"))
    speaks, rejects = Scripted("b", UserUttered("sim")), Scripted("c", ActionExecutionRejected("c"))
    bot = Conversation(EACH, [each, follow, speaks, rejects])
    await bot.user("oi")
    await bot.run("a")
    assert bot.tracker.followup_action == "b"
    await bot.run("b")
    assert bot.events[-2]["policy"] == "followup_action"
    assert bot.tracker.followup_action is None
    assert bot.latest_message["text"] == "sim"
    assert len(each.seen) == 2
    await bot.run("c")
    assert bot.events[-1]["event"] == "action_execution_rejected"
    assert bot.tracker.latest_action_name == "b"


def test_a_package_that_cannot_be_registered_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the action server does, but for what would end that in silence."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "kit_broken.py").write_text("import kit_no_such_package")
    (tmp_path / "kit_ended.py").write_text("raise SystemExit('not like this')")
    with pytest.raises(ModuleNotFoundError, match="named 'kit_no_such_package'"):
        Conversation({}, [Scripted("a"), "kit_broken"])
    with pytest.raises(SystemExit, match="not like this"):
        Conversation({}, "kit_ended")
