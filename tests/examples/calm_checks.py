"""What must hold in a CALM bot that uses the plugin: its domain and its flows.

Each check gives a line for every fault that it finds, and none for a sound bot. Where Rasa Pro
itself has a rule, it is the documentation's: reference/primitives/flows, flow-steps and conditions.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

from actions.ps7 import Identification, Outcome, SecurityDevice, TokenStatus
from actions.ps7.slot_table import is_default_name
from tests.examples.calm_project import (
    END,
    branches_of,
    conditions_of,
    sequences_of,
    steps_of,
    terms_of,
    walk,
)
from tests.support.dialogue import LOOK_UP, VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.examples.calm_project import Project

CATEGORIES: dict[str, list[str]] = {
    "ps7_status": [each.value for each in Outcome],
    "identification": [each.value for each in Identification],
    "security_device": [each.value for each in SecurityDevice],
    "token_status": [each.value for each in TokenStatus],
}
ALLOWED = {*CATEGORIES, "ps7_context", "cpf_masked", "segment"}
"""The slots of the plugin that may stand in a prompt; a CALM bot declares no other."""
SENSITIVE = {
    "action_answer_balance": {
        "ps7_status": "ok",
        "identification": "authenticated",
        "token_status": "valid",
    },
    "action_answer_registration": {"ps7_status": "ok", "identification": "authenticated"},
}
"""The actions that tell a customer's data, and what must hold wherever a flow runs one."""
EXPLAINS = "explain_ps7_status"
"""The flow to which the others link where no customer is known."""
STARTED_BY_RASA = {"action_session_start"}
HAND_OVER = "pattern_human_handoff"
KINDS = ("action", "collect", "link", "call", "set_slots", "noop")

RASAS_PATTERNS = {"pattern_completed", HAND_OVER}
"""Those of Rasa's patterns that this bot replaces: both exist from Rasa Pro 3.12 on."""
RASAS_ANSWERS = {
    "utter_ask_rephrase",
    "utter_can_do_something_else",
    "utter_cannot_handle",
    "utter_clarification_no_options_rasa",
    "utter_clarification_options_rasa",
    "utter_inform_code_change",
    "utter_internal_error_rasa",
    "utter_no_knowledge_base",
    "utter_user_input_empty_error_rasa",
    "utter_user_input_too_long_error_rasa",
}
"""What Rasa's own patterns say in a bot whose flows collect nothing."""

_VARIABLE = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")


def slots_of_ours(project: Project) -> Iterator[str]:
    """Exactly the allowed ones, filled by actions alone, shared, with the plugin's values."""
    slots = project.domain["slots"]
    for name in sorted(ALLOWED ^ {name for name in slots if is_default_name(name)}):
        yield f"slot {name} is {'not allowed' if name in slots else 'missing'}"
    for name in sorted(ALLOWED & slots.keys()):
        slot = slots[name]
        every_turn = {"run_action_every_turn": LOOK_UP} if name == "ps7_status" else {}
        if slot["mappings"] != [{"type": "controlled", **every_turn}]:
            yield f"slot {name} is not filled as it should be"
        if slot.get("shared_for_coexistence") is not True:
            yield f"slot {name} is not shared for coexistence"
        values = CATEGORIES.get(name)
        if (slot["type"], slot.get("values")) != ("categorical" if values else "text", values):
            yield f"slot {name} has another type, or other values"


def names_in_the_domain(project: Project) -> Iterator[str]:
    """What a mapping runs is an action; what an answer fills in is a slot, or an action's."""
    slots, answers = project.domain["slots"], project.domain["responses"]
    for name, slot in slots.items():
        for mapping in slot["mappings"]:
            action = mapping.get("run_action_every_turn")
            if action and action not in project.domain["actions"]:
                yield f"slot {name} runs {action}, which is no action"
    for name, variations in answers.items():
        given = slots.keys() | project.said_in_code.get(name, set())
        for variable in _VARIABLE.findall(" ".join(variation["text"] for variation in variations)):
            if variable not in given:
                yield f"answer {name} shows {variable}, which nobody fills in"
    for name in project.said_in_code.keys() - answers.keys():
        yield f"an action says {name}, which is no answer"


def names_in_the_flows(project: Project) -> Iterator[str]:
    """Every action, answer, flow, step and slot that a flow names exists."""
    known = {*project.domain["actions"], *project.domain["responses"]}
    for flow_id, flow in project.flows.items():
        ids = {step.get("id") for step in steps_of(flow)} | {END}
        used = [str(term["slot"]) for text in conditions_of(flow) for term in terms_of(text)]
        for step in steps_of(flow):
            if "action" in step and step["action"] not in known:
                yield f"flow {flow_id} runs {step['action']}, which is no action and no answer"
            for kind in ("link", "call"):
                if kind in step and step[kind] not in project.flows:
                    yield f"flow {flow_id} leads to {step[kind]}, which is no flow"
            for target in branches_of(step):
                if isinstance(target, str) and target not in ids:
                    yield f"flow {flow_id} goes on at {target}, which is no step of it"
            used += [name for entry in step.get("set_slots", []) for name in entry]
            used += [step["collect"]] if "collect" in step else []
        for name in {*used, *flow.get("persisted_slots", [])} - project.domain["slots"].keys():
            yield f"flow {flow_id} reads or sets {name}, which is no slot"


