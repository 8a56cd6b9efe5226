"""The CALM example: its files fit together, and its flows tell a balance to its owner alone.

The bot's own tests (examples/calm-bot/tests) run its actions. Here its flows decide which ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from actions.ps7.testing.rasa_in_memory import load_domain
from tests.examples.calm_flows import BOT, FLOWS, branches, read, steps_of, walk
from tests.support.dialogue import LOOK_UP, VERIFY

DOMAIN = load_domain([BOT / "domain"])
ACTIONS = [next(iter(each)) if isinstance(each, dict) else each for each in DOMAIN["actions"]]
CASES = [
    pytest.param(content["stub_custom_actions"], case, id=case["test_case"])
    for content in map(read, sorted(BOT.glob("e2e_tests/*.yml")))
    for case in content["test_cases"]
]
"""Of the bot's end-to-end tests."""
NOBODY = dict.fromkeys(DOMAIN["slots"])
CLAIM = {"ps7_status": "ok", "identification": "authenticated", "token_status": "valid"}
QUOTED = {
    name: {slot for each in texts for slot in re.findall(r"{(\w+)}", each["text"])} & {*NOBODY}
    for name, texts in DOMAIN["responses"].items()
}
"""The slots of which an answer tells something."""
SAYS = {"action_hand_over"}
"""The other actions that answer."""
SENSITIVE = {
    "action_answer_balance": CLAIM,
    "action_answer_registration": {"ps7_status": "ok", "identification": "authenticated"},
}
"""The actions that tell a customer's data, and what must hold wherever a flow runs one."""


def test_a_prompt_may_have_every_slot_and_an_assistant_sees_it() -> None:
    """What the bot knows of the customer is in the seal, and what is shown is masked."""
    assert DOMAIN["slots"].keys() & {"cpf", "agency", "account", "phone_number"} == set()
    assert all(slot["shared_for_coexistence"] for slot in DOMAIN["slots"].values())


def customers() -> Iterator[Mapping[str, Any]]:
    """Yield every combination of what can stand in the slots of the plugin."""
    names = ("ps7_status", "identification", "token_status", "security_device", "segment")
    values = [[None, *DOMAIN["slots"][name].get("values", ["any text"])] for name in names]
    for row in product(*values):
        yield {**NOBODY, **dict(zip(names, row, strict=True))}


@pytest.mark.parametrize("flow", FLOWS)
def test_whatever_the_slots_hold_a_flow_answers_and_opens_no_account(flow: str) -> None:
    """What reads a slot verifies first, and a sensitive action runs where all that it needs holds.

    It runs what the domain has, and a failure is said by its own name; a person takes over where
    no retry would help.
    """
    reads_slots = any(branches(step) for step in steps_of(flow))
    statuses = DOMAIN["slots"]["ps7_status"]["values"]
    for slots in customers():
        run = walk(flow, slots)
        assert run[0] == VERIFY or not reads_slots
        assert {*run} <= {*ACTIONS, *DOMAIN["responses"]}
        assert {*run} & {*DOMAIN["responses"], *SENSITIVE, *SAYS}, slots
        for action in SENSITIVE.keys() & run:
            assert SENSITIVE[action].items() <= slots.items()
        for quoted in (slots[name] for said in run for name in QUOTED.get(said, ())):
            assert slots["ps7_status"] == "ok"
            assert quoted
        said = {name.removeprefix("utter_ps7_") for name in run} & {*statuses}
        if flow == "explain_ps7_status" and slots["ps7_status"] != "ok":
            assert said == {slots["ps7_status"] or "unavailable"}
            assert ("action_hand_over" in run) is bool(said & {"denied", "tampered"})


def test_a_flow_that_others_link_to_begins_in_no_other_way() -> None:
    """No language model starts it by itself; a pattern is Rasa's own."""
    linked = {step["link"] for flow in FLOWS for step in steps_of(flow) if "link" in step}
    assert {name for name, flow in FLOWS.items() if flow.get("if") is False} == {
        name for name in linked if not name.startswith("pattern_")
    }


def test_the_channel_hears_that_the_customer_has_left() -> None:
    """By what no customer sees: a page lets nobody arrive by themselves from then on."""
    custom = {name: texts[0].get("custom") for name, texts in DOMAIN["responses"].items()}
    signals = {name: each["data"]["conversation"] for name, each in custom.items() if each}
    assert signals == {"utter_handover": "handed_over", "utter_goodbye": "ended"}


