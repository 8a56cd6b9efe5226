"""The CALM example: its files fit together, and its flows tell a balance to its owner alone.

The bot's own tests (examples/calm-bot/tests) run its actions. Here its flows decide which ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from actions.ps7.cli.command import main
from actions.ps7.testing.rasa_in_memory import load_domain
from tests.examples.calm_flows import BOT, FLOWS, branches, read, steps_of, terms, walk
from tests.support.dialogue import LOOK_UP, VERIFY
from tests.support.processes import ROOT

DOMAIN = load_domain([BOT / "domain"])
ACTIONS = [next(iter(each)) if isinstance(each, dict) else each for each in DOMAIN["actions"]]
END_TO_END = {file.name: read(file) for file in sorted(BOT.glob("e2e_tests/*.yml"))}
NOBODY = dict.fromkeys(DOMAIN["slots"])
IDENTIFIED = {"ps7_status": "ok", "identification": "identified"}
CLAIM = {"ps7_status": "ok", "identification": "authenticated", "token_status": "valid"}
SENSITIVE = {
    "action_answer_balance": CLAIM,
    "action_answer_registration": {"ps7_status": "ok", "identification": "authenticated"},
}
"""The actions that tell a customer's data, and what must hold wherever a flow runs one."""


def test_the_doctor_finds_nothing() -> None:
    """Not even a warning; and an assistant beside the flows sees the plugin's slots as well."""
    assert main(["doctor", "--bot", str(BOT), "--only-bot", "--strict"]) == 0
    assert [
        name for name, slot in DOMAIN["slots"].items() if not slot["shared_for_coexistence"]
    ] == []


def test_no_slot_holds_more_than_a_prompt_may() -> None:
    """What the bot knows of the customer is in the seal, and what is shown is masked."""
    assert DOMAIN["slots"].keys() & {"cpf", "agency", "account", "phone_number"} == set()


def test_the_answers_of_the_plugin_are_those_of_its_own_domain() -> None:
    """They stand in two files, since Rasa Pro's slots are not Rasa Open Source's."""
    original = read(ROOT / "domain.yml")["responses"]
    assert read(BOT / "domain" / "ps7.yml")["responses"] == original


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_names_what_is_there(flow: str) -> None:
    """Actions, answers and flows; it compares slots with values that they can have."""
    for step in steps_of(flow):
        assert step.get("action") in {None, *ACTIONS, *DOMAIN["responses"]}
        assert step.get("link") in {None, *FLOWS}
        for branch in branches(step):
            for term in terms(branch.get("if", "slots.ps7_status")):
                values = DOMAIN["slots"][term["slot"]].get("values", [])
                assert term["value"] in {None, *values}


def customers() -> Iterator[Mapping[str, Any]]:
    """Yield every combination of what can stand in the slots of the plugin."""
    names = ("ps7_status", "identification", "token_status", "security_device", "segment")
    values = [[None, *DOMAIN["slots"][name].get("values", ["any text"])] for name in names]
    for row in product(*values):
        yield {**NOBODY, **dict(zip(names, row, strict=True))}


@pytest.mark.parametrize("flow", FLOWS)
def test_whatever_the_slots_hold_a_flow_answers_and_opens_no_account(flow: str) -> None:
    """What reads a slot verifies first, and a sensitive action runs where all that it needs holds.

    A failure is said by its own name.
    """
    reads_slots = any(branches(step) for step in steps_of(flow))
    statuses = DOMAIN["slots"]["ps7_status"]["values"]
    for slots in customers():
        run = walk(flow, slots)
        assert run[0] == VERIFY or not reads_slots
        assert {*run} & {*DOMAIN["responses"], *SENSITIVE}, slots
        for action in SENSITIVE.keys() & run:
            assert SENSITIVE[action].items() <= slots.items()
        said = {name.removeprefix("utter_ps7_") for name in run} & {*statuses}
        if flow == "explain_ps7_status" and slots["ps7_status"] != "ok":
            assert said == {slots["ps7_status"] or "unavailable"}


@pytest.mark.parametrize(
    ("flow", "slots", "run"),
    [
        ("greet", {"ps7_status": "ok", "segment": "Private"}, ["utter_greet_segment"]),
        ("greet", {"ps7_status": "expired", "segment": "Private"}, ["utter_greet"]),
        ("check_balance", CLAIM, ["action_answer_balance"]),
        ("check_balance", CLAIM | {"token_status": "absent"}, ["utter_no_device"]),
        ("check_balance", CLAIM | {"token_status": "invalid"}, ["utter_ps7_ask_token"]),
        ("check_balance", IDENTIFIED, ["utter_ask_sign_in"]),
        ("check_balance", {"ps7_status": "rejected"}, ["utter_ps7_rejected"]),
        ("show_registration", CLAIM, ["action_answer_registration"]),
        ("show_registration", IDENTIFIED, ["utter_ask_sign_in"]),
        ("show_registration", {"ps7_status": "unavailable"}, ["utter_ps7_unavailable"]),
        ("token_help", IDENTIFIED | {"security_device": "token"}, ["utter_ps7_ask_token"]),
        ("token_help", IDENTIFIED | {"security_device": "csi"}, ["utter_token_help_csi"]),
        ("token_help", IDENTIFIED | {"security_device": "none"}, ["utter_no_device"]),
        ("token_help", IDENTIFIED, ["utter_token_help"]),
        ("log_out", CLAIM, ["action_ps7_forget", "utter_goodbye"]),
        ("talk_to_person", CLAIM, ["action_hand_over", "utter_desk_away"]),
        (
            "talk_to_person",
            CLAIM | {"handed_over": True},
            ["action_hand_over", "action_ps7_forget", "utter_handover"],
        ),
        (
            "talk_to_person",
            {"ps7_status": "missing", "handed_over": True},
            ["action_hand_over", "utter_handover"],
        ),
        (
            "explain_ps7_status",
            {"ps7_status": "tampered", "handed_over": True},
            ["utter_ps7_tampered", "action_hand_over", "utter_handover"],
        ),
    ],
)
def test_a_flow_answers(flow: str, slots: Mapping[str, Any], run: list[str]) -> None:
    """Each customer what is theirs; the context is handed over before it is forgotten."""
    assert [each for each in walk(flow, NOBODY | slots) if each != VERIFY] == run


def test_the_end_to_end_tests_name_what_is_there() -> None:
    """Stubs and assertions; and each outcome ends a test case. Rasa Pro alone runs them."""
    ends = set()
    for content in END_TO_END.values():
        cases = {case["test_case"]: case for case in content["test_cases"]}
        for name, stub in content["stub_custom_actions"].items():
            case, _, action = name.rpartition("::")
            assert action in ACTIONS
            assert case in {"", *cases}
            events = [event for event in stub["events"] if event["event"] == "slot"]
            changes = {event["name"]: event["value"] for event in events}
            for slot, value in changes.items():
                assert value in {None, *DOMAIN["slots"][slot].get("values", [value])}
            ends.add(changes.get("ps7_status"))
        for assertion in (
            each for case in cases.values() for step in case["steps"] for each in step["assertions"]
        ):
            assert assertion.get("flow_started", "greet") in FLOWS
            assert assertion.get("action_executed", LOOK_UP) in {*ACTIONS, *DOMAIN["responses"]}
            answer = assertion.get("bot_uttered", {}).get("utter_name", "utter_greet")
            assert answer in DOMAIN["responses"]
    assert {*DOMAIN["slots"]["ps7_status"]["values"]} <= ends
