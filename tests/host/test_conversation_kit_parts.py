"""The parts of the conversation kit that are pure: the tracker's state, domains, answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actions.ps7.testing.rasa_in_memory import (
    State,
    bot_message,
    every_turn_actions,
    initial_slots,
    load_domain,
    replay,
    stored,
)
from tests.support.init_bots import lay_out

Event = dict[str, Any]


def _replayed(*events: Event) -> State:
    noted = [stored(event, timestamp=1.0, origin={}) for event in events]
    return replay(noted, {"a": 0})


USER: Event = {"event": "user", "text": "oi", "parse_data": {"intent": {"name": "greet"}}}
LISTEN: Event = {"event": "action", "name": "action_listen"}
SET: Event = {"event": "slot", "name": "a", "value": 1}
REWIND, UNDO = {"event": "rewind"}, {"event": "undo"}


@pytest.mark.parametrize(
    ("events", "value"),
    [
        ([SET, {"event": "reset_slots"}], 0),
        ([SET, REWIND], 0),
        ([SET, LISTEN, {**SET, "value": 2}, UNDO], 1),
        ([SET, {"event": "export"}, LISTEN, UNDO], 1),
    ],
)
def test_slots_follow_the_events_that_count(events: list[Event], value: int) -> None:
    """What was reverted, or lies before the latest start, counts for nothing."""
    assert _replayed(*events).slots == {"a": value}


FORM = {"name": "form", "is_interrupted": False, "rejected": False}
START = [USER, {"event": "active_loop", "name": "form"}]
INTERRUPT = {"event": "loop_interrupted", "is_interrupted": True}
REJECT = {"event": "action_execution_rejected", "name": "form"}


@pytest.mark.parametrize(
    ("events", "loop"),
    [
        ([*START, {**REJECT, "name": "other"}], FORM),
        ([*START, INTERRUPT, REJECT], {**FORM, "is_interrupted": True, "rejected": True}),
        ([*START, INTERRUPT, REJECT, LISTEN], {**FORM, "rejected": True}),
        ([*START, INTERRUPT, REJECT, {"event": "action", "name": "form"}], FORM),
        ([*START, {"event": "active_loop", "name": None}], {}),
        ([INTERRUPT, REJECT], {}),
    ],
)
def test_an_active_loop_is_followed(events: list[Event], loop: dict[str, Any]) -> None:
    """It keeps the message that started it, and whether it was interrupted or rejected."""
    state = _replayed(*events)
    started = {"trigger_message": state.latest_message} if loop else {}
    assert state.active_loop == {**loop, **started}


def test_a_bot_can_be_paused_and_say_a_text_in_place_of_an_action() -> None:
    """And go on; end-to-end stories predict texts instead of names."""
    assert _replayed({"event": "pause"}).paused
    assert not _replayed({"event": "pause"}, {"event": "resume"}).paused
    state = _replayed({"event": "action", "action_text": "Olá!"})
    assert state.latest_action == {"action_text": "Olá!"}


FILES = {
    "top.yml": """
