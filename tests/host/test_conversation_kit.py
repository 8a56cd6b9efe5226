"""The conversation kit: what a bot builder relies on when testing actions without Rasa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rasa_sdk import Action, Tracker, utils
from rasa_sdk.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    FollowupAction,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa_sdk.forms import FormValidationAction
from rasa_sdk.interfaces import ActionNotFoundException

from actions.ps7.testing.conversation import Conversation, UndeclaredSlotError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class Scripted(Action):
    """Says and returns what it was told to, and remembers the trackers that it saw."""

    def __init__(
        self, name: str = "action_scripted", *events: object, says: Mapping[str, Any] | None = None
    ) -> None:
        self._name = name
        self.events = events
        self.says = says
        self.seen: list[Tracker] = []

    def name(self) -> str:
        """Return the name it is registered under."""
        return self._name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Play the script."""
        self.seen.append(tracker)
        if self.says:
            dispatcher.utter_message(**self.says)
        events: list[Any] = list(self.events)
        return events


class Broken(Action):
    """Fails."""

    def name(self) -> str:
        """Return the name it is registered under."""
        return "action_broken"

    async def run(
        self, _dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Raise an error of its own."""
        raise ZeroDivisionError


def _every_turn(**mapping: Any) -> dict[str, Any]:  # noqa: ANN401 - any key of a mapping
    return {"type": "any", "mappings": [{"type": "custom", "action": "action_each", **mapping}]}


COLOUR: dict[str, Any] = {"slots": {"colour": {"type": "text", "initial_value": "blue"}}}


def _kinds(bot: Conversation) -> list[str]:
    return [event.get("name") or event["event"] for event in bot.events]


async def test_the_first_message_opens_a_session() -> None:
    """The message's metadata is in a slot before and, carried over, after the session start."""
    bot = Conversation({}, [])
    await bot.user("oi", metadata={"contextId": "C1"})
    assert _kinds(bot) == [
        "session_started_metadata",
        "action_session_start",
        "session_started",
        "session_started_metadata",
        "action_listen",
        "user",
    ]
    assert bot.slots == {"session_started_metadata": {"contextId": "C1"}}


async def test_conversations_are_not_each_others() -> None:
    """Each has an id of its own, unless the test gives one; slots are carried over by default."""
    domain = {"session_config": {"session_expiration_time": 5}}
    bots = [Conversation(domain, []), Conversation(domain, []), Conversation({}, [], sender_id="a")]
    assert len({bot.sender_id for bot in bots}) == 3
    for bot in bots:
        await bot.user("oi", metadata={"n": 1})
        assert bot.tracker.sender_id == bot.sender_id
        assert bot.slots == {"session_started_metadata": {"n": 1}}


@pytest.mark.parametrize("configured", [True, False])
async def test_carrying_slots_over_can_be_decided_by_the_test(configured: bool) -> None:
    """`carry_over_slots` counts for more than the domain."""
    domain = {"session_config": {"carry_over_slots_to_new_session": configured}}
    bot = Conversation(domain, [], carry_over_slots=not configured)
    await bot.user("oi", metadata={"contextId": "C1"})
    carried = None if configured else {"contextId": "C1"}
    assert bot.slots == {"session_started_metadata": carried}


async def test_a_message_is_seen_as_rasa_shows_it() -> None:
    """The message has its own metadata; the event has Rasa's besides."""
    action = Scripted()
    bot = Conversation({}, [action], sender_id="ana", channel="phone")
    await bot.user(
        "ver saldo", metadata={"n": 1}, intent="balance", entities=[{"entity": "e", "value": "v"}]
    )
    await bot.run("action_scripted")
    tracker = action.seen[0]
    assert tracker.sender_id == "ana"
    assert tracker.latest_message.pop("message_id")
    assert tracker.latest_message == {
        "text": "ver saldo",
        "intent": {"name": "balance", "confidence": 1.0},
        "intent_ranking": [{"name": "balance", "confidence": 1.0}],
        "entities": [{"entity": "e", "value": "v"}],
        "metadata": {"n": 1},
    }
    event = bot.events[-3]
    assert event["metadata"] == {"n": 1, "model_id": "0" * 32, "assistant_id": "in-memory"}
    assert event["input_channel"] == tracker.get_latest_input_channel() == "phone"


@pytest.mark.parametrize(
    ("text", "given", "intent", "confidence"),
    [
        ("oi", None, None, 0.0),
        ("oi", "greet", "greet", 1.0),
        ("/greet", None, "greet", 1.0),
        ("/greet", "other", "other", 1.0),
        ('/greet{"a": "b"}', None, None, 0.0),
    ],
)
async def test_an_intent_is_given_or_written(
    text: str, given: str | None, intent: str | None, confidence: float
) -> None:
    """`intent=` says what NLU understood; `/name` says it too; without both there is none."""
    bot = Conversation({}, [])
    await bot.user(text, intent=given)
    assert bot.latest_message["text"] == text
    assert bot.latest_message["intent"] == {"name": intent, "confidence": confidence}


async def test_an_action_gives_back_events_messages_and_texts() -> None:
    """They come as they crossed the wire, and the slots are set."""
    action = Scripted("action_scripted", SlotSet("colour", ("a", 1)), says={"text": "feito"})
    bot = Conversation(COLOUR, [action])
    await bot.user("oi")
    result = await bot.run("action_scripted")
    assert result.events == [
        {"event": "slot", "timestamp": None, "name": "colour", "value": ["a", 1]}
    ]
    assert [message["text"] for message in result.responses] == ["feito"]
    assert result.texts == ["feito"]
    assert result.slots == {"colour": ["a", 1]}
    assert bot.slots["colour"] == ["a", 1]


async def test_what_a_test_is_given_is_a_copy() -> None:
    """Changing it changes no conversation."""
    bot = Conversation(COLOUR, [])
    await bot.set_slot("colour", {"deep": []})
    bot.slots["colour"]["deep"].append(1)
    bot.tracker.events.clear()
    bot.events.clear()
    bot.latest_message.clear()
    assert bot.slots["colour"] == {"deep": []}
    assert bot.tracker.get_slot("colour") == {"deep": []}
    assert bot.events
    assert bot.latest_message


async def test_an_undeclared_slot_fails_the_test() -> None:
    """Rasa would lose the value with one line in its log; here nothing of the action is noted."""
    bot = Conversation(
        COLOUR, [Scripted("a", SlotSet("colour", "red"), SlotSet("y"), SlotSet("x"))]
    )
    await bot.user("oi")
    before = bot.events
    with pytest.raises(UndeclaredSlotError, match="not declared in the domain: x, y"):
        await bot.run("a")
    with pytest.raises(UndeclaredSlotError):
        await bot.set_slot("x", 1)
    assert bot.events == before


async def test_an_unknown_action_is_an_error() -> None:
    """It is rasa_sdk's own error that says so, whatever the name looks like."""
    bot = Conversation({}, [])
    for name in ("action_unknown", "utter_unknown"):
        with pytest.raises(ActionNotFoundException):
            await bot.run(name)


async def test_an_error_of_an_action_reaches_the_test() -> None:
    """And leaves the conversation as it was."""
    bot = Conversation({}, [Broken])
    await bot.user("oi")
    before = bot.events
    with pytest.raises(ZeroDivisionError):
        await bot.run("action_broken")
    assert bot.events == before


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


async def test_an_event_that_rasa_does_not_know_is_an_error() -> None:
    """Rasa Open Source raises as well."""
    bot = Conversation({}, [Scripted("a", {"event": "session_ended"})])
    with pytest.raises(ValueError, match="knows no event 'session_ended'"):
        await bot.run("a")


async def test_every_turn_actions_run_once_a_turn() -> None:
    """All of them on the same state. Of what they return, only slots count; the rest is shown."""
    each = Scripted("action_each", SlotSet("a", 1), FollowupAction("x"), says={"text": "lost"})
    other = Scripted("action_other", SlotSet("b", 2))
    other_mapping = {"type": "custom", "action": "action_other"}
    slots = {
        "a": _every_turn(),
        "b": {"type": "any", "mappings": [_every_turn()["mappings"][0], other_mapping]},
        "c": {"type": "any", "mappings": [{"type": "custom"}]},
        "d": {"type": "text", "mappings": [{"type": "from_text"}]},
    }
    bot = Conversation({"slots": slots}, [each, other])
    for _ in range(2):
        result = await bot.user("oi")
        assert result.slots == {"a": 1, "b": 2}
        assert [event["event"] for event in result.events] == ["slot", "slot"]
        assert [ignored.get("event") or ignored["text"] for ignored in result.ignored] == [
            "followup",
            "lost",
        ]
        assert result.texts == []
    assert len(each.seen) == len(other.seen) == 2
    assert other.seen[0].get_slot("a") is None
    assert bot.tracker.followup_action is None


async def test_a_mapping_may_wait_for_a_form() -> None:
    """Its action runs while the form is active and asks for the slot."""
    each = Scripted("action_each")
    form = Scripted("a", ActiveLoop("form"), SlotSet("requested_slot", "a"))
    conditions = [{"active_loop": "form", "requested_slot": "a"}]
    domain = {
        "slots": {"a": _every_turn(conditions=conditions, intent="inform")},
        "forms": {"form": {"required_slots": ["a"]}},
    }
    bot = Conversation(domain, [each, form])
    await bot.user("oi", intent="inform")
    await bot.run("a")
    await bot.user("oi")
    assert each.seen == []
    await bot.user("oi", intent="inform")
    assert [tracker.active_loop["name"] for tracker in each.seen] == ["form"]


async def test_rasas_own_actions_say_their_answers() -> None:
    """If the domain has them; a bot's own action of that name replaces Rasa's."""
    names = ("restart", "back", "default")
    domain = {"responses": {f"utter_{name}": [{"text": name}] for name in names}}
    bot = Conversation(domain, [])
    await bot.user("oi")
    assert (await bot.run("action_restart")).texts == ["restart"]
    assert (await bot.run("action_back")).texts == ["back"]
    assert (await bot.run("action_default_fallback")).texts == ["default"]
    own = Scripted("action_restart", says={"text": "meu"})
    bot = Conversation(domain | {"actions": [{"action_restart": {"send_domain": True}}]}, [own])
    assert (await bot.restart()).texts == ["meu"]


async def test_rewind_takes_the_slots_of_the_turn_back() -> None:
    """The events stay, the fallback's answer is said, and the turn is over."""
    domain = COLOUR | {"responses": {"utter_default": [{"text": "Não entendi."}]}}
    bot = Conversation(domain, [Scripted("a", SlotSet("colour", "red"))])
    await bot.user("um")
    await bot.run("a")
    await bot.user("dois")
    await bot.set_slot("colour", "green")
    result = await bot.rewind()
    assert (result.texts, result.events, result.responses) == (["Não entendi."], [], [])
    assert bot.slots["colour"] == "red"
    assert bot.latest_message["text"] == "um"
    assert _kinds(bot)[-4:] == ["action_default_fallback", "bot", "rewind", "action_listen"]
    assert [event["text"] for event in bot.events if event["event"] == "user"] == ["um", "dois"]


async def test_restart_starts_over() -> None:
    """Slots have their initial values, and a session opens that knows no metadata."""
    bot = Conversation(COLOUR, [])
    await bot.user("oi", metadata={"contextId": "C1"})
    await bot.set_slot("colour", "red")
    await bot.restart()
    assert bot.slots == {"colour": "blue", "session_started_metadata": None}
    assert bot.latest_message["text"] is None
    assert _kinds(bot)[-5:] == [
        "action_restart",
        "restart",
        "action_session_start",
        "session_started",
        "action_listen",
    ]


async def test_an_action_may_restart_too() -> None:
    """Rasa goes on with a session start, and so does the kit."""
    bot = Conversation(COLOUR, [Scripted("a", Restarted())])
    await bot.user("oi")
    await bot.run("a")
    assert _kinds(bot)[-1] == "action_listen"


async def test_an_expired_session_is_followed_by_a_new_one() -> None:
    """Slots are carried over, the new metadata replaces the old, old events are out of sight."""
    action = Scripted()
    bot = Conversation(COLOUR, [action])
    await bot.user("oi", metadata={"contextId": "C1"})
    await bot.set_slot("colour", "red")
    bot.expire_session()
    assert bot.slots["session_started_metadata"] == {"contextId": "C1"}
    await bot.user("de novo", metadata={"contextId": "C2"})
    assert bot.slots == {"colour": "red", "session_started_metadata": {"contextId": "C2"}}
    await bot.user("e mais")
    assert [e["text"] for e in bot.tracker.events if e["event"] == "user"] == ["de novo", "e mais"]


async def test_a_session_may_never_expire() -> None:
    """It does not where the domain says so, nor while nothing that was said counts."""
    bot = Conversation({"session_config": {"session_expiration_time": 0}}, [])
    await bot.user("oi")
    bot.expire_session()
    await bot.user("oi")
    assert _kinds(bot).count("session_started") == 1

    bot = Conversation({}, [])
    await bot.user("oi")
    await bot.rewind()
    bot.expire_session()
    await bot.user("oi")
    await bot.user("oi")
    assert _kinds(bot).count("session_started") == 1


async def test_what_comes_first_opens_the_session() -> None:
    """An action or a slot that does not wait for the user, too."""
    opened = ["action_session_start", "session_started", "action_listen"]
    bot = Conversation(COLOUR, [Scripted("a")])
    await bot.run("a")
    assert _kinds(bot) == [*opened, "a"]
    bot = Conversation(COLOUR, [])
    await bot.set_slot("colour", "red")
    assert _kinds(bot) == [*opened, "colour"]


async def test_a_slot_opens_no_session_in_place_of_an_expired_one() -> None:
    """It is set in the old one, as by Rasa's API; an action opens the new one."""
    bot = Conversation(COLOUR, [Scripted("a")], carry_over_slots=False)
    await bot.user("oi")
    bot.expire_session()
    await bot.set_slot("colour", "red")
    assert bot.slots["colour"] == "red"
    await bot.run("a")
    assert bot.slots["colour"] == "blue"
    await bot.run("a")
    assert _kinds(bot).count("session_started") == 2


class ValidatePaint(FormValidationAction):
    """Wants a colour in capitals, and no size that is none."""

    def name(self) -> str:
        """Return the name of a form's validation."""
        return "validate_paint_form"

    def validate_colour(self, value: object, *_others: object) -> dict[str, Any]:
        """Write it so."""
        return {"colour": str(value).upper()}

    def validate_size(
        self, value: object, dispatcher: CollectingDispatcher, *_others: object
    ) -> dict[str, Any]:
        """Refuse it."""
        dispatcher.utter_message(text=f"{value}?")
        return {"size": None}


async def test_a_forms_validation_can_be_tried() -> None:
    """It sees what was filled in as Rasa shows it; what it says nothing of is good."""
    slots = {**COLOUR["slots"], "size": {"type": "text"}, "note": {"type": "text"}}
    forms = {"paint_form": {"required_slots": ["colour", "size"]}}
    bot = Conversation({"slots": slots, "forms": forms}, [ValidatePaint])
    await bot.happens(ActiveLoop("paint_form"), SlotSet("requested_slot", "colour"))
    await bot.user("azul")
    result = await bot.validate("validate_paint_form", colour="azul", size="torto", note="n")
    assert result.slots == {"colour": "AZUL", "size": None}
    assert result.texts == ["torto?"]
    assert {name: bot.slots[name] for name in slots} == {
        "colour": "AZUL",
        "size": None,
        "note": "n",
    }
    assert bot.tracker.active_loop["name"] == "paint_form"
    assert _kinds(bot)[3:7] == ["paint_form", "requested_slot", "user", "bot"]


async def test_what_a_validation_says_nothing_of_is_good() -> None:
    """The value stays as it was filled in; a slot that nobody declared is an error as ever."""
    action = Scripted("validate_paint_form")
    bot = Conversation(COLOUR, [action])
    await bot.user("azul")
    result = await bot.validate("validate_paint_form", colour="azul")
    assert result.slots == {}
    assert bot.slots["colour"] == "azul"
    with pytest.raises(UndeclaredSlotError, match="not declared in the domain: size"):
        await bot.validate("validate_paint_form", size="torto")
    assert len(action.seen) == 1, "the action was not even asked"


async def test_a_session_expires_by_its_own_time() -> None:
    """By the domain's minutes, or 60, since the user last said something that counts."""
    now = [1000.0]
    carried = {"carry_over_slots_to_new_session": True}
    for config, minutes in ({}, 60), (carried, 60), ({"session_expiration_time": 5}, 5):
        bot = Conversation({"session_config": config}, [], now=lambda: now[0])
        await bot.user("oi")
        now[0] += minutes * 60
        await bot.user("ainda")
        assert _kinds(bot).count("session_started") == 1
        now[0] += minutes * 60 + 1
        await bot.user("de novo")
        assert _kinds(bot).count("session_started") == 2
        assert bot.events[-1]["timestamp"] == now[0]


@pytest.mark.parametrize("name", ["kit_no_such_package", "kit_broken_package"])
def test_actions_that_cannot_be_imported_say_why(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The action server would end there; a test gets the error itself."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "kit_broken_package.py").write_text("import kit_no_such_package")
    with pytest.raises(ModuleNotFoundError, match="No module named 'kit_no_such_package'"):
        Conversation({}, name)


def test_actions_that_end_the_process_do_so_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With their own words, such as those about missing settings."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "kit_ending_package.py").write_text(
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise SystemExit('not like this')\n"
    )
    with pytest.raises(SystemExit, match="not like this"):
        Conversation({}, "kit_ending_package")


async def test_a_custom_session_start_runs_where_the_domain_lists_it() -> None:
    """It sees the message of the session before, and the metadata of the new one."""
    start = Scripted(
        "action_session_start",
        SessionStarted(),
        SlotSet("colour", "red"),
        ActionExecuted("action_listen"),
        says={"text": "bem-vindo"},
    )
    bot = Conversation(COLOUR | {"actions": ["action_session_start"]}, [start])
    result = await bot.user("oi", metadata={"contextId": "C1"})
    assert result.texts == ["bem-vindo"]
    assert result.slots == {"colour": "red"}
    bot.expire_session()
    await bot.user("de novo", metadata={"contextId": "C2"})
    first, second = start.seen
    assert (first.latest_message["text"], second.latest_message["text"]) == (None, "oi")
    assert second.get_slot("session_started_metadata") == {"contextId": "C2"}
    assert bot.slots == {"colour": "red", "session_started_metadata": None}


async def test_rasa_keeps_its_own_session_start_otherwise() -> None:
    """An action that is registered and not listed is not called."""
    start = Scripted("action_session_start")
    bot = Conversation({}, [start])
    await bot.user("oi")
    assert start.seen == []


async def test_texts_are_what_the_user_reads() -> None:
    """Answers are filled from the slots that the action found; an unknown answer says nothing."""
    domain = COLOUR | {"responses": {"utter_colour": [{"text": "{colour}, {tone}"}]}}
    known = {"response": "utter_colour", "tone": "dark"}
    bot = Conversation(
        domain,
        [
            Scripted("a", SlotSet("colour", "red"), BotUttered("e mais"), says=known),
            Scripted("b", says={"response": "utter_unknown"}),
        ],
    )
    assert (await bot.run("a")).texts == ["blue, dark", "e mais"]
    unknown = await bot.run("b")
    assert unknown.texts == []
    assert [message["response"] for message in unknown.responses] == ["utter_unknown"]


async def test_an_answer_can_be_run() -> None:
    """As a rule does that says `action: utter_hello`."""
    bot = Conversation({"responses": {"utter_hello": [{"text": "Olá!"}]}}, [])
    result = await bot.run("utter_hello")
    assert (result.texts, result.responses) == (["Olá!"], [])


async def test_a_followup_action_waits_for_the_test() -> None:
    """The tracker names it, and running it is what Rasa would do next."""
    bot = Conversation({}, [Scripted("a", FollowupAction("b")), Scripted("b")])
    await bot.user("oi")
    await bot.run("a")
    assert bot.tracker.followup_action == "b"
    await bot.run("b")
    assert bot.events[-1]["policy"] == "followup_action"
    assert bot.tracker.followup_action is None


async def test_an_action_may_speak_for_the_user() -> None:
    """Every-turn actions then run again, as in Rasa."""
    each = Scripted("action_each")
    bot = Conversation({"slots": {"a": _every_turn()}}, [each, Scripted("a", UserUttered("sim"))])
    await bot.user("oi")
    await bot.run("a")
    assert bot.latest_message["text"] == "sim"
    assert len(each.seen) == 2


async def test_a_rejected_execution_is_no_execution() -> None:
    """The tracker shows the rejection and no action."""
    bot = Conversation({}, [Scripted("a", ActionExecutionRejected("a"))])
    await bot.user("oi")
    await bot.run("a")
    assert _kinds(bot)[-2:] == ["user", "a"]
    assert bot.events[-1]["event"] == "action_execution_rejected"
    assert bot.tracker.latest_action_name == "action_listen"


async def test_a_package_is_registered_as_the_action_server_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All actions below it are found; they may be mixed with classes and instances."""
    package = tmp_path / "kit_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "inner.py").write_text(
        "from rasa_sdk import Action\n"
        "class Inner(Action):\n"
        "    def name(self):\n"
        "        return 'action_inner'\n"
        "    async def run(self, dispatcher, tracker, domain):\n"
        "        dispatcher.utter_message(text='found')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    every_class = utils.all_subclasses
    # The action server knows every class of its process; other tests' actions are not of this bot.
    monkeypatch.setattr(
        utils,
        "all_subclasses",
        lambda base: [each for each in every_class(base) if "kit_package" in each.__module__],
    )
    assert (await Conversation({}, "kit_package").run("action_inner")).texts == ["found"]
    mixed = Conversation({}, [Broken, Scripted("a"), "kit_package"])
    assert (await mixed.run("action_inner")).texts == ["found"]
    assert (await mixed.run("a")).texts == []
