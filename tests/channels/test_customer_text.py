"""What a customer's text is, and which payloads come back: `texts.json` has cases."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from examples.channels.customer_text import (
    LONGEST,
    TOO_LONG,
    TooLongError,
    customer_text,
    open_payload,
    seal_buttons,
    seal_payload,
)
from tests.conversation.fixtures import InRasa
from tests.support.processes import ROOT

CASES = json.loads((ROOT / "examples/channels/texts.json").read_text(encoding="utf-8"))
KEY = CASES["key"].encode()


@cache
def white_space() -> set[str]:
    return {each for each in map(chr, range(0x110000)) if not each.strip()}


def named(cases: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", CASES[cases], ids=lambda case: case["about"])


@named("texts")
def test_a_typed_text_is_what_the_table_says(case: dict[str, Any]) -> None:
    typed, times = case["typed"], case.get("times", 1)
    if case["text"] is None:
        with pytest.raises(TooLongError):
            customer_text(typed * times)
    else:
        assert customer_text(typed * times) == case["text"] * times


def test_the_table_has_all_white_space_and_the_limit() -> None:
    """And the sentence that a customer hears names it."""
    assert {each for case in CASES["texts"] for each in case["typed"]} >= white_space()
    lengths = [len(case["text"] or "") * case.get("times", 1) for case in CASES["texts"]]
    assert max(lengths) == LONGEST
    assert f"{LONGEST:,}".replace(",", ".") in TOO_LONG


@pytest.mark.parametrize("what", CASES["no texts"], ids=str)
def test_what_is_no_text_is_refused(what: object) -> None:
    """Never `str()` of it: that makes "None" of null."""
    with pytest.raises(TypeError):
        customer_text(what)


@named("payloads")
def test_a_payload_comes_back_to_its_conversation(case: dict[str, str]) -> None:
    """The seals are those of the table, for other languages."""
    conversation, payload = case["conversation"], case["payload"]
    assert seal_payload(KEY, conversation, payload) == case["sealed"]
    assert open_payload(KEY, conversation, case["sealed"]) == payload


def test_the_payloads_of_buttons_are_sealed_and_what_is_no_button_goes() -> None:
    """One without a payload says its title. What the bot has is not changed."""
    one = CASES["payloads"][0]
    told = {"title": "Sim", "payload": one["payload"], "type": "postback"}
    plain = [{"title": 1}, {"title": "Não", "payload": ""}, {"title": "x", "payload": {"a": "/b"}}]
    none = [None, "Sim", ["Sim"], {}, {"payload": "/affirm"}, {"title": ""}, {"title": None}]
    given = [told, *plain, *none]
    sealed = seal_buttons(KEY, one["conversation"], given)
    assert sealed == [{**told, "payload": one["sealed"]}, *plain]
    assert given == [told, *plain, *none]
    assert told["payload"] == one["payload"]


@named("forged")
def test_a_payload_that_the_bot_did_not_send_there_is_none(case: dict[str, Any]) -> None:
    assert open_payload(KEY, case["conversation"], case["sealed"]) is None


@pytest.mark.conversation
def test_no_text_is_a_command_to_rasa(in_rasa: InRasa) -> None:
    """As Rasa reads a message: each of its intents is one without what this module does."""
    read = """
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.nlu.training_data.message import Message
found = []
for text in given:
    message = Message.build(UserMessage(text).text)
    found.append(YAMLStoryReader.unpack_regex_message(message) is not message)
"""
    typed = [case["typed"] for case in CASES["texts"] if "times" not in case]
    commands = [each for each, found in zip(typed, in_rasa(read, *typed), strict=True) if found]
    assert len(commands) > len(white_space())
    assert in_rasa(read, *map(customer_text, typed)) == [False] * len(typed)
