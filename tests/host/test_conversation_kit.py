"""The conversation kit: what a bot builder relies on when testing actions without Rasa."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action, Tracker, utils
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
        *events: object,
        says: Mapping[str, Any] | None = None,
        error: Exception | None = None,
    ) -> None:
        self._name = name
        self.events = events
        self.says = says
        self.error = error
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
        events: list[Any] = list(self.events)
        return events


def _every_turn(action: str = "action_each", **mapping: object) -> dict[str, Any]:
    return {"type": "any", "mappings": [{"type": "custom", "action": action, **mapping}]}


COLOUR: dict[str, Any] = {"slots": {"colour": {"type": "text", "initial_value": "blue"}}}
OPENED = ["action_session_start", "session_started", "action_listen"]


def _kinds(bot: Conversation) -> list[str]:
    return [event.get("name") or event["event"] for event in bot.events]


@pytest.mark.parametrize(
    ("configured", "given", "carried"),
    [(None, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
async def test_slots_are_carried_over(
    configured: bool | None, given: bool | None, carried: bool
) -> None:
    """What the test says counts for more than the domain; without a word, they are."""
    config = {} if configured is None else {"carry_over_slots_to_new_session": configured}
    bots = [Conversation({"session_config": config}, [], carry_over_slots=given) for _ in range(2)]
    assert bots[0].sender_id != bots[1].sender_id
    await bots[0].user("oi", metadata={"contextId": "C1"})
    assert bots[0].slots == {"session_started_metadata": {"contextId": "C1"} if carried else None}
    assert bots[1].events == []
    assert bots[1].tracker.latest_message["text"] is None
    assert bots[1].tracker.get_latest_input_channel() is None


@pytest.mark.parametrize(
    ("text", "given", "intent"),
    [
        ("oi", None, None),
        ("oi", "greet", "greet"),
        ("/greet", None, "greet"),
        ("/greet", "other", "other"),
        ('/greet{"a": "b"}', None, None),
    ],
)
async def test_a_message_is_seen_as_rasa_shows_it(
    text: str, given: str | None, intent: str | None
) -> None:
    """`intent=` says what NLU understood, or `/name`; the event has Rasa's metadata besides."""
    bot = Conversation({}, [], sender_id="ana", channel="phone")
    entities = [{"entity": "e", "value": "v"}]
    await bot.user(text, metadata={"n": 1}, intent=given, entities=entities)
    guess = {"name": intent, "confidence": 1.0 if intent else 0.0}
    tracker, event = bot.tracker, bot.events[-1]
    assert bot.latest_message == {
        "text": text,
        "intent": guess,
        "entities": entities,
        "metadata": {"n": 1},
        "message_id": event["message_id"],
        **({"intent_ranking": [guess]} if intent else {}),
    }
    assert tracker.sender_id == "ana"
    assert event["metadata"] == {"n": 1, "model_id": "0" * 32, "assistant_id": "in-memory"}
    assert event["input_channel"] == tracker.get_latest_input_channel() == "phone"


async def test_an_action_returns_events_messages_and_texts() -> None:
    """They come as they crossed the wire, the slots are set, and what a test gets is a copy."""
    action = Scripted("a", SlotSet("colour", ("a", [1])), BotUttered("e"), says={"text": "feito"})
    bot = Conversation(COLOUR, [action])
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


ERRORS: list[tuple[str, type[Exception], str]] = [
    ("undeclared", UndeclaredSlotError, "not declared in the domain: x, y"),
    ("action_unknown", ActionNotFoundException, "action_unknown"),
    ("utter_unknown", ActionNotFoundException, "utter_unknown"),
    ("action_broken", ZeroDivisionError, "on purpose"),
    ("of_pro", ValueError, "knows no event 'session_ended'"),
]


@pytest.mark.parametrize(("name", "error", "text"), ERRORS)
async def test_an_error_reaches_the_test(name: str, error: type[Exception], text: str) -> None:
    """And leaves the conversation as it was: Rasa would lose an undeclared slot in its log."""
    undeclared = Scripted("undeclared", SlotSet("colour", "red"), SlotSet("y"), SlotSet("x"))
    broken = Scripted("action_broken", error=ZeroDivisionError("on purpose"))
    bot = Conversation(COLOUR, [broken, undeclared, Scripted("of_pro", {"event": "session_ended"})])
    await bot.user("oi")
    before = bot.events
    with pytest.raises(error, match=text):
        await bot.run(name)
    with pytest.raises(UndeclaredSlotError):
        await bot.set_slot("x", 1)
    assert bot.events == before


