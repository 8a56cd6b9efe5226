"""The example bots' own tests, run as a bot builder runs them: alone, in a copy of the bot."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.dialogue import FORGET, LOOK_UP, VERIFY
from tests.support.processes import ROOT, printed

EXAMPLES, load = ROOT / "examples", YAML(typ="safe").load


@pytest.mark.slow
@pytest.mark.parametrize("bot", ["calm-bot", "oss-bot", "oss-bot-session-start"])
def test_the_tests_of_an_example_pass(bot: str, tmp_path: Path) -> None:
    """With the settings in the bot's own `pytest.ini`, and none of this repository's.

    Its links are files in a copy: `cp -rL`.
    """
    copy = shutil.copytree(EXAMPLES / bot, tmp_path / bot)
    command = (sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider")
    said = printed(*command, cwd=copy, variables=os.environ)
    assert re.search(r"(?m)^[1-9]\d* passed in ", said), said


def test_what_rules_read_is_declared_again_as_the_plugin_does() -> None:
    """A value that is missing here would be no value of the slot; only its influence differs."""
    domain = EXAMPLES / "oss-bot" / "domain"
    own, plugins = (load(domain / file)["slots"] for file in ("bot.yml", "ps7/domain.yml"))
    again = own.keys() & plugins.keys()
    assert again == {"ps7_status", "identification", "token_status"}
    for name in again:
        assert own[name] == {**plugins[name], "influence_conversation": True}, name


HAND_OVER = "action_hand_over"
SAID = {
    **dict.fromkeys(["missing", "invalid", "rejected", "expired"], ()),
    **dict.fromkeys(["denied", "tampered"], (HAND_OVER,)),
}
"""What follows the answer to who is not known, by `ps7_status`."""
KNOWN: dict[str, Any] = {"ps7_status": "ok"}
Does = dict[str, list[tuple[dict[str, Any], tuple[str, ...]]]]
DOES: Does = {
    "ask_balance": [
        ({}, (VERIFY, "utter_ps7_unavailable")),
        *(({"ps7_status": each}, (VERIFY, f"utter_ps7_{each}", *SAID[each])) for each in SAID),
        (KNOWN, (VERIFY, "utter_ask_sign_in")),
        (KNOWN | {"token_status": "invalid"}, (VERIFY, "utter_ps7_ask_token")),
        (KNOWN | {"token_status": "absent"}, (VERIFY, "utter_ps7_ask_token")),
        (
            KNOWN | {"identification": "authenticated", "token_status": "valid"},
            (VERIFY, "action_answer_balance"),
        ),
    ],
    "affirm": [
        ({}, ("utter_what_else",)),
        ({"balance_offered": True}, (VERIFY, "action_answer_balance")),
    ],
    "greet": [
        ({}, ("utter_greet", "action_offer_ivr_option")),
        ({"ps7_status": "denied"}, ("utter_ps7_denied", HAND_OVER)),
    ],
    "goodbye": [({}, (FORGET, "utter_goodbye"))],
    "ask_human": [({}, (HAND_OVER,))],
    "ask_account": [({}, ("action_answer_account",))],
    "ask_token_help": [({}, ("utter_ps7_ask_token",))],
    "nlu_fallback": [({}, ("utter_not_understood",))],
    "send_media": [({}, ("utter_only_text",))],
}
"""What the bot does, by intent: if so much holds."""
AT_SESSION_START: Does = {
    "ask_balance": [({}, (LOOK_UP, "action_answer_balance"))],
    "goodbye": DOES["goodbye"],
    "nlu_fallback": DOES["nlu_fallback"],
    "greet": [({}, ("utter_greet",))],
}


@pytest.mark.parametrize(
    ("bot", "does"), [("oss-bot", DOES), ("oss-bot-session-start", AT_SESSION_START)]
)
def test_the_rules_of_a_bot_do_for_each_customer_what_is_safe(bot: str, does: Does) -> None:
    """Its own tests walk them. The others answer the same to everybody, by one answer.

    What was not understood is no goodbye, and takes nothing back.
    """
    found: Does = {}
    for rule in load(EXAMPLES / bot / "data" / "rules.yml")["rules"]:
        (slots,) = [each["slot_was_set"] for each in rule.get("condition", ())] or [()]
        holds = {name: value for slot in slots for name, value in slot.items()}
        intent, *steps = rule["steps"]
        found.setdefault(intent["intent"], []).append((holds, tuple(s["action"] for s in steps)))
    for name, cases in found.items():
        if name in does:
            assert sorted(cases, key=str) == sorted(does[name], key=str)
        else:
            (((), (said,)),) = ((tuple(holds), steps) for holds, steps in cases)
            assert said == f"utter_{name.removeprefix('ask_')}" or name == "deny"
    assert does.keys() <= found.keys()
    domain = load(EXAMPLES / bot / "domain" / "bot.yml")
    assert found.keys() == {*domain["intents"]}
    config = load(EXAMPLES / bot / "config.yml")
    assert config["policies"] == [{"name": "RulePolicy", "enable_fallback_prediction": False}]
    assert config["pipeline"][-1]["name"] == "FallbackClassifier"
    assert config["pipeline"][-1]["threshold"] >= 0.4


@pytest.mark.parametrize("bot", ["oss-bot", "oss-bot-session-start", "calm-bot"])
def test_a_button_sends_what_it_says(bot: str) -> None:
    """Whoever is offered a yes says yes by it."""
    texts = load(EXAMPLES / bot / "domain" / "bot.yml")["responses"].values()
    buttons = [button for each in texts for text in each for button in text.get("buttons", ())]
    assert all(button["title"] == button["payload"] for button in buttons)
    assert len(buttons) == 2 * (bot == "oss-bot")
