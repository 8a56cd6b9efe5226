"""What the doctor says about the slots of a bot's domain, and about what runs the lookup."""

from __future__ import annotations

from typing import Any

import pytest

from actions.ps7.cli.doctor import naming, running, slots
from actions.ps7.slot_names import SlotNames
from tests.support.doctor import STATUS_VALUES, bot_of, complaints, sound

CATEGORICAL = {"type": "categorical", "influence_conversation": False}
FROM_TEXT = {"mappings": [{"type": "from_text"}]}
RULE = {"rules": [{"rule": "Which account", "steps": [{"action": "action_ps7_context"}]}]}
NOT_MAPPED: dict[str, Any] = {"ps7_status": {"mappings": [{"type": "custom"}]}}
CONDITIONED: dict[str, Any] = {
    "ps7_status": {
        "mappings": [
            {
                "type": "custom",
                "action": "action_ps7_context",
                "conditions": [{"active_loop": "card_form"}],
            }
        ]
    }
}


def test_a_sound_bot_gives_no_complaint() -> None:
    """And what it declares, and what runs the lookup, is said."""
    bot = bot_of(sound(), data={})
    assert complaints(bot) == []
    assert [finding.found for finding in slots.check(bot, SlotNames({}))] == [
        (
            "the domain declares ps7_context, ps7_status and segment of ours; not declared, and so "
            "never written: cpf, cpf_masked, agency, account, ivr_option, phone_number, "
            "id_document, identification, security_device, token_status, ps7_expires_at, ps7_key, "
            "ps7_decoded_context_id and ps7_payload"
        )
    ]
    assert [finding.found for finding in running.check(bot)] == [
        "action_ps7_context is run by slot ps7_status (on every turn)"
    ]


def test_a_bot_that_declares_every_slot_lacks_none() -> None:
    """Then there is nothing to say about the others."""
    names = ("cpf", "cpf_masked", "agency", "account", "ivr_option", "phone_number", "id_document")
    more: dict[str, Any] = {
        name: {} for name in (*names, "ps7_expires_at", "ps7_key", "ps7_decoded_context_id")
    }
    categories: dict[str, Any] = {
        "identification": ["authenticated", "identified", "not_identified"],
        "security_device": ["token", "csi", "none"],
        "token_status": ["valid", "invalid", "absent"],
    }
    more |= {name: {**CATEGORICAL, "values": values} for name, values in categories.items()}
    domain = sound(
        **more,
        ps7_payload={"type": "any"},
        u_display={},
    )
    (finding,) = slots.check(bot_of(domain), SlotNames({}))
    assert finding.found.endswith("token_status and u_display of ours")