WHOLE: dict[str, Any] = {
    "intents": ["greet"],
    "actions": ["action_greet", "action_absent"],
    "responses": {"utter_greet": [{"text": "Olá!"}]},
    "slots": {"cpf": {"type": "text", "mappings": [{"type": "custom"}]}},
}
TYPING_ERRORS: list[tuple[str, Callable[[Conversation], Awaitable[object]]]] = [
    ("action action_gret; did you mean action_greet?", lambda bot: bot.run("action_gret")),
    ("response utter_gret; did you mean utter_greet?", lambda bot: bot.run("utter_gret")),
    ("action validate_form", lambda bot: bot.validate("validate_form")),
    ("response utter_nao_existe", lambda bot: bot.run("action_greet")),
    ("intent gret; did you mean greet?", lambda bot: bot.user("oi", intent="gret")),
    ("intent gret; did you mean greet?", lambda bot: bot.user("/gret")),
]


@pytest.mark.parametrize(("said", "call"), TYPING_ERRORS)
async def test_a_name_that_the_domain_does_not_know_is_an_error(
    said: str, call: Callable[[Conversation], Awaitable[object]]
) -> None:
    """And not a test that passes: it says which name is meant. Rasa's own names are known."""
    bot = Conversation(WHOLE, [Scripted("action_greet", says={"response": "utter_nao_existe"})])
    for intent in (None, "greet", "nlu_fallback"):
        await bot.user("oi", intent=intent)
    with pytest.raises(UnknownNameError) as caught:
        await call(bot)
    assert str(caught.value) == f"the domain has no {said}"
    with pytest.raises(UndeclaredSlotError, match=r"the domain: cfp; did you mean cpf\?"):
        await bot.set_slot("cfp", "1")
    with pytest.raises(ActionNotFoundException):
        await bot.run("action_absent")  # the domain lists it, and no class is there


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan")])
async def test_what_cannot_cross_the_wire_fails(value: object) -> None:
    """As it would in production: in a slot, in a message, in metadata."""
    slot = Scripted("action_slot", SlotSet("colour", value))
    message = Scripted("action_message", says={"json_message": {"value": value}})
    bot = Conversation(COLOUR, [slot, message])
    for action in ("action_slot", "action_message"):
        with pytest.raises((TypeError, ValueError)):
            await bot.run(action)
    with pytest.raises((TypeError, ValueError)):
        await bot.user("oi", metadata={"value": value})


async def test_every_turn_actions_run_once_a_turn() -> None:
    """All of them on the same state. Of what they return, only slots count; the rest is shown."""
    each = Scripted("action_each", SlotSet("a", 1), FollowupAction("x"), says={"text": "lost"})
    other = Scripted("action_other", SlotSet("b", 2))
    waiting = Scripted("action_form")
    started = Scripted("start", ActiveLoop("form"), SlotSet("requested_slot", "c"))
    condition = {"active_loop": "form", "requested_slot": "c"}
    slots = {
        "a": _every_turn(),
        "b": {"mappings": [*_every_turn()["mappings"], *_every_turn("action_other")["mappings"]]},
        "c": _every_turn("action_form", conditions=[condition], intent="inform"),
    }
    bot = Conversation({"slots": slots, "forms": {"form": {}}}, [each, other, waiting, started])
    for turn in (1, 2):
        result = await bot.user("oi", intent="inform")
        assert result.slots == {"a": 1, "b": 2}
        assert [event["event"] for event in result.events] == ["slot", "slot"]
        lost = [ignored.get("event") or ignored["text"] for ignored in result.ignored]
        assert lost == ["followup", "lost"]
        assert result.texts == []
        assert len(each.seen) == len(other.seen) == turn
    assert other.seen[0].get_slot("a") is None
    assert bot.tracker.followup_action is None
    await bot.run("start")
    await bot.user("oi")
    assert waiting.seen == []
    await bot.user("oi", intent="inform")
    assert [tracker.active_loop["name"] for tracker in waiting.seen] == ["form"]


