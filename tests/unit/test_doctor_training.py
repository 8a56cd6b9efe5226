"""What the doctor says about rules, stories, flows and policies around our slots."""

from __future__ import annotations

from typing import Any

import pytest

from actions.ps7.cli.doctor import training
from actions.ps7.slot_names import SlotNames
from tests.support.doctor import bot_of, complaints, sound

SEEN = {"influence_conversation": True}
RULES_ALONE = {"policies": [{"name": "RulePolicy", "enable_fallback_prediction": False}]}
STORIES = {"policies": [{"name": "AugmentedMemoizationPolicy"}, {"name": "TEDPolicy"}]}
CALM = {"pipeline": [{"name": "CompactLLMCommandGenerator"}], "policies": [{"name": "FlowPolicy"}]}
REWINDS = (
    "warning",
    "fallback-rewinds",
    (
        "where no rule fits, RulePolicy runs action_default_fallback: it takes back what the "
        "lookup of that turn wrote, until the next run"
    ),
)


def rule(*slots: object, kind: str = "rule") -> dict[str, Any]:
    """Give a rule, or a story, that waits for slots."""
    group = {"rule": "rules", "story": "stories"}[kind]
    return {group: [{kind: "Balance", "steps": [{"slot_was_set": list(slots)}, {"action": "a"}]}]}


# Stories and slots that influence the conversation


@pytest.mark.parametrize(
    ("data", "config"),
    [
        (rule({"other": 1}, kind="story"), STORIES),
        (None, STORIES),
        (rule({"other": 1}, kind="story"), {"policies": None}),
    ],
)
def test_story_policies_beside_a_slot_that_influences_the_conversation(
    data: dict[str, Any] | None, config: dict[str, Any]
) -> None:
    """Named in config.yml, or Rasa's own choice where it names none."""
    found = complaints(bot_of(sound(ps7_status=SEEN), data, config))
    named = (
        "AugmentedMemoizationPolicy and TEDPolicy"
        if config["policies"]
        else "MemoizationPolicy, UnexpecTEDIntentPolicy and TEDPolicy"
    )
    assert found == [
        (
            "warning",
            "slot-featurised",
            (
                f"ps7_status influences the conversation, and {named} learn from stories that were "
                "written without: they may stop matching"
            ),
        ),
        *([] if config["policies"] else [REWINDS]),
    ]


def test_two_slots_beside_one_policy() -> None:
    """Numbers agree."""
    domain = sound(ps7_status=SEEN, segment={"type": "categorical", "influence_conversation": ...})
    config = {"policies": [{"name": "TEDPolicy"}]}
    assert [text for _, _, text in complaints(bot_of(domain, None, config))] == [
        (
            "ps7_status and segment influence the conversation, and TEDPolicy learns from stories "
            "that were written without: they may stop matching"
        )
    ]


@pytest.mark.parametrize(
    ("changes", "data", "config"),
    [
        ({}, rule({"other": 1}, kind="story"), STORIES),
        ({"ps7_status": SEEN}, rule({"ps7_status": "ok"}, kind="story"), STORIES),
        ({"ps7_status": SEEN}, rule({"ps7_status": "ok"}), STORIES),
        ({"ps7_status": SEEN}, rule({"other": 1}, kind="story"), RULES_ALONE),
        ({"ps7_status": SEEN}, rule({"other": 1}, kind="story"), None),
        ({"ps7_status": SEEN}, {"flows": {"greet": {}}}, {"pipeline": []}),
        ({"ps7_payload": {"type": "any", "influence_conversation": ...}}, None, STORIES),
    ],
)
def test_stories_that_nothing_keeps_from_matching(
    changes: dict[str, Any], data: dict[str, Any] | None, config: dict[str, Any] | None
) -> None:
    """The slot is not seen, the stories know it, or there are none, or nothing learns from them."""
    assert complaints(bot_of(sound(**changes), data, config)) == []


# Conditions


