"""CALM bots that are broken on purpose: one thing is changed, and a check must name the fault.

A row says where in the example's files, what is done there, and how the line of the check begins.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.examples.calm_project import Project

    Change = Callable[[Any], object]
    Row = tuple[str, Change, str]


def broken(project: Project, path: str, change: Change) -> Project:
    """Give a copy in which what stands at this path was changed.

    A path names, one after the other, a file or a key, the index of an entry, or a test case.
    """
    copy = deepcopy(project)
    first, *rest = path.split()
    place = getattr(copy, first)
    for name in rest:
        if isinstance(place, list):
            named = [entry for entry in place if entry.get("test_case") == name]
            place = named[0] if named else place[int(name)]
        else:
            place = place[name]
    change(place)
    return copy


def put(**entries: object) -> Change:
    return lambda place: place.update(entries)


def put_if(condition: str) -> Change:
    return put(**{"if": condition})


def drop(key: object = -1) -> Change:
    return lambda place: place.pop(key)


def add(entry: object) -> Change:
    return lambda place: place.append(entry)


def remove(entry: object) -> Change:
    return lambda place: place.remove(entry)


TEXT_SLOT = {"type": "text", "mappings": [{"type": "controlled"}], "shared_for_coexistence": True}
FLOW = {"description": "x", "steps": [{"action": "utter_hours"}]}
STUB: dict[str, Any] = {"events": [], "responses": []}

NOWHERE = "is no action and no answer"
NAMES: list[Row] = [
    ("domain slots", put(cpf=TEXT_SLOT), "slot cpf is not allowed"),
    ("domain slots", put(account=TEXT_SLOT), "slot account is not allowed"),
    ("domain slots", put(phone_number=TEXT_SLOT), "slot phone_number is not allowed"),
    ("domain slots", put(ps7_payload=TEXT_SLOT), "slot ps7_payload is not allowed"),
    ("domain slots", put(u_display=TEXT_SLOT), "slot u_display is not allowed"),
    ("domain slots", drop("segment"), "slot segment is missing"),
    (
        "domain slots segment mappings 0",
        put(type="from_llm"),
        "slot segment is not filled as it should be",
    ),
    (
        "domain slots ps7_status mappings 0",
        drop("run_action_every_turn"),
        "slot ps7_status is not filled as it should be",
    ),
    (
        "domain slots ps7_context",
        drop("shared_for_coexistence"),
        "slot ps7_context is not shared for coexistence",
    ),
    (
        "domain slots ps7_status values",
        remove("tampered"),
        "slot ps7_status has another type, or other values",
    ),
    (
        "domain slots token_status",
        put(type="text"),
        "slot token_status has another type, or other values",
    ),
    (
        "domain actions",
        remove("action_ps7_context"),
        "slot ps7_status runs action_ps7_context, which is no action",
    ),
    (
        "domain responses utter_registration",
        add({"text": "CPF {cpf}"}),
        "answer utter_registration shows cpf, which nobody fills in",
    ),
    (
        "said_in_code utter_balance",
        remove("balance"),
        "answer utter_balance shows balance, which nobody fills in",
    ),
    (
        "domain responses",
        drop("utter_balance"),
        "an action says utter_balance, which is no answer",
    ),
    (
        "domain actions",
        remove("action_answer_balance"),
        f"flow check_balance runs action_answer_balance, which {NOWHERE}",
    ),
    (
        "domain actions",
        remove("action_ps7_verify"),
        f"flow check_balance runs action_ps7_verify, which {NOWHERE}",
    ),
    ("domain responses", drop("utter_greet"), f"flow greet runs utter_greet, which {NOWHERE}"),
    (
        "flows",
        drop("explain_ps7_status"),
        "flow check_balance leads to explain_ps7_status, which is no flow",
    ),
    (
        "flows",
        drop("pattern_human_handoff"),
        "flow explain_ps7_status leads to pattern_human_handoff, which is no flow",
    ),
    (
        "flows opening_hours steps",
        add({"call": "nobody"}),
        "flow opening_hours leads to nobody, which is no flow",
    ),
    (
        "flows greet steps 0 next 0",
        put(then="nowhere"),
        "flow greet goes on at nowhere, which is no step of it",
    ),
    (
        "flows greet steps 0 next 0 then 0",
        put(next="there"),
        "flow greet goes on at there, which is no step of it",
    ),
    (
        "flows greet steps 0 next 0",
        put_if("slots.segmento"),
        "flow greet reads or sets segmento, which is no slot",
    ),
    (
        "flows opening_hours steps",
        add({"set_slots": [{"colour": None}]}),
        "flow opening_hours reads or sets colour, which is no slot",
    ),
    (
        "flows log_out steps",
        add({"collect": "colour"}),
        "flow log_out reads or sets colour, which is no slot",
    ),
    (
        "flows greet",
        put(persisted_slots=["colour"]),
        "flow greet reads or sets colour, which is no slot",
    ),
]

VERIFIED = 'slots.ps7_status = "ok" and slots.identification = "authenticated"'
FLOWS: list[Row] = [
    (
        "flows check_balance steps 0 next 0",
        put_if(f'{VERIFIED} and slots.token_status = "vaild"'),
        "flow check_balance waits for token_status to be vaild",
    ),
    ("domain actions", add("action_x"), "action action_x is never run"),
    ("domain responses", put(utter_x=[{"text": "x"}]), "answer utter_x is never said"),
    ("flows", put(pattern_end=FLOW), "flow pattern_end is no pattern of Rasa's"),
    ("flows", put(x={**FLOW, "if": False}), "flow x is never started"),
    ("flows greet", drop("description"), "flow greet has no description"),
    ("flows greet steps 0", put(noop=True), "flow greet has a step of no kind, or of two"),
    (
        "flows opening_hours steps",
        add({"next": "END"}),
        "flow opening_hours has a step of no kind, or of two",
    ),
    (
        "flows talk_to_person steps",
        add({"action": "utter_hours"}),
        "flow talk_to_person goes on after a link",
    ),
    (
        "flows talk_to_person steps 0",
        put(next="END"),
        "flow talk_to_person goes on after a link",
    ),
    (
        "flows talk_to_person steps 0",
        put(link="pattern_completed"),
        "flow talk_to_person links to a pattern other than the hand-over",
    ),
    (
        "flows check_balance steps 0 next",
        drop(),
        "flow check_balance branches without an else",
    ),
    (
        "flows greet steps 0 next 0 then 0",
        drop("next"),
        "flow greet has a branch that leads nowhere",
    ),
    ("flows check_balance", put_if(VERIFIED), "flow check_balance has a guard"),
    (
        "flows check_balance steps 0",
        put(action="action_ps7_context"),
        "flow check_balance does not begin with action_ps7_verify",
    ),
    (
        "flows opening_hours steps",
        add({"collect": "segment"}),
        "flow opening_hours fills a slot of the plugin",
    ),
    (
        "flows log_out steps",
        add({"set_slots": [{"ps7_status": "ok"}]}),
        "flow log_out fills a slot of the plugin",
    ),
    (
        "flows greet steps 0 next 1",
        put(**{"else": "END"}),
        "flow greet says nothing where ps7_status is missing",
    ),
    (
        "flows check_balance steps 0 next 0",
        put_if(VERIFIED),
        "flow check_balance runs action_answer_balance for ",
    ),
    (
        "flows token_help steps 0 next 0 then 0",
        put(action="action_answer_balance"),
        "flow token_help runs action_answer_balance for ",
    ),
    (
        "flows explain_ps7_status steps 0 next 0 then 0",
        put(action="utter_ps7_rejected"),
        "flow explain_ps7_status says ['rejected'] where ps7_status is missing",
    ),
    (
        "flows explain_ps7_status steps 0 next 4 then",
        drop(0),
        "flow explain_ps7_status does not say what denied means",
    ),
]

_FILE = "e2e balance.yml"
_STUBS = f"{_FILE} stub_custom_actions"
_CASE = f"{_FILE} test_cases balance_missing"
_STEP = f"{_CASE} steps 0"
_SAYS = "balance.yml: balance_missing"
END_TO_END: list[Row] = [
    (_STUBS, put(action_nobody=STUB), "balance.yml stubs action_nobody, which is no action"),
    (
        _STUBS,
        put(**{"balance_nobody::action_ps7_verify": STUB}),
        "balance.yml has a stub for balance_nobody, which is no test case",
    ),
    (
        f"{_STUBS} action_ps7_verify events",
        add({"event": "slot", "name": "colour", "value": "red"}),
        "balance.yml sets colour, which is no slot",
    ),
    (
        f"{_STUBS} balance_ok::action_ps7_context events 0",
        put(value="fine"),
        "balance.yml sets ps7_status to fine",
    ),
    (
        _CASE,
        put(test_case="no name"),
        "balance.yml: no name is no name that a stub can begin with",
    ),
    (_CASE, put(test_case="balance_ok"), "two test cases have one name"),
    (_CASE, put(metadata="none_such"), f"{_SAYS} brings none_such, which is no metadata"),
    (_STEP, put(metadata="from_the_app"), f"{_SAYS} has metadata at a step"),
    (
        f"{_STEP} assertions 0",
        put(flow_started="check_blance"),
        f"{_SAYS} starts ['check_blance'], which is no flow",
    ),
    (_STUBS, drop("action_session_start"), f"{_SAYS} does not stub action_session_start"),
    (
        _STUBS,
        drop("balance_missing::action_ps7_context"),
        f"{_SAYS} does not stub action_ps7_context",
    ),
    (
        f"{_STEP} assertions",
        add({"bot_did_not_utter": {}}),
        f"{_SAYS} uses bot_did_not_utter",
    ),
    (
        f"{_STEP} assertions",
        add({"action_executed": "action_answer_balance"}),
        f"{_SAYS} expects action_answer_balance, which does not run",
    ),
    (
        f"{_STEP} assertions 1 slot_was_set 0",
        put(value="ok"),
        f"{_SAYS} expects ps7_status to be ok, which no stub sets",
    ),
    (
        f"{_STEP} assertions 3 bot_uttered",
        put(utter_name="utter_hours"),
        f"{_SAYS} expects ['utter_hours'], and the flow runs ",
    ),
    (
        f"{_STEP} assertions",
        add({"bot_uttered": {"text_matches": "saldo"}}),
        f"{_SAYS} expects the words saldo, which no stub says",
    ),
    (
        f"{_FILE} test_cases balance_ok steps 0 assertions",
        drop(),
        "balance.yml: balance_ok expects no answer",
    ),
    (
        _STUBS,
        drop("balance_tampered::action_ps7_context"),
        "no test case ends tampered with a stub of its own",
    ),
    (
        f"{_FILE} test_cases balance_denied",
        drop("metadata"),
        "a test case that ends denied brings the wrong metadata",
    ),
    (
        f"{_FILE} test_cases balance_expired",
        put(metadata="from_the_app"),
        "a test case that ends expired brings the wrong metadata",
    ),
]

_PRIVACY = "endpoints privacy"
_JOBS = f"{_PRIVACY} tracker_store_settings"
CONFIGURATION: list[Row] = [
    (f"{_PRIVACY} rules 0", put(slot="cpf"), "privacy: cpf is no text slot"),
    (f"{_PRIVACY} rules 0", put(slot="ps7_status"), "privacy: ps7_status is no text slot"),
    (f"{_PRIVACY} rules", drop(), "privacy: no rule for ps7_context"),
    (
        f"{_PRIVACY} rules 1 anonymization",
        put(type="hash"),
        "privacy: ps7_context is neither redacted nor masked",
    ),
    (
        f"{_JOBS} deletion",
        put(min_after_session_end=60),
        "privacy: the jobs come too early, or in the wrong order",
    ),
    (f"{_JOBS} deletion", put(cron="0 5 * * *"), "privacy: both jobs run at one time"),
    (
        "domain session_config",
        put(carry_over_slots_to_new_session=True),
        "privacy: a seal that was made unreadable is carried over",
    ),
    ("config pipeline 0", put(name="LLMCommandGenerator"), "config: not one command generator"),
    ("endpoints model_groups", drop(), "config: no model group command_generator"),
    ("config policies", drop(), "config: no FlowPolicy"),
    (
        "domain sent_the_domain",
        remove("action_session_start"),
        "domain: action_session_start is not sent the domain",
    ),
    ("endpoints", put(nlg={"type": "rephrase"}), "endpoints: answers are rephrased"),
]

BROKEN = NAMES + FLOWS + END_TO_END + CONFIGURATION