async def test_rasas_own_actions_say_their_answers() -> None:
    """If the domain has them; a bot's own action of that name replaces Rasa's."""
    names = ("restart", "back", "default")
    domain = {"responses": {f"utter_{name}": [{"text": name}] for name in names}}
    bot = Conversation(domain, [])
    await bot.user("oi")
    for action in ("action_restart", "action_back", "action_default_fallback", "utter_default"):
        result = await bot.run(action)
        text = action.split("_")[1]
        assert (result.texts, result.events, result.responses) == ([text], [], [])
    own = Scripted("action_restart", says={"text": "meu"})
    bot = Conversation(domain | {"actions": [{"action_restart": {"send_domain": True}}]}, [own])
    assert (await bot.restart()).texts == ["meu"]


async def test_what_comes_first_opens_the_session() -> None:
    """An action or a slot, too; a slot opens none in place of an expired one, as by Rasa's API."""
    bot = Conversation(COLOUR, [Scripted("a")], carry_over_slots=False)
    await bot.run("a")
    assert _kinds(bot) == [*OPENED, "a"]
    bot = Conversation(COLOUR, [Scripted("a")], carry_over_slots=False)
    await bot.set_slot("colour", "green")
    assert _kinds(bot) == [*OPENED, "colour"]
    await bot.user("oi")
    bot.expire_session()
    await bot.set_slot("colour", "red")
    assert bot.slots["colour"] == "red"
    await bot.run("a")
    assert bot.slots["colour"] == "blue"
    await bot.run("a")
    assert _kinds(bot).count("session_started") == 2


async def test_a_session_expires_by_its_own_time() -> None:
    """By the domain's minutes, or 60, since the user last said something that counts."""
    now = [1000.0]
    carried = {"carry_over_slots_to_new_session": True}
    for config, minutes in ({}, 60), (carried, 60), ({"session_expiration_time": 5}, 5):
        bot = Conversation({"session_config": config}, [], now=lambda: now[0])
        for text, seconds, sessions in (("oi", 0, 1), ("ainda", 0, 1), ("de novo", 1, 2)):
            now[0] += minutes * 60 + seconds
            await bot.user(text)
            assert _kinds(bot).count("session_started") == sessions
        await bot.user("e mais")
        said = [event["text"] for event in bot.tracker.events if event["event"] == "user"]
        assert (said, bot.events[-1]["timestamp"]) == (["de novo", "e mais"], now[0])
    for config, reverted in (({"session_expiration_time": 0}, False), ({}, True)):  # it never does
        bot = Conversation({"session_config": config}, [])
        await bot.user("oi")
        if reverted:
            await bot.rewind()
        bot.expire_session()
        await bot.user("oi")
        assert _kinds(bot).count("session_started") == 1


async def test_a_forms_validation_can_be_tried() -> None:
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
    bot = Conversation({"slots": {"a": _every_turn()}}, [each, follow, speaks, rejects])
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


PACKAGES = {
    "kit_missing": "import kit_no_such_package",
    "kit_ending": "try: 1 / 0\nexcept ZeroDivisionError: raise SystemExit('not like this')",
    "kit_good": """
from rasa_sdk import Action
class Inner(Action):
    def name(self): return 'action_inner'
    async def run(self, dispatcher, tracker, domain): dispatcher.utter_message(text='found')
""",
}


async def test_a_package_is_registered_as_the_action_server_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All actions below it, mixed with others as one likes; what fails there says why here."""
    monkeypatch.syspath_prepend(tmp_path)
    for name, code in PACKAGES.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "inner.py").write_text(code)
    for name in ("kit_missing", "kit_no_such_package"):
        with pytest.raises(ModuleNotFoundError, match="No module named 'kit_no_such_package'"):
            Conversation({}, name)
    with pytest.raises(SystemExit, match="not like this"):
        Conversation({}, "kit_ending")
    every_class = utils.all_subclasses
    # The action server knows every class of its process; other tests' actions are not of this bot.
    monkeypatch.setattr(
        utils,
        "all_subclasses",
        lambda base: [each for each in every_class(base) if "kit_good" in each.__module__],
    )
    assert (await Conversation({}, "kit_good").run("action_inner")).texts == ["found"]
    mixed = Conversation({}, [Scripted("a"), "kit_good"])
    assert (await mixed.run("action_inner")).texts == ["found"]
    assert (await mixed.run("a")).texts == []
