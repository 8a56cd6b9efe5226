"""What must hold around domain and flows: the end-to-end tests, `privacy:`, the configuration.

Each check gives a line for every fault that it finds, as in `calm_checks`. What Rasa Pro asks for
is the documentation's: reference/testing/e2e and reference/config/pii-management.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from actions.ps7 import Outcome
from tests.examples.calm_checks import (
    names_in_the_domain,
    names_in_the_flows,
    nothing_unused,
    paths_through_the_flows,
    shape_of_the_flows,
    slots_of_ours,
    slots_of_ours_in_the_flows,
    values_in_the_flows,
)
from tests.examples.calm_project import walk
from tests.support.dialogue import LOOK_UP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.examples.calm_project import Project

COMMAND_GENERATORS = {"CompactLLMCommandGenerator", "SearchReadyLLMCommandGenerator"}
"""Those that are not deprecated; the first exists from Rasa Pro 3.12 on."""
WITHOUT_CONTEXT_ID = {Outcome.MISSING, Outcome.EXPIRED, Outcome.TAMPERED}
"""The outcomes of a turn that finds no contextId."""
ASSERTIONS = {"flow_started", "slot_was_set", "action_executed", "bot_uttered"}
"""Those that are used here; their form is the same from Rasa Pro 3.12 on."""

_SEPARATOR = "::"
_NAME = re.compile(r"[a-zA-Z_]\w*", re.ASCII)


def stubs(project: Project) -> Iterator[str]:
    """Each stands for an action and a test case that exist, and sets slots as they can be set."""
    for file, content in project.e2e.items():
        cases = {case["test_case"] for case in content["test_cases"]}
        for key, stub in content["stub_custom_actions"].items():
            case, _, action = key.rpartition(_SEPARATOR)
            if action not in project.domain["actions"]:
                yield f"{file} stubs {action}, which is no action"
            if case and case not in cases:
                yield f"{file} has a stub for {case}, which is no test case"
            for name, value in _set_by(stub).items():
                slot = project.domain["slots"].get(name)
                if slot is None:
                    yield f"{file} sets {name}, which is no slot"
                elif value is not None and value not in slot.get("values", [value]):
                    yield f"{file} sets {name} to {value}"


def cases(project: Project) -> Iterator[str]:
    """Each starts a flow, stubs all that then runs, and expects what the flow does."""
    names: list[str] = []
    for file, content in project.e2e.items():
        metadata = {name: value for entry in content["metadata"] for name, value in entry.items()}
        for case in content["test_cases"]:
            name, brought = case["test_case"], case.get("metadata")
            names.append(name)
            if not _NAME.fullmatch(name):
                yield f"{file}: {name} is no name that a stub can begin with"
            if brought is not None and brought not in metadata:
                yield f"{file}: {name} brings {brought}, which is no metadata"
            for step in case["steps"]:
                if "metadata" in step:
                    yield f"{file}: {name} has metadata at a step"
                for fault in _faults_of(project, content, name, step["assertions"]):
                    yield f"{file}: {name} {fault}"
    if len(names) != len({*names}):
        yield "two test cases have one name"


def _faults_of(
    project: Project, content: dict[str, Any], case: str, assertions: list[dict[str, Any]]
) -> Iterator[str]:
    """Walk the flow that a test case starts, with its stubs, and compare."""
    expected: dict[str, list[Any]] = {kind: [] for kind in ASSERTIONS}
    for assertion in assertions:
        for kind, what in assertion.items():
            if kind in ASSERTIONS:
                expected[kind].append(what)
            else:
                yield f"uses {kind}"
    started = expected["flow_started"]
    if len(started) == 1 and started[0] in project.flows:
        turn = Turn(project, content, case, started[0])
        yield from (f"does not stub {action}" for action in turn.not_stubbed)
        yield from _differences(turn, expected)
    else:
        yield f"starts {started}, which is no flow"


def _differences(turn: Turn, expected: dict[str, list[Any]]) -> Iterator[str]:
    """Compare what a test case expects with what a flow does."""
    for action in expected["action_executed"]:
        if action not in turn.run:
            yield f"expects {action}, which does not run"
    for slot in chain(*expected["slot_was_set"]):
        if (slot["name"], slot["value"]) not in turn.set.items():
            yield f"expects {slot['name']} to be {slot['value']}, which no stub sets"
    answers, words = (
        [said[key] for said in expected["bot_uttered"] if key in said]
        for key in ("utter_name", "text_matches")
    )
    if {*answers} != {action for action in turn.run if action.startswith("utter_")}:
        yield f"expects {answers}, and the flow runs {turn.run}"
    for text in words:
        if not any(re.search(text, said) for said in turn.words):
            yield f"expects the words {text}, which no stub says"
    if not answers and not words:
        yield "expects no answer"


class Turn:
    """What a flow does with the stubs of a test case."""

    def __init__(self, project: Project, content: dict[str, Any], case: str, flow_id: str) -> None:
        self.run: list[str] = []
        self.set: dict[str, Any] = {}
        self.words: list[str] = []
        self.not_stubbed: list[str] = []
        stubs, slots = content["stub_custom_actions"], dict.fromkeys(project.domain["slots"])
        actions = walk(project.flows, flow_id, lambda: {**slots, **self.set})
        for action in chain(("action_session_start", LOOK_UP), actions):
            self.run.append(action)
            if action not in project.domain["responses"]:
                # The stub of a test case, else that of its file, as in Rasa.
                self._apply(action, stubs.get(f"{case}{_SEPARATOR}{action}", stubs.get(action)))

    def _apply(self, action: str, stub: dict[str, Any] | None) -> None:
        if stub is None:
            self.not_stubbed.append(action)
        else:
            self.set |= _set_by(stub)
            self.words += [answer["text"] for answer in stub["responses"]]


def a_case_for_each_outcome(project: Project) -> Iterator[str]:
    """With a stub of its own, and a contextId where there must be one."""
    ends: dict[str | None, list[bool]] = {}
    for content in project.e2e.values():
        for case in content["test_cases"]:
            stub = content["stub_custom_actions"].get(f"{case['test_case']}{_SEPARATOR}{LOOK_UP}")
            status = _set_by(stub or {}).get("ps7_status")
            ends.setdefault(status, []).append("metadata" in case)
    for outcome in Outcome:
        if outcome not in ends:
            yield f"no test case ends {outcome.value} with a stub of its own"
        elif (outcome in WITHOUT_CONTEXT_ID) in ends[outcome]:
            yield f"a test case that ends {outcome.value} brings the wrong metadata"


def _set_by(stub: dict[str, Any]) -> dict[str, Any]:
    events = stub.get("events", [])
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}


def privacy(project: Project) -> Iterator[str]:
    """Rules for slots that exist and are flat text; the jobs in their order."""
    rules = project.endpoints["privacy"]["rules"]
    named = [rule["slot"] for rule in rules]
    for name in named:
        if project.domain["slots"].get(name, {}).get("type") != "text":
            yield f"privacy: {name} is no text slot"
    for name in {"cpf_masked", "ps7_context"} - {*named}:
        yield f"privacy: no rule for {name}"
    for rule in rules:
        if rule["anonymization"]["type"] not in {"redact", "mask"}:
            yield f"privacy: {rule['slot']} is neither redacted nor masked"
    jobs = project.endpoints["privacy"]["tracker_store_settings"]
    first, then = jobs["anonymization"], jobs["deletion"]
    # Rasa's default time of inactivity, 30 minutes, is the least.
    if not 30 <= first["min_after_session_end"] < then["min_after_session_end"]:
        yield "privacy: the jobs come too early, or in the wrong order"
    if first["cron"] == then["cron"]:
        yield "privacy: both jobs run at one time"
    if project.domain["session_config"]["carry_over_slots_to_new_session"] is not False:
        yield "privacy: a seal that was made unreadable is carried over"


def configuration(project: Project) -> Iterator[str]:
    """A command generator with a model that exists, and the policy that runs flows."""
    generators = [part for part in project.config["pipeline"] if part["name"] in COMMAND_GENERATORS]
    if len(generators) != 1:
        yield "config: not one command generator"
    groups = {group["id"] for group in project.endpoints["model_groups"]}
    for part in project.config["pipeline"]:
        if part["llm"]["model_group"] not in groups:
            yield f"config: no model group {part['llm']['model_group']}"
    if {"name": "FlowPolicy"} not in project.config["policies"]:
        yield "config: no FlowPolicy"
    for action in project.domain["actions"]:
        ours = action.startswith("action_ps7_") or action == "action_session_start"
        if ours and action not in project.domain["sent_the_domain"]:
            yield f"domain: {action} is not sent the domain"
    if "nlg" in project.endpoints:
        yield "endpoints: answers are rephrased"


NAMES = (slots_of_ours, names_in_the_domain, names_in_the_flows)
BEHAVIOUR = (
    values_in_the_flows,
    nothing_unused,
    shape_of_the_flows,
    slots_of_ours_in_the_flows,
    paths_through_the_flows,
    stubs,
    cases,
    a_case_for_each_outcome,
    privacy,
    configuration,
)


def faults(project: Project) -> list[str]:
    """Give every fault of a bot. Flows are walked only where all that they name exists."""
    wrong_names = [line for check in NAMES for line in check(project)]
    return wrong_names or [line for check in BEHAVIOUR for line in check(project)]