CONDITIONS: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]] = [
    ({"ps7_status": SEEN}, rule({"ps7_status": "ok"}, {"mood": "good"}), []),
    ({"ps7_status": SEEN}, rule("ps7_status", {"ps7_status": None}), []),
    ({"segment": SEEN}, rule("segment"), []),
    ({"segment": SEEN}, rule({"segment": None}), []),
    (
        {},
        rule({"ps7_status": "ok"}),
        [
            (
                "error",
                "condition-ignored",
                (
                    "slot ps7_status does not influence the conversation, so its condition is "
                    "ignored in rule “Balance”"
                ),
            )
        ],
    ),
    (
        {"segment": SEEN},
        rule({"segment": "Private"}, "segment", {"segment": None}),
        [
            (
                "error",
                "condition-vague",
                (
                    "slot segment is text, of which Rasa sees only whether it is set, not the "
                    "value that rule “Balance” names"
                ),
            )
        ],
    ),
    (
        {"ps7_status": SEEN},
        rule({"ps7_status": "okay"}, {"ps7_status": ["ok"]}),
        [
            (
                "error",
                "value-unknown",
                "rule “Balance” waits for ps7_status to be okay, which it never is",
            )
        ],
    ),
    (
        {},
        {
            "flows": {
                "balance": {
                    "steps": [
                        {
                            "action": "action_ps7_verify",
                            "next": [{"if": "slots.ps7_status = 'yes' and slots.segment = 'x'"}],
                        }
                    ]
                }
            }
        },
        [
            (
                "error",
                "value-unknown",
                "flow balance waits for ps7_status to be yes, which it never is",
            )
        ],
    ),
]


