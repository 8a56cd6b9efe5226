"""The parts of the conversation kit that are pure: the tracker's state, domains, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actions.ps7.testing.rasa_in_memory.domain import (
    bot_message,
    every_turn_actions,
    initial_slots,
    load_domain,
)
from actions.ps7.testing.rasa_in_memory.replay import State, replay, stored

if TYPE_CHECKING:
    from pathlib import Path


def _replayed(*events: dict[str, Any]) -> State:
    noted = [stored(event, timestamp=1.0, origin={}) for event in events]
    return replay(noted, {"a": 0})


USER: dict[str, Any] = {"event": "user", "text": "oi", "parse_data": {"intent": {"name": "greet"}}}
LISTEN: dict[str, Any] = {"event": "action", "name": "action_listen"}
SET: dict[str, Any] = {"event": "slot", "name": "a", "value": 1}


@pytest.mark.parametrize(
    ("events", "value"),
    [
        ([SET], 1),
        ([{**SET, "name": "unknown"}], 0),
        ([SET, {"event": "reset_slots"}], 0),
        ([SET, {"event": "restart"}], 0),
        ([SET, {"event": "session_started"}], 0),
        ([LISTEN, USER, SET, {"event": "rewind"}], 0),
        ([SET, LISTEN, USER, {**SET, "value": 2}, {"event": "rewind"}], 1),
        ([SET, {"event": "rewind"}], 0),
        ([SET, LISTEN, {**SET, "value": 2}, {"event": "undo"}], 1),
        ([SET, LISTEN, USER, {"event": "rewind"}, {**SET, "value": 3}], 3),
        ([LISTEN, USER, SET, {"event": "restart"}, {"event": "rewind"}], 0),
        ([SET, {"event": "bot", "text": "oi"}, {"event": "rewind"}, {"event": "reminder"}], 0),
        ([SET, {"event": "session_started"}, LISTEN, USER, {"event": "rewind"}], 0),
        ([SET, {"event": "export"}, LISTEN, {"event": "undo"}], 1),
    ],
)
def test_slots_follow_the_events_that_count(events: list[dict[str, Any]], value: int) -> None:
    """What was taken back, or lies before the latest start, counts for nothing."""
    assert _replayed(*events).slots == {"a": value}


def test_a_bot_can_be_paused() -> None:
    """And go on."""
    assert _replayed({"event": "pause"}).paused
    assert not _replayed({"event": "pause"}, {"event": "resume"}).paused


def test_an_active_loop_is_followed() -> None:
    """It keeps the message that started it, and whether it was interrupted or rejected."""
    start = [USER, {"event": "active_loop", "name": "form"}]
    interrupt: dict[str, Any] = {"event": "loop_interrupted", "is_interrupted": True}
    reject = {"event": "action_execution_rejected", "name": "form"}
    loop = _replayed(*start).active_loop
    assert loop == {
        "name": "form",
        "is_interrupted": False,
        "rejected": False,
        "trigger_message": {
            "text": "oi",
            "intent": {"name": "greet"},
            "entities": [],
            "message_id": None,
            "metadata": {},
        },
    }
    disturbed = _replayed(*start, interrupt, reject).active_loop
    assert disturbed == loop | {"is_interrupted": True, "rejected": True}
    form = {"event": "action", "name": "form"}
    assert _replayed(*start, interrupt, reject, LISTEN).active_loop == loop | {"rejected": True}
    assert _replayed(*start, interrupt, reject, form).active_loop == loop
    assert _replayed(*start, {"event": "active_loop", "name": None}).active_loop == {}
    assert _replayed(interrupt, reject).active_loop == {}


def test_an_event_keeps_its_metadata() -> None:
    """Before that of the model."""
    event = stored({**SET, "metadata": {"m": 1}}, timestamp=2.0, origin={"m": "0", "n": "0"})
    assert event == {**SET, "timestamp": 2.0, "metadata": {"m": 1, "n": "0"}}


def test_domain_files_are_merged_as_by_rasa(tmp_path: Path) -> None:
    """What is named first wins; a session_config that is not the default wins over one that is."""
    (tmp_path / "below").mkdir()
    (tmp_path / "a.yml").write_text(
        "slots: {a: {type: text, initial_value: no}, b: {type: any}}\n"
        "intents: [z, {b: {use_entities: true}}]\n"
        "entities: [e]\n"
        "e2e_actions: [Olá!]\n"
        "session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}\n"
        "forms: {f: {required_slots: [a]}}\n",
        encoding="utf-8",
    )
    (tmp_path / "below" / "b.yaml").write_text(
        "slots: {a: {type: float}, c: {type: any}}\n"
        "intents: [a, b]\n"
        "actions: [action_a, {action_b: {send_domain: true}}]\n"
        "entities: [e, {f: {roles: [r]}}]\n"
        "e2e_actions: [Tchau!, Olá!]\n"
        "forms: {f: {required_slots: [c]}, g: {required_slots: [c]}}\n",
        encoding="utf-8",
    )
    (tmp_path / "below" / "c.yml").write_text("session_config: {session_expiration_time: 5}\n")
    (tmp_path / "nlu.yml").write_text("nlu: []\n")
    (tmp_path / "empty.yml").touch()
    (tmp_path / "notes.txt").write_text("slots: {}")
    domain = load_domain(tmp_path)
    assert domain == {
        "version": "3.1",
        "slots": {
            "a": {"type": "text", "initial_value": "no"},
            "b": {"type": "any"},
            "c": {"type": "any"},
        },
        "intents": ["a", {"b": {"use_entities": True}}, "z"],
        "actions": ["action_a", {"action_b": {"send_domain": True}}],
        "entities": ["e", {"f": {"roles": ["r"]}}],
        "e2e_actions": ["Tchau!", "Olá!"],
        "forms": {"f": {"required_slots": ["a"]}, "g": {"required_slots": ["c"]}},
        "session_config": {"session_expiration_time": 5},
    }
    assert domain == load_domain([str(tmp_path / "a.yml"), tmp_path / "below"])
    assert initial_slots(domain) == {
        "a": "no",
        "b": None,
        "c": None,
        "requested_slot": None,
        "session_started_metadata": None,
    }


def test_a_domain_may_be_empty_but_not_missing(tmp_path: Path) -> None:
    """A bot without slots works; a wrong path is an error, not a bot without slots."""
    (tmp_path / "empty.yml").touch()
    assert initial_slots(load_domain(tmp_path / "empty.yml")) == {"session_started_metadata": None}
    assert load_domain([]) == load_domain({})
    with pytest.raises(FileNotFoundError):
        load_domain(tmp_path / "missing.yml")


def test_a_domain_given_as_a_dictionary_is_not_changed() -> None:
    """Tests share such dictionaries."""
    given: dict[str, Any] = {"intents": ["b", "a"], "slots": {"a": {"type": "any"}}}
    load_domain(given)["slots"]["a"]["type"] = "text"
    assert given == {"intents": ["b", "a"], "slots": {"a": {"type": "any"}}}


@pytest.mark.parametrize(
    ("mapping", "runs"),
    [
        ({"type": "custom", "action": "x"}, True),
        ({"type": "custom"}, False),
        ({"type": "controlled", "run_action_every_turn": "x"}, True),
        ({"type": "from_text", "action": "x"}, False),
        ({"type": "custom", "action": "x", "intent": "greet"}, True),
        ({"type": "custom", "action": "x", "intent": ["other", "greet"]}, True),
        ({"type": "custom", "action": "x", "intent": "other"}, False),
        ({"type": "custom", "action": "x", "not_intent": ["other"]}, True),
        ({"type": "custom", "action": "x", "not_intent": "greet"}, False),
        ({"type": "custom", "action": "x", "conditions": [{"active_loop": None}]}, False),
        ({"type": "custom", "action": "x", "conditions": [{"active_loop": "form"}]}, True),
        (
            {
                "type": "custom",
                "action": "x",
                "conditions": [
                    {"active_loop": "other"},
                    {"active_loop": "form", "requested_slot": "a"},
                ],
            },
            True,
        ),
        (
            {
                "type": "custom",
                "action": "x",
                "conditions": [{"active_loop": "form", "requested_slot": "b"}],
            },
            False,
        ),
    ],
)
def test_a_mapping_names_its_action_and_conditions(mapping: dict[str, Any], runs: bool) -> None:
    """Here the intent is greet, and a form is asking for a."""
    domain = {"slots": {"a": {"mappings": [mapping]}, "b": {"mappings": None}}}
    names = every_turn_actions(domain, intent="greet", loop="form", requested="a")
    assert names == (["x"] if runs else [])


def test_a_mapping_may_ask_for_no_form() -> None:
    """Which is so when none is active."""
    mapping = {"type": "custom", "action": "x", "conditions": [{"active_loop": None}]}
    domain = {"slots": {"a": {"mappings": [mapping]}}}
    assert every_turn_actions(domain, intent=None, loop=None, requested=None) == ["x"]


def _text(variations: list[dict[str, Any]], **slots: object) -> object:
    message = bot_message({"response": "r"}, {"responses": {"r": variations}}, slots, "rest")
    return message["text"] if message else None


def _when(value: object) -> list[dict[str, Any]]:
    return [{"type": "slot", "name": "a", "value": value}]


@pytest.mark.parametrize(
    ("slot", "said"), [("GOLD", "gold"), (1, "one"), ("1", "else"), (None, "else"), (True, "one")]
)
def test_an_answer_may_depend_on_slots(slot: object, said: str) -> None:
    """Texts compare without their case, everything else as it is; what has no condition is last."""
    variations: list[dict[str, Any]] = [
        {"text": "else"},
        {"text": "gold", "condition": _when("gold")},
        {"text": "one", "condition": _when(1)},
    ]
    assert _text(variations, a=slot) == said


def test_an_answer_may_depend_on_the_channel() -> None:
    """That counts for more than a condition, and another channel's answer is not for this one."""
    general, other = {"text": "general"}, {"text": "phone", "channel": "phone"}
    conditional: dict[str, Any] = {"text": "conditional", "condition": _when(1)}
    assert _text([other, general], a=1) == "general"
    assert _text([general, conditional, {"text": "rest", "channel": "rest"}], a=1) == "rest"
    assert _text([other], a=1) is None


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{a} e {b}", "1 e None"),
        ("{a} e {unknown}", "{a} e {unknown}"),
        ("{{a}}", "{a}"),
        ("{{a}} {b}", "{{a}} {b}"),
    ],
)
def test_names_in_braces_are_filled(text: str, filled: str) -> None:
    """As Rasa fills them, oddities included."""
    assert _text([{"text": text}], a=1, b=None) == filled