slots: {a: {type: text, initial_value: no}}
intents: [z, {b: {use_entities: true}}]
session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}
forms: {f: {required_slots: [a]}}
""",
    "below/b.yaml": "slots: {a: {type: float}, c: {type: any}}\nintents: [a, b]",
    "below/c.yml": "session_config: {session_expiration_time: 5}",
    "empty.yml": "",
    "notes.txt": "slots: {}",
}


def test_domain_files_are_merged_as_by_rasa(tmp_path: Path) -> None:
    """What is named first wins, files before folders; and a session_config that is no default.

    Dictionaries are merged as well; one may be empty, and what tests share stays.
    """
    (tmp_path / "below").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    domain = load_domain(tmp_path)
    assert domain == {
        "version": "3.1",
        "slots": {"a": {"type": "text", "initial_value": "no"}, "c": {"type": "any"}},
        "intents": ["a", {"b": {"use_entities": True}}, "z"],
        "forms": {"f": {"required_slots": ["a"]}},
        "session_config": {"session_expiration_time": 5},
    }
    assert domain == load_domain([str(tmp_path / "top.yml"), tmp_path / "below"])
    added = {"requested_slot": None, "session_started_metadata": None}
    assert initial_slots(domain) == {"a": "no", "c": None, **added}
    shared: Event = {"slots": {"a": {}}, "session_config": {"session_expiration_time": 30}}
    merged = load_domain([{}, tmp_path / "below", shared])
    assert merged["session_config"] == {"session_expiration_time": 5}
    load_domain(shared)["slots"]["a"]["type"] = "text"
    assert shared["slots"] == {"a": {}}
    assert initial_slots(load_domain({})) == {"session_started_metadata": None}


DATA = {
    "faq.yml": "nlu: [{intent: faq/a}]\nresponses: {u: [{text: data}], utter_faq: [{text: f}]}\n",
    "rules.yml": "rules: [{rule: responses}]\nslots: {z: {type: any}}\n",
    "long.yml": "nlu: [",
}


def test_the_responses_in_training_data_are_the_bots_too(tmp_path: Path) -> None:
    """As for Rasa, which takes nothing else of the domain from there. What has none is not read."""
    lay_out(tmp_path / "data", DATA)
    domain = load_domain([tmp_path / "data", {"responses": {"u": [{"text": "domain"}], "v": []}}])
    said = {"u": [{"text": "data"}], "utter_faq": [{"text": "f"}], "v": []}
    assert domain["responses"] == said
    assert "nlu" not in domain
    assert "slots" not in domain


CUSTOM = {"type": "custom", "action": "x"}
OF_B = {"active_loop": "form", "requested_slot": "b"}
OF_A = {"active_loop": "form", "requested_slot": "a"}
NO_FORM = {**CUSTOM, "conditions": [{"active_loop": None}]}


@pytest.mark.parametrize(
    ("mapping", "loop", "runs"),
    [
        (CUSTOM, None, True),
        ({"type": "custom"}, "form", False),
        ({"type": "controlled", "run_action_every_turn": "x"}, "form", True),
        ({"type": "from_text", "action": "x"}, "form", False),
        ({**CUSTOM, "intent": ["other", "greet"]}, "form", True),
        ({**CUSTOM, "not_intent": "greet"}, "form", False),
        (NO_FORM, "form", False),
        (NO_FORM, None, True),
        ({**CUSTOM, "conditions": [{"active_loop": "other"}, OF_A]}, "form", True),
        ({**CUSTOM, "conditions": [OF_B]}, "form", False),
    ],
)
def test_a_mapping_names_its_action_and_conditions(
    mapping: dict[str, Any], loop: str | None, runs: bool
) -> None:
    """Here the intent is greet, and a form is asking for a."""
    domain = {"slots": {"a": {"mappings": [mapping]}, "b": {"mappings": None}}}
    names = every_turn_actions(domain, intent="greet", loop=loop, requested="a")
    assert names == (["x"] if runs else [])


def _when(value: object) -> dict[str, Any]:
    return {"text": str(value), "condition": [{"type": "slot", "name": "a", "value": value}]}


ELSE, PHONE, REST = {"text": "else"}, {"text": "p", "channel": "phone"}, {"channel": "rest"}


@pytest.mark.parametrize(
    ("variations", "slot", "said"),
    [
        # Everything but text compares as it is; no condition comes last; of equals, the first.
        ([ELSE, _when(1)], "1", "else"),
        ([ELSE, _when(1)], 1, "1"),
        ([{"text": "first"}, ELSE], 1, "first"),
        # The channel counts for more than a condition; another channel's is not for this one.
        ([ELSE, _when(1), {**REST, "text": "rest"}], 1, "rest"),
        ([PHONE], 1, None),
        # Names in braces are filled as Rasa does it, oddities included.
        ([{"text": "{a} e {unknown}"}], 1, "{a} e {unknown}"),
        ([{"text": "{{a}}"}], 1, "{a}"),
        ([{"text": "{{a}} {b}"}], 1, "{{a}} {b}"),
    ],
)
def test_an_answer_depends_on_slots_and_channel(
    variations: list[dict[str, Any]], slot: object, said: str | None
) -> None:
    """The variation that fits best is said, with the slots in it; Rasa says nothing without one."""
    domain = {"responses": {"r": variations}}
    message = bot_message({"response": "r"}, domain, {"a": slot, "b": None}, "rest")
    assert (message["text"] if message else None) == said


def test_what_rasa_fills_of_an_answer_is_filled() -> None:
    """Buttons of the action come after the domain's, as they are; its values before the slots."""
    filled = ("text", "image", "attachment", "custom", "quick_replies", "buttons", "elements")
    variation: Event = {part: [{"title": "{a}{b}", "n": 1}] for part in filled}
    variation |= {"text": "{a}{b}", "image": "{b}"}
    sent = {"response": "r", "a": "2", "text": None, "buttons": [{"title": "{a}"}]}
    message = bot_message(sent, {"responses": {"r": [variation]}}, {"a": "1", "b": "3"}, "rest")
    said = [{"title": "23", "n": 1}]
    data = dict.fromkeys(filled[1:], said) | {"elements": variation["elements"], "image": "3"}
    assert message == {
        "event": "bot",
        "text": "23",
        "data": {**data, "buttons": [*said, {"title": "{a}"}]},
        "metadata": {"utter_action": "r", "a": "2"},
    }


def test_an_image_alone_is_an_attachment_too() -> None:
    """As in Rasa; one beside an attachment is none, as above."""
    message = bot_message({"image": "i"}, {}, {}, "rest")
    assert message is not None
    assert (message["data"]["attachment"], message["data"]["image"]) == ("i", "i")
