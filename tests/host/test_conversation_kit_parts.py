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

Event = dict[str, Any]


def _replayed(*events: Event) -> State:
    noted = [stored(event, timestamp=1.0, origin={}) for event in events]
    return replay(noted, {"a": 0})


USER: Event = {"event": "user", "text": "oi", "parse_data": {"intent": {"name": "greet"}}}
LISTEN: Event = {"event": "action", "name": "action_listen"}
SET: Event = {"event": "slot", "name": "a", "value": 1}
RESTART, REWIND, UNDO = ({"event": kind} for kind in ("restart", "rewind", "undo"))


@pytest.mark.parametrize(
    ("events", "value"),
    [
        ([{**SET, "name": "unknown"}], 0),
        ([SET, {"event": "reset_slots"}], 0),
        ([SET, LISTEN, USER, {**SET, "value": 2}, REWIND], 1),
        ([SET, REWIND], 0),
        ([SET, LISTEN, {**SET, "value": 2}, UNDO], 1),
        ([LISTEN, USER, SET, RESTART, REWIND], 0),
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
    "a.yml": """
slots: {a: {type: text, initial_value: no}}
intents: [z, {b: {use_entities: true}}]
session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}
forms: {f: {required_slots: [a]}}
""",
    "below/b.yaml": """
slots: {a: {type: float}, c: {type: any}}
intents: [a, b]
forms: {f: {required_slots: [c]}, g: {required_slots: [c]}}
""",
    "below/c.yml": "session_config: {session_expiration_time: 5}",
    "nlu.yml": "nlu: []",
    "empty.yml": "",
    "notes.txt": "slots: {}",
}


def test_domain_files_are_merged_as_by_rasa(tmp_path: Path) -> None:
    """What is named first wins; a session_config that is not the default wins over one that is."""
    (tmp_path / "below").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    domain = load_domain(tmp_path)
    assert domain == {
        "version": "3.1",
        "slots": {"a": {"type": "text", "initial_value": "no"}, "c": {"type": "any"}},
        "intents": ["a", {"b": {"use_entities": True}}, "z"],
        "forms": {"f": {"required_slots": ["a"]}, "g": {"required_slots": ["c"]}},
        "session_config": {"session_expiration_time": 5},
    }
    assert domain == load_domain([str(tmp_path / "a.yml"), tmp_path / "below"])
    added = {"requested_slot": None, "session_started_metadata": None}
    assert initial_slots(domain) == {"a": "no", "c": None, **added}


def test_of_two_session_configs_the_one_that_is_named_first_is_rasas() -> None:
    """As of everything that is named twice."""
    configs = [{"session_config": {"session_expiration_time": minutes}} for minutes in (5, 30)]
    assert load_domain(configs)["session_config"] == {"session_expiration_time": 5}


def test_a_domain_may_be_empty() -> None:
    """And a dictionary, which tests share, stays."""
    assert initial_slots(load_domain({})) == {"session_started_metadata": None}
    given: dict[str, Any] = {"slots": {"a": {"type": "any"}}}
    load_domain(given)["slots"]["a"]["type"] = "text"
    assert given == {"slots": {"a": {"type": "any"}}}


CUSTOM = {"type": "custom", "action": "x"}
OF_B = {"active_loop": "form", "requested_slot": "b"}
OF_A = {"active_loop": "form", "requested_slot": "a"}


@pytest.mark.parametrize(
    ("mapping", "runs"),
    [
        (CUSTOM, True),
        ({"type": "custom"}, False),
        ({"type": "controlled", "run_action_every_turn": "x"}, True),
        ({"type": "from_text", "action": "x"}, False),
        ({**CUSTOM, "intent": ["other", "greet"]}, True),
        ({**CUSTOM, "intent": "other"}, False),
        ({**CUSTOM, "not_intent": "greet"}, False),
        ({**CUSTOM, "conditions": [{"active_loop": None}]}, False),
        ({**CUSTOM, "conditions": [{"active_loop": "other"}, OF_A]}, True),
        ({**CUSTOM, "conditions": [OF_B]}, False),
    ],
)
def test_a_mapping_names_its_action_and_conditions(mapping: dict[str, Any], runs: bool) -> None:
    """Here the intent is greet, and a form is asking for a."""
    domain = {"slots": {"a": {"mappings": [mapping]}, "b": {"mappings": None}}}
    names = every_turn_actions(domain, intent="greet", loop="form", requested="a")
    assert names == (["x"] if runs else [])
    no_form = mapping.get("conditions") == [{"active_loop": None}]
    names = every_turn_actions(domain, intent="greet", loop=None, requested=None)
    assert names == (["x"] if no_form or (runs and "conditions" not in mapping) else [])


def _when(value: object) -> dict[str, Any]:
    return {"text": str(value), "condition": [{"type": "slot", "name": "a", "value": value}]}


ELSE, PHONE, REST = {"text": "else"}, {"text": "p", "channel": "phone"}, {"channel": "rest"}


@pytest.mark.parametrize(
    ("variations", "slot", "said"),
    [
        # Everything but text compares as it is; no condition comes last.
        ([ELSE, _when(1)], 1, "1"),
        ([ELSE, _when(1)], "1", "else"),
        # The channel counts for more than a condition; another channel's is not for this one.
        ([ELSE, _when(1), {**REST, "text": "rest"}], 1, "rest"),
        ([PHONE], 1, None),
        # Names in braces are filled as Rasa does it, oddities included.
        ([{"text": "{a} e {b}"}], 1, "1 e None"),
        ([{"text": "{a} e {unknown}"}], 1, "{a} e {unknown}"),
        ([{"text": "{{a}}"}], 1, "{a}"),
        ([{"text": "{{a}} {b}"}], 1, "{{a}} {b}"),
        ([], 1, None),
    ],
)
def test_an_answer_depends_on_slots_and_channel(
    variations: list[dict[str, Any]], slot: object, said: str | None
) -> None:
    """The variation that fits best is said, with the slots in it; Rasa says nothing without one."""
    domain = {"responses": {"r": variations}}
    message = bot_message({"response": "r"}, domain, {"a": slot, "b": None}, "rest")
    assert (message["text"] if message else None) == said


def test_an_answer_is_filled_however_deep() -> None:
    """What is no content goes to the metadata; an image counts as an attachment too."""
    answer = {"custom": {"list": [{"deep": "{a}"}, 1]}, "image": "{a}.png", "id": "v1"}
    message = bot_message({"response": "r"}, {"responses": {"r": [answer]}}, {"a": "A"}, "rest")
    assert message is not None
    assert message["metadata"] == {"id": "v1", "utter_action": "r"}
    assert message["data"]["custom"] == {"list": [{"deep": "A"}, 1]}
    assert message["data"]["attachment"] == message["data"]["image"] == "A.png"