def test_a_message_is_put_together_as_by_rasa() -> None:
    """The answer first, then what the action adds; what is no content goes to the metadata."""
    answer = {
        "text": "{a}",
        "buttons": [{"title": "{a}", "payload": "/p"}],
        "custom": {"list": [{"deep": "{a}"}, 1]},
        "image": "{a}.png",
        "quick_replies": ["{a}?"],
        "id": "v1",
    }
    response = {"response": "r", "buttons": [{"title": "mais"}], "text": None, "extra": "x"}
    assert bot_message(response, {"responses": {"r": [answer]}}, {"a": "A"}, "rest") == {
        "event": "bot",
        "text": "A",
        "data": {
            "elements": None,
            "quick_replies": ["A?"],
            "buttons": [{"title": "A", "payload": "/p"}, {"title": "mais"}],
            "attachment": "A.png",
            "image": "A.png",
            "custom": {"list": [{"deep": "A"}, 1]},
        },
        "metadata": {"id": "v1", "utter_action": "r", "extra": "x"},
    }


def test_an_attachment_is_none_of_the_image() -> None:
    """Rasa names the image there only if there is no other."""
    answer = {"attachment": "{a}.pdf"}
    message = bot_message(
        {"response": "r", "image": "b.png"}, {"responses": {"r": [answer]}}, {"a": "A"}, "rest"
    )
    assert message is not None
    assert (message["data"]["attachment"], message["data"]["image"]) == ("A.pdf", "b.png")