SLOTS: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    (
        {"without": ["ps7_context"]},
        [
            (
                "error",
                "slot-context-missing",
                "slot ps7_context is not declared: nothing is kept, and every turn asks PS7 again",
            )
        ],
    ),
    (
        {"segment": {"type": "bool"}},
        [
            (
                "error",
                "slot-type",
                "slot segment is of type bool, and the action writes text",
            )
        ],
    ),
    ({"segment": {"type": "categorical", "values": ["Private"]}}, []),
    (
        {"ps7_payload": {"type": "text"}},
        [
            (
                "error",
                "slot-type",
                "slot ps7_payload is of type text, and the action writes a whole object",
            )
        ],
    ),
    (
        {"ps7_status": {"type": "text"}},
        [
            (
                "error",
                "slot-type",
                "slot ps7_status is of type text: no rule can tell its values apart",
            )
        ],
    ),
    (
        {"ps7_status": {"values": STATUS_VALUES[:-1]}},
        [
            (
                "error",
                "slot-values",
                (
                    "slot ps7_status lacks the value tampered: the dialogue will not see it when "
                    "it comes"
                ),
            )
        ],
    ),
    (
        {"token_status": {**CATEGORICAL, "values": ["VALID"]}},
        [
            (
                "error",
                "slot-values",
                (
                    "slot token_status lacks the values invalid and absent: the dialogue will not "
                    "see it when it comes"
                ),
            )
        ],
    ),
    (
        {"segment": {"mappings": ...}},
        [
            (
                "error",
                "slot-unmapped",
                (
                    "slot segment has no mapping: Rasa Open Source refuses it, and in Rasa Pro the "
                    "language model fills it"
                ),
            )
        ],
    ),
    (
        {"cpf": FROM_TEXT},
        [
            (
                "error",
                "slot-filled-elsewhere",
                (
                    "slot cpf is filled by from_text: it is the bot's own, and the plugin leaves "
                    "it alone"
                ),
            )
        ],
    ),
    (
        {"ps7_context": FROM_TEXT},
        [
            (
                "error",
                "slot-filled-elsewhere",
                (
                    "slot ps7_context is filled by from_text: it is the bot's own, and the plugin "
                    "leaves it alone; nothing is kept, and every turn asks PS7 again"
                ),
            )
        ],
    ),
    (
        {"segment": {"initial_value": "Private"}},
        [
            (
                "warning",
                "slot-initial-value",
                "slot segment has an initial_value: it claims a customer before PS7 was asked",
            )
        ],
    ),
    (
        {"ps7_status": {"initial_value": "ok"}},
        [
            (
                "error",
                "slot-initial-value",
                (
                    "slot ps7_status has an initial_value: it claims a customer before PS7 was "
                    "asked, and counts as tampered"
                ),
            )
        ],
    ),
    (
        {"agencia": {}},
        [
            (
                "warning",
                "slot-name",
                "nothing fills slot agencia, which may be meant to be agency",
            )
        ],
    ),
    ({"segment": {"initial_value": ""}}, []),
    ({"agencia": FROM_TEXT}, []),
    ({"agencia": {"mappings": [{"type": "custom", "action": "action_ask_branch"}]}}, []),
    ({"agencia": {}, "agency": {}}, []),
    (
        {"cpf_maskd": {}},
        [
            (
                "warning",
                "slot-name",
                "nothing fills slot cpf_maskd, which may be meant to be cpf_masked",
            )
        ],
    ),
    ({"favourite_card": {}}, []),
]