def test_who_opens_the_conversation_is_greeted_as_who_says_good_morning() -> None:
    """By segment, if a channel sends /session_start before the customer writes."""
    assert FLOWS["pattern_session_start"]["nlu_trigger"] == [{"intent": "session_start"}]
    greetings = {(*walk("pattern_session_start", slots),) for slots in customers()}
    assert greetings == {(*walk("greet", slots),) for slots in customers()}
    assert len(greetings) == 2


def test_nothing_more_is_asked_after_a_greeting_and_a_goodbye() -> None:
    """Else Rasa asks what else it can do: the one has asked already, and the other logs out."""
    quiet = {name for name, flow in FLOWS.items() if flow.get("run_pattern_completed") is False}
    assert quiet == {"greet", "log_out"}


def test_a_hand_over_is_the_last_step() -> None:
    """It pauses the conversation. A step after it would run once the desk has returned it."""
    for flow in ("talk_to_person", "pattern_human_handoff"):
        assert walk(flow, NOBODY) == [VERIFY, "action_hand_over"]
        assert not any(branches(step) for step in steps_of(flow))


def test_a_conversation_is_made_unreadable_each_night_and_then_deleted() -> None:
    """Rasa counts minutes: thirty days, and the customer's data in it goes sooner.

    A rule for another name would leave the customer's CPF as it is.
    """
    privacy = read(BOT / "endpoints.yml")["privacy"]
    assert privacy["tracker_store_settings"] == {
        "anonymization": {"min_after_session_end": 60, "cron": "0 5 * * *"},
        "deletion": {"min_after_session_end": 30 * 24 * 60, "cron": "0 6 * * *"},
    }
    ways = {each["slot"]: each["anonymization"] for each in privacy["rules"]}
    assert ways == {
        "cpf_masked": {"type": "redact", "redaction_char": "*"},
        "ps7_context": {"type": "mask"},
    }
    assert ways.keys() <= DOMAIN["slots"].keys()


def test_the_model_that_reads_the_customer_is_there_and_answers_in_time() -> None:
    """Before a page gives up on the bot. It reads no more than a message, and all flows at once."""
    (group,) = read(BOT / "endpoints.yml")["model_groups"]
    (generator,) = read(BOT / "config.yml")["pipeline"]
    assert generator["llm"] == {"model_group": group["id"]}
    assert generator["flow_retrieval"] == {"active": False}
    assert generator["user_input"] == {"max_characters": 420}
    (model,) = group["models"]
    assert model["timeout"] < 10
    assert model["max_completion_tokens"] <= 256


def test_two_flows_are_not_described_alike() -> None:
    """The model, and the customer who is offered some, tell them apart by that."""
    for key in ("name", "description"):
        assert len({flow[key] for flow in FLOWS.values()}) == len(FLOWS)


def test_an_answer_that_is_a_template_says_so() -> None:
    """Else the customer reads its braces."""
    for name, texts in DOMAIN["responses"].items():
        for each in texts:
            how = {"template": "jinja"} if "{{" in each["text"] else None
            assert each.get("metadata") == how, name


@pytest.mark.parametrize(("stubs", "case"), CASES)
def test_an_end_to_end_test_holds(stubs: dict[str, Any], case: dict[str, Any]) -> None:
    """Rasa Pro alone runs it. Here the flow is walked that it names, with its stubs' slots."""
    assert {name.rpartition("::")[2] for name in stubs} <= {*ACTIONS}
    slots = {**NOBODY}
    for action in (LOOK_UP, VERIFY, "action_hand_over"):
        stub = stubs.get(f"{case['test_case']}::{action}") or stubs.get(action, {"events": ()})
        slots |= {each["name"]: each["value"] for each in stub["events"]}
    assert slots.keys() == NOBODY.keys()

    (step,) = case["steps"]
    assertions: list[dict[str, Any]] = step["assertions"]
    (flow,) = (each["flow_started"] for each in assertions if "flow_started" in each)
    wanted = {each["action_executed"] for each in assertions if "action_executed" in each}
    said = [each["bot_uttered"] for each in assertions if "bot_uttered" in each]
    wanted |= {each["utter_name"] for each in said if "utter_name" in each}
    assert wanted <= {*walk(flow, slots)}