@pytest.mark.parametrize(("changes", "data", "expected"), CONDITIONS)
def test_a_condition_that_does_not_mean_what_it_says(
    changes: dict[str, Any], data: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    """Ignored, vague, or waiting for what never comes."""
    assert complaints(bot_of(sound(**changes), data, RULES_ALONE)) == expected


def test_many_rules_are_not_all_named() -> None:
    """Three are."""
    rules = [
        {"rule": f"R{n}", "condition": [{"slot_was_set": {"ps7_status": "ok"}}]} for n in "1234"
    ]
    ((_, _, text),) = complaints(bot_of(sound(), {"rules": rules}))
    assert text.endswith("is ignored in rule “R1”, rule “R2”, rule “R3” and 1 more")


def test_a_conditional_response_that_waits_for_what_never_comes() -> None:
    """Responses see every slot, so nothing else is wrong with it."""
    domain = sound()
    domain["responses"] = {
        "utter_greet": [
            {
                "text": "Olá",
                "condition": [
                    {"type": "slot", "name": "ps7_status", "value": "OK"},
                    {"type": "slot", "name": "ps7_status", "value": "good"},
                    {"type": "other"},
                ],
            },
            "odd",
        ],
        "utter_odd": None,
    }
    assert complaints(bot_of(domain)) == [
        (
            "error",
            "value-unknown",
            "response utter_greet waits for ps7_status to be good, which it never is",
        )
    ]


# Policies


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, [REWINDS]),
        ({"enable_fallback_prediction": False}, []),
        ({"core_fallback_action_name": "action_hand_over"}, []),
    ],
)
def test_a_fallback_that_takes_the_turn_back(
    policy: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    """Rasa's own one does."""
    config = {"policies": [{"name": "RulePolicy", **policy}]}
    assert complaints(bot_of(sound(), None, config)) == expected


@pytest.mark.parametrize(
    ("data", "config", "expected"),
    [
        (
            {},
            None,
            [
                (
                    "warning",
                    "slot-controlled",
                    (
                        "slot segment has the mapping `type: controlled`, which Rasa Open Source "
                        "refuses"
                    ),
                )
            ],
        ),
        (None, None, []),
        ({}, CALM, []),
        ({"flows": {"greet": {}}}, None, []),
    ],
)
def test_rasa_pros_word_in_a_bot_that_does_not_look_like_one(
    data: dict[str, Any] | None, config: dict[str, Any] | None, expected: list[Any]
) -> None:
    """`controlled`: Rasa Pro has it, Open Source has `custom`."""
    domain = sound(segment={"mappings": [{"type": "controlled"}]})
    assert complaints(bot_of(domain, data, config)) == expected


# Sessions


SESSIONS: list[tuple[dict[str, Any] | None, list[tuple[str, str, str]]]] = [
    (
        {"carry_over_slots_to_new_session": False},
        [
            (
                "ok",
                "session",
                (
                    "a new session starts without the last one's slots "
                    "(carry_over_slots_to_new_session: false)"
                ),
            )
        ],
    ),
    (
        {"carry_over_slots_to_new_session": True},
        [
            (
                "ok",
                "session",
                (
                    "a new session keeps the last one's customer (carry_over_slots_to_new_session: "
                    "true): right where one sender id is always one person, and wrong on a device "
                    "that people share"
                ),
            )
        ],
    ),
    (
        None,
        [
            (
                "warning",
                "session-carry-over",
                (
                    "the domain does not say whether a new session keeps the last one's slots, and "
                    "Rasa keeps them: on a device that people share, the next one meets the last "
                    "one's customer"
                ),
            )
        ],
    ),
    (
        {"carry_over_slots_to_new_session": False, "session_expiration_time": 0},
        [
            (
                "ok",
                "session",
                (
                    "a new session starts without the last one's slots "
                    "(carry_over_slots_to_new_session: false)"
                ),
            ),
            (
                "warning",
                "session-endless",
                (
                    "sessions never end (session_expiration_time: 0), so nothing but time lets go "
                    "of a customer"
                ),
            ),
        ],
    ),
]


@pytest.mark.parametrize(("config", "expected"), SESSIONS)
def test_what_a_new_session_keeps_is_said(
    config: dict[str, Any] | None, expected: list[tuple[str, str, str]]
) -> None:
    """On purpose, or because nobody said so."""
    bot = bot_of({**sound(), "session_config": config})
    found = training.check(bot, SlotNames({}))
    assert [(finding.level.value, finding.id, finding.found) for finding in found] == expected


# Language models


def flow(**content: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    return {"flows": {"balance": content}}


GUARDED = flow(**{"if": "slots.ps7_status = 'ok' and slots.mood"})
EMPTY_GUARD = (
    "warning",
    "flow-guard",
    (
        "the guard of flow balance reads ps7_status, which is empty when the first message is "
        "understood"
    ),
)


@pytest.mark.parametrize(
    ("changes", "data", "config", "expected"),
    [
        ({}, {}, CALM, []),
        (
            {"cpf": {}, "u_display": {}},
            {},
            CALM,
            [
                (
                    "warning",
                    "calm-personal",
                    (
                        "cpf and u_display can stand in a prompt: Rasa Pro shows set slots to "
                        "sub-agents and Enterprise Search"
                    ),
                )
            ],
        ),
        ({"cpf": {}}, {}, RULES_ALONE, []),
        (
            {"cpf": {}, "amount": {"mappings": [{"type": "from_llm"}]}},
            {},
            None,
            [
                (
                    "warning",
                    "calm-personal",
                    (
                        "cpf can stand in a prompt: Rasa Pro shows set slots to sub-agents and "
                        "Enterprise Search"
                    ),
                )
            ],
        ),
        (
            {"ps7_status": {"shared_for_coexistence": True}},
            {},
            {"pipeline": [{"name": "LLMBasedRouter"}, *CALM["pipeline"]]},
            [
                (
                    "warning",
                    "calm-coexistence",
                    (
                        "ps7_context and segment are reset where the router changes between flows "
                        "and the NLU-based assistant"
                    ),
                )
            ],
        ),
        (
            {
                name: {"shared_for_coexistence": name != "segment"}
                for name in ("ps7_status", "ps7_context", "segment")
            },
            {},
            {"pipeline": [{"name": "IntentBasedRouter"}, *CALM["pipeline"]]},
            [
                (
                    "warning",
                    "calm-coexistence",
                    (
                        "segment is reset where the router changes between flows and the NLU-based "
                        "assistant"
                    ),
                )
            ],
        ),
        (
            {},
            flow(
                steps=[
                    {"collect": "segment"},
                    {"collect": "amount"},
                    {"set_slots": [{"ps7_status": "ok"}, {"amount": 1}]},
                ]
            ),
            None,
            [
                (
                    "error",
                    "flow-writes",
                    (
                        "flow balance collects slot segment: what the model makes of a message "
                        "stands where PS7's word should"
                    ),
                ),
                (
                    "error",
                    "flow-writes",
                    (
                        "flow balance sets slot ps7_status: what the model makes of a message "
                        "stands where PS7's word should"
                    ),
                ),
            ],
        ),
        ({}, GUARDED, None, [EMPTY_GUARD]),
        ({}, flow(**{"if": False}), None, []),
    ],
)
def test_what_differs_where_a_language_model_takes_part(
    changes: dict[str, Any],
    data: dict[str, Any],
    config: dict[str, Any] | None,
    expected: list[tuple[str, str, str]],
) -> None:
    """Prompts, routers, and flows that write or guard."""
    assert complaints(bot_of(sound(**changes), data, config)) == expected


@pytest.mark.parametrize(("looks_up", "expected"), [(True, []), (None, []), (False, [EMPTY_GUARD])])
def test_a_guard_needs_a_session_that_starts_with_the_lookup(
    looks_up: bool | None, expected: list[tuple[str, str, str]]
) -> None:
    """As `PS7SessionStart` does; what cannot be looked at is believed."""
    domain = sound()
    domain["actions"].append("action_session_start")
    assert complaints(bot_of(domain, GUARDED, session_start_looks_up=looks_up)) == expected