@pytest.mark.parametrize(("changes", "expected"), SLOTS, ids=str)
def test_a_slot_that_is_not_as_it_should_be_is_named(
    changes: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    """That one, and nothing else."""
    assert complaints(bot_of(sound(**changes))) == expected


def test_a_domain_without_a_slot_of_ours_lacks_the_two_that_are_needed() -> None:
    """And nothing runs the lookup."""
    domain = sound(without=["ps7_status", "ps7_context", "segment"])
    assert complaints(bot_of(domain, data={})) == [
        (
            "error",
            "slot-status-missing",
            "slot ps7_status is not declared: the dialogue cannot tell how a lookup ended",
        ),
        (
            "error",
            "slot-context-missing",
            "slot ps7_context is not declared: nothing is kept, and every turn asks PS7 again",
        ),
        ("error", "runs-never", "nothing runs action_ps7_context"),
    ]


def test_whatever_fills_a_slot_is_named_once() -> None:
    """Mappings, and the forms that ask for it."""
    domain = sound(
        cpf={"mappings": [{"type": "from_text"}, {"type": "from_entity"}, {"type": "from_text"}]}
    )
    domain["forms"] = {
        "card_form": {"required_slots": ["cpf"]},
        "other_form": {"required_slots": ["amount"]},
        "odd_form": None,
    }
    assert [text for _, _, text in complaints(bot_of(domain))] == [
        (
            "form card_form asks for slot cpf, filled by from_text and from_entity: it is the "
            "bot's own, and the plugin leaves it alone"
        )
    ]


@pytest.mark.parametrize(
    ("slot", "level", "said"),
    [
        ("segment", "warning", "until the next run it may hold what a user said, `ok` beside it"),
        ("ps7_status", "error", "what a user says can stand where PS7's word should"),
    ],
)
def test_a_form_may_ask_for_a_slot_that_the_plugin_writes(slot: str, level: str, said: str) -> None:
    """Where `custom` is its only mapping, the bot validates what the user types into it."""
    domain = sound() | {"forms": {"any_form": {"required_slots": [slot]}}}
    assert complaints(bot_of(domain)) == [
        (level, "slot-filled-elsewhere", f"form any_form asks for slot {slot}: {said}")
    ]


def test_slots_that_are_declared_twice_and_differently() -> None:
    """Which Rasa takes is left to the file system; the bot's own are its own affair."""
    bot = bot_of(sound(), doubles={"segment": ("a.yml", "b.yml"), "card": ("a.yml", "b.yml")})
    assert complaints(bot) == [
        (
            "warning",
            "slot-twice",
            (
                "slot segment is declared differently in a.yml and b.yml, and which of these Rasa "
                "reads first depends on the file system"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("renames", "changes", "expected"),
    [
        ({"segment": "segmento"}, {"without": ["segment"], "segmento": {}}, []),
        ({"segment": "segmento"}, {"without": ["segment"]}, []),
        (
            {"segment": "segmneto"},
            {"without": ["segment"], "segmento": {}},
            [
                (
                    "warning",
                    "slot-names",
                    (
                        "PS7_SLOT_NAMES calls segment segmneto, and the domain declares no "
                        "segmneto, but segmento, which nothing fills"
                    ),
                )
            ],
        ),
        ({"segment": "segmneto"}, {"without": ["segment"], "segmento": FROM_TEXT}, []),
        (
            {"segment": "segmento"},
            {},
            [
                (
                    "error",
                    "slot-names",
                    (
                        "PS7_SLOT_NAMES calls segment segmento, and the domain declares no "
                        "segmento, but segment, which is not written any more"
                    ),
                )
            ],
        ),
        (
            {"ps7_context": "contexto"},
            {"without": ["ps7_context"]},
            [
                (
                    "error",
                    "slot-context-missing",
                    "slot contexto is not declared: nothing is kept, and every turn asks PS7 again",
                )
            ],
        ),
    ],
)
def test_settings_that_rename_slots_are_held_against_the_domain(
    renames: dict[str, str], changes: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    """`PS7_SLOT_NAMES`."""
    assert complaints(bot_of(sound(**changes)), renames) == expected


def test_slots_with_portuguese_names_and_no_setting_that_says_so() -> None:
    """Those that `rasa-ps7 domain --pt` gives them; the whole setting is written out."""
    bot = bot_of(sound(agencia={}, conta={}, segmento={}, without=["segment"], titular={}))
    (finding,) = naming.check(bot, {"cpf": "titular"}, [])
    assert (finding.id, finding.found, finding.do) == (
        "slot-name",
        (
            "nothing fills slot agencia, conta and segmento, which may be meant to be agency, "
            "account and segment"
        ),
        (
            'Set PS7_SLOT_NAMES=\'{"cpf": "titular", "agency": "agencia", "account": "conta", '
            '"segment": "segmento"}\', or give them the plugin\'s names.'
        ),
    )


def test_slots_to_clear_that_do_not_exist() -> None:
    """`PS7_CLEAR_SLOTS`: one that exists is not named."""
    assert complaints(bot_of(sound(balance={})), to_clear=["balance", "card", "limit"]) == [
        (
            "warning",
            "clear-slots",
            "PS7_CLEAR_SLOTS names card and limit, which the domain does not declare",
        )
    ]


# What runs the lookup


def starting(domain: dict[str, Any]) -> dict[str, Any]:
    return {**domain, "actions": [*domain["actions"], {"action_session_start": {"x": True}}]}


AT_START = (
    "action_ps7_context is run by its own action_session_start at most: a contextId that comes "
    "later is not looked up, and a lookup that failed is not repeated"
)
RUNS: list[tuple[dict[str, Any], dict[str, Any] | None, bool | None, tuple[str, str, str]]] = [
    (
        sound(**NOT_MAPPED),
        RULE,
        None,
        ("ok", "runs", "action_ps7_context is run by rule “Which account”"),
    ),
    (
        sound(**NOT_MAPPED),
        {"flows": {"greet": {"steps": [{"action": "action_ps7_context"}]}}},
        None,
        ("ok", "runs", "action_ps7_context is run by flow greet"),
    ),
    (
        starting(sound()),
        {},
        True,
        (
            "ok",
            "runs",
            (
                "action_ps7_context is run by slot ps7_status (on every turn) and its own "
                "action_session_start"
            ),
        ),
    ),
    (
        starting(sound()),
        {},
        None,
        ("ok", "runs", "action_ps7_context is run by slot ps7_status (on every turn)"),
    ),
    (
        sound(**CONDITIONED),
        {},
        None,
        (
            "warning",
            "runs-sometimes",
            (
                "action_ps7_context is run by slot ps7_status under conditions alone, not on every "
                "turn"
            ),
        ),
    ),
    (starting(sound(**NOT_MAPPED)), {}, None, ("warning", "runs-at-start", AT_START)),
    (
        starting(sound(**NOT_MAPPED)),
        {},
        False,
        ("error", "runs-never", "nothing runs action_ps7_context"),
    ),
    (
        sound(**NOT_MAPPED),
        None,
        None,
        ("warning", "runs-unknown", "no slot of the domain runs action_ps7_context"),
    ),
    (
        sound(ps7_status={"mappings": [{"type": "from_text", "action": "action_ps7_context"}]}),
        {},
        None,
        ("error", "runs-never", "nothing runs action_ps7_context"),
    ),
]


@pytest.mark.parametrize(("domain", "data", "looks_up", "expected"), RUNS)
def test_what_runs_the_lookup_is_said(
    domain: dict[str, Any],
    data: dict[str, Any] | None,
    looks_up: bool | None,
    expected: tuple[str, str, str],
) -> None:
    """A mapping, a rule, a flow, the start of a session; or nothing, as far as one looks."""
    bot = bot_of(domain, data, session_start_looks_up=looks_up)
    (finding,) = running.check(bot)
    assert (finding.level.value, finding.id, finding.found) == expected


def test_an_action_that_a_rule_runs_and_the_domain_does_not_list() -> None:
    """Rasa refuses to train such a rule; a mapping needs no list."""
    domain = {**sound(), "actions": None}
    assert complaints(bot_of(domain, RULE)) == [
        (
            "error",
            "action-unlisted",
            (
                "rule “Which account” runs action_ps7_context, which is not listed under "
                "`actions:` of the domain"
            ),
        )
    ]
    assert complaints(bot_of(domain, {})) == []


def test_an_action_that_may_rewrite_what_ours_writes() -> None:
    """`action_validate_slot_mappings`."""
    domain = {**sound(), "actions": ["action_validate_slot_mappings"]}
    assert complaints(bot_of(domain)) == [
        (
            "warning",
            "slot-validation",
            (
                "the domain lists action_validate_slot_mappings: it is shown what our action "
                "writes, and may change it"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("looks_up", "named"),
    [
        (True, "action_ps7_verify and action_session_start ask"),
        (None, "action_ps7_verify and action_session_start ask"),
        (False, "action_ps7_verify asks"),
    ],
)
def test_actions_that_are_not_sent_the_domain(looks_up: bool | None, named: str) -> None:
    """Where Rasa sends it to those alone that ask for it; a session start may be the bot's own."""
    sent = {"send_domain": True}
    actions = [
        {"action_ps7_context": sent},
        {"action_ps7_verify": {"send_domain": False}},
        "action_session_start",
        "action_of_the_bot",
    ]
    domain = {**sound(), "actions": actions}
    assert complaints(bot_of(domain, session_start_looks_up=looks_up)) == []
    assert complaints(bot_of(domain, session_start_looks_up=looks_up, selective=True)) == [
        (
            "error",
            "domain-not-sent",
            (
                f"endpoints.yml sets `enable_selective_domain`, and {named} for no domain: "
                "rasa-sdk 3.21 refuses the call, an older one runs it and no slot is known to be "
                "the bot's own"
            ),
        )
    ]