def values_in_the_flows(project: Project) -> Iterator[str]:
    """A categorical slot is compared with values that it can have."""
    for flow_id, flow in project.flows.items():
        for condition in conditions_of(flow):
            for term in terms_of(condition):
                values = project.domain["slots"].get(term["slot"], {}).get("values")
                if term["value"] and values and term["value"] not in values:
                    yield f"flow {flow_id} waits for {term['slot']} to be {term['value']}"


def nothing_unused(project: Project) -> Iterator[str]:
    """Every action is run, every answer said, every flow started by somebody."""
    steps = [step for flow in project.flows.values() for step in steps_of(flow)]
    run = {step.get("action") for step in steps}
    run |= {
        mapping.get("run_action_every_turn")
        for slot in project.domain["slots"].values()
        for mapping in slot["mappings"]
    }
    for action in set(project.domain["actions"]) - run - STARTED_BY_RASA:
        yield f"action {action} is never run"
    said = run | project.said_in_code.keys() | RASAS_ANSWERS
    for answer in project.domain["responses"].keys() - said:
        yield f"answer {answer} is never said"
    led_to = {step.get("link", step.get("call")) for step in steps}
    for flow_id, flow in project.flows.items():
        if flow_id.startswith("pattern_") and flow_id not in RASAS_PATTERNS:
            yield f"flow {flow_id} is no pattern of Rasa's"
        if flow.get("if") is False and flow_id not in led_to:
            yield f"flow {flow_id} is never started"


def shape_of_the_flows(project: Project) -> Iterator[str]:
    """What Rasa's own validation of flows asks for."""
    for flow_id, flow in project.flows.items():
        if not flow.get("description"):
            yield f"flow {flow_id} has no description"
        for sequence in sequences_of(flow["steps"]):
            for step in sequence:
                if sum(kind in step for kind in KINDS) != 1:
                    yield f"flow {flow_id} has a step of no kind, or of two"
                if "link" in step and (step is not sequence[-1] or "next" in step):
                    yield f"flow {flow_id} goes on after a link"
                if str(step.get("link")).startswith("pattern_") and step["link"] != HAND_OVER:
                    yield f"flow {flow_id} links to a pattern other than the hand-over"
                if isinstance(step.get("next"), list) and "else" not in step["next"][-1]:
                    yield f"flow {flow_id} branches without an else"
            if sequence is not flow["steps"] and not {"next", "link"} & sequence[-1].keys():
                yield f"flow {flow_id} has a branch that leads nowhere"


def slots_of_ours_in_the_flows(project: Project) -> Iterator[str]:
    """Verified before they are read, in no guard, and set by no flow."""
    for flow_id, flow in project.flows.items():
        if flow.get("if", False) is not False:
            yield f"flow {flow_id} has a guard"
        read = {term["slot"] for text in conditions_of(flow) for term in terms_of(text)}
        if read & ALLOWED and flow["steps"][0].get("action") != VERIFY:
            yield f"flow {flow_id} does not begin with {VERIFY}"
        for step in steps_of(flow):
            filled = {step.get("collect"), *(key for e in step.get("set_slots", []) for key in e)}
            if filled & ALLOWED:
                yield f"flow {flow_id} fills a slot of the plugin"


def paths_through_the_flows(project: Project) -> Iterator[str]:
    """Whatever the slots hold: an answer comes, the right one, and no account is opened."""
    for flow_id in project.flows:
        for slots in _every_customer(project, flow_id):
            run = list(walk(project.flows, flow_id, slots.copy))
            yield from (f"flow {flow_id} {fault}" for fault in _faults_of(project, run, slots))
            if flow_id == EXPLAINS and slots["ps7_status"] != "ok" and not _outcomes_in(run):
                yield f"flow {flow_id} does not say what {slots['ps7_status']} means"


def _faults_of(project: Project, run: list[str], slots: dict[str, Any]) -> Iterator[str]:
    """Look at what a flow runs where the slots hold this."""
    status = slots["ps7_status"]
    if not {*run} & (project.domain["responses"].keys() | SENSITIVE):
        yield f"says nothing where ps7_status is {status}"
    for action in SENSITIVE.keys() & run:
        if not SENSITIVE[action].items() <= slots.items():
            yield f"runs {action} for {slots}"
    said = _outcomes_in(run)
    if status != "ok" and said not in ([], [status or "unavailable"]):
        yield f"says {said} where ps7_status is {status}"


def _outcomes_in(run: list[str]) -> list[str]:
    """Pick the outcomes that are answered, by the answers that are named after them."""
    named = [action.removeprefix("utter_ps7_") for action in run]
    return [name for name in named if name in CATEGORIES["ps7_status"]]


def _every_customer(project: Project, flow_id: str) -> list[dict[str, Any]]:
    """Give every combination of what can stand in the slots that matter to a flow."""
    flow = project.flows[flow_id]
    matter = {"ps7_status", *(name for needs in SENSITIVE.values() for name in needs)}
    for each in (flow, *(project.flows[step["link"]] for step in steps_of(flow) if "link" in step)):
        matter |= {str(term["slot"]) for text in conditions_of(each) for term in terms_of(text)}
    values = {
        name: [None, *(project.domain["slots"][name].get("values") or ["any text"])]
        for name in sorted(matter)
    }
    return [dict(zip(values, row, strict=True)) for row in product(*values.values())]
