"""What the doctor finds in a bot: one table from what its files hold to what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from actions.ps7.slots import CONTEXT
from tests.support.doctor import (
    STATUS_VALUES,
    assert_found,
    bot_of,
    found_in,
    sound,
    written,
    wrong,
)

SEEN = {"influence_conversation": True}
CUSTOM = {"mappings": [{"type": "custom"}]}
FROM_TEXT = {"mappings": [{"type": "from_text"}]}
RULES_ALONE = {"policies": [{"name": "RulePolicy", "enable_fallback_prediction": False}]}
STORIES = {"policies": [{"name": "AugmentedMemoizationPolicy"}, {"name": "TEDPolicy"}]}
CALM = {"pipeline": [{"name": "CompactLLMCommandGenerator"}], "policies": [{"name": "FlowPolicy"}]}
SOME_SENT = [
    {"action_ps7_context": {"send_domain": True}},
    {"action_ps7_verify": {"send_domain": False}},
    *("action_session_start", "action_of_the_bot"),
]
STARTS = {"actions": ["action_ps7_context", "action_session_start"]}
SELECTIVE = {"action_endpoint": {"enable_selective_domain": True}}
ALWAYS = "slot ps7_status (on every turn)"
STORIES_OF = "warning slot-featurised: stories of"
QUOTES_IT = "warning response-quotes: response utter_it quotes"
NOT_SENT = "error domain-not-sent: `enable_selective_domain` keeps the domain from"
BOTH = f"{NOT_SENT} action_ps7_verify and action_session_start:"
RESETS = "warning calm-coexistence: a change between flows and the NLU-based assistant resets"


def rule(*slots: object, kind: str = "rule") -> dict[str, Any]:
    """Return training data with a rule, or a story, that waits for slots."""
    group = {"rule": "rules", "story": "stories"}[kind]
    return {group: [{kind: "Balance", "steps": [{"slot_was_set": list(slots)}, {"action": "a"}]}]}


def flow(**content: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    return {"flows": {"balance": content}}


def form(slot: str) -> dict[str, Any]:
    return {"forms": {"any": {"required_slots": [slot]}, "other": {}, "odd": None}}


def mapping(**said: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return ps7_status with another mapping."""
    return {"ps7_status": {"mappings": [said]}}


def looked_up(**said: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return ps7_status with a mapping that runs the lookup, and what it says beside that."""
    return mapping(type="custom", action="action_ps7_context", **said)


def quoting(*variations: object, slots: tuple[str, ...] = ("account", "agency")) -> dict[str, Any]:
    """Return a domain that declares these slots too, and has one response."""
    declared: dict[str, Any] = {name: {} for name in slots}
    return sound(**declared, more={"responses": {"utter_it": list(variations)}})


def case(domain: dict[str, Any], *expected: str, **more: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Return a domain, what must be found, and other files of the bot or settings about slots."""
    return domain, more, list(expected)


DECLARED = [
    case(sound(), data={}),
    case(sound(without=["ps7_context"]), "error slot-context-missing: slot ps7_context is not"),
    case(
        sound(without=["ps7_status", "ps7_context", "segment"]),
        "error slot-status-missing: slot ps7_status is not declared: the dialogue cannot tell",
        "error slot-context-missing: slot ps7_context is not declared: nothing can be kept, and",
        "error runs-never: nothing runs action_ps7_context",
        data={},
    ),
    *(
        case(sound(**{name: {"type": kind}}), f"error slot-type: slot {name} is {kind}, which")
        for name, kind in (("segment", "bool"), ("ps7_payload", "text"), ("ps7_status", "text"))
    ),
    case(sound(segment={"type": "categorical", "values": ["Private"]}, cpf={"type": "any"})),
    case(sound(ps7_payload={"type": "any"}, u_display={})),
    case(sound(ps7_status={"values": STATUS_VALUES[:-1]}), "error slot-values: slot ps7_status"),
    case(
        sound(token_status={"type": "categorical", "values": ["VALID", True]}),
        "error slot-values: slot token_status lacks invalid and absent: the dialogue cannot",
    ),
    case(sound(segment={"mappings": ...}), "error slot-unmapped: slot segment has no mapping:"),
    # What else fills a slot of ours
    case(sound(cpf=FROM_TEXT), "error slot-filled-elsewhere: slot cpf is filled by from_text: it"),
    case(sound(ps7_context=FROM_TEXT), "error slot-filled-elsewhere: slot ps7_context is filled"),
    case(
        sound(
            cpf={"mappings": [{"type": "from_text"}, {"type": "from_intent"}, {"type": "custom"}]},
            more=form("cpf"),
        ),
        "error slot-filled-elsewhere: form any asks for slot",
    ),
    *(
        case(
            sound(more=form(name)),
            f"{level} slot-filled-elsewhere: form any asks for slot {name}: until the next run",
        )
        for level, name in (("warning", "segment"), ("error", "ps7_status"), ("error", CONTEXT))
    ),
    # Names
    *(
        case(
            sound(**{name: {}}),
            f"warning slot-name: nothing fills slot {name}, which may be meant to be {meant}",
        )
        for name, meant in (("agencia", "agency"), ("cpf_maskd", "cpf_masked"))
    ),
    case(sound(agencia=FROM_TEXT)),
    case(sound(agencia={"mappings": [{"type": "custom", "action": "action_ask_branch"}]})),
    case(sound(agencia={}, agency={})),
    case(sound(favourite_card={})),
    case(sound(without=["segment"], segmento={}), renames={"segment": "segmento"}),
    case(sound(without=["segment"]), renames={"segment": "segmento"}),
    case(
        sound(without=["segment"], segmento={}),
        "warning slot-name: nothing fills slot segmento, which may be meant to be segment",
        renames={"segment": "segmneto"},
    ),
    case(sound(), "error slot-names: PS7_SLOT_NAMES calls", renames={"segment": "segmento"}),
    case(sound(segment=FROM_TEXT), renames={"segment": "segmento"}),  # the bot's own, beside ours
    case(
        sound(without=["ps7_context"]),
        "error slot-context-missing: slot contexto is not declared: nothing can be kept, and",
        renames={"ps7_context": "contexto"},
    ),
    case(
        sound(balance={}),
        "warning clear-slots: PS7_CLEAR_SLOTS names card and limit, which the domain does not",
        to_clear=["balance", "card", "limit"],
    ),
]
RUNS = [
    *(
        case(sound(**changes), "error runs-never: nothing runs action_ps7_context", data={})
        for changes in (
            mapping(type="custom"),
            *(looked_up(**{key: ["x"]}) for key in ("conditions", "intent", "not_intent")),
        )
    ),
    case(
        sound(**mapping(type="from_text", action="action_ps7_context")),
        "error slot-filled-elsewhere: slot ps7_status is filled by from_text: it is the bot's",
        "error runs-never: nothing runs action_ps7_context",
        data={},
    ),
    case(sound(**mapping(type="custom")), "warning runs-unknown: no slot of the domain runs"),
    *(
        case(
            sound(**mapping(type="custom"), more=STARTS),
            "warning runs-at-start: action_ps7_context is run by its own action_session_start",
            data={},
            **code,
        )
        for code in ({}, {"code": "class A(PS7SessionStart)"})
    ),
    case(
        sound(**mapping(type="custom"), more=STARTS),
        "error session-start-own: the lookup is meant to run at the session's start, and the bot's",
        data={},
        code="class Own: name = 'action_session_start'",
    ),
    case(
        sound(more={"actions": ["action_validate_slot_mappings"]}),
        "warning slot-validation: the domain lists action_validate_slot_mappings: it may",
    ),
    *(
        case(sound(more={"actions": SOME_SENT}), *not_sent, endpoints=endpoints, **code)
        for endpoints, code, not_sent in (
            ({"action_endpoint": {"url": "x"}}, {}, []),
            ({"action_endpoint": "x"}, {}, []),
            (SELECTIVE, {}, [BOTH]),
            (SELECTIVE, {"code": "PS7SessionStart"}, [BOTH]),
            (SELECTIVE, {"code": ""}, [f"{NOT_SENT} action_ps7_verify:"]),
        )
    ),
]
POLICIES = [
    *(
        case(
            sound(ps7_status=SEEN),
            f"{STORIES_OF} AugmentedMemoizationPolicy and TEDPolicy may stop matching: ps7_status",
            **data,
            config=STORIES,
        )
        for data in ({}, {"data": rule({"other": 1}, kind="story")})
    ),
    case(
        sound(ps7_status=SEEN, segment={"influence_conversation": ...}),
        f"{STORIES_OF} MemoizationPolicy, UnexpecTEDIntentPolicy and TEDPolicy may stop matching",
        config={"policies": None},
    ),
    *(
        case(sound(**changes), **data, config=config)
        for changes, data, config in (
            ({}, {"data": rule({"other": 1}, kind="story")}, STORIES),
            ({"ps7_status": SEEN}, {"data": rule({"ps7_status": "ok"}, kind="story")}, STORIES),
            ({"ps7_status": SEEN}, {"data": rule("ps7_status", kind="story")}, STORIES),
            ({"ps7_status": SEEN}, {"data": rule({"ps7_status": "ok"})}, STORIES),
            ({"ps7_status": SEEN}, {"data": rule({"other": 1}, kind="story")}, RULES_ALONE),
            ({"ps7_status": SEEN}, {"data": flow()}, {"pipeline": []}),
            ({"ps7_payload": {"type": "any", "influence_conversation": ...}}, {}, STORIES),
        )
    ),
    case(sound(ps7_status=SEEN), data=rule({"other": 1}, kind="story")),
    case(sound(ps7_status=SEEN), data=rule({"ps7_status": "ok"}, {"mood": "good"})),
    *(
        case(sound(), "error condition-ignored: rule “Balance” cannot see", data=rule(condition))
        for condition in ("ps7_status", {"ps7_status": "ok"}, {"ps7_status": None})
    ),
]
QUOTES = [
    *(
        case(quoting({"text": "Olá"}, variation), "warning response-quotes: response utter_it")
        for variation in (
            {"text": "Conta {account}"},
            {"text": "Olá", "buttons": [{"title": "Conta {account}", "payload": "/ok"}]},
            {"text": "Olá", "quick_replies": [{"title": "{account}", "payload": "/ok"}]},
            {"custom": {"blocks": [{"text": {"text": "{account}"}}]}},
            {"attachment": {"file": "{account}.pdf"}},
            {"text": "Conta {account}", "condition": [{"type": "slot", "name": "ps7_status"}]},
            {"text": "Conta {{{account}}}"},
        )
    ),
    case(
        quoting({"text": "Agência {agency}, conta {account}"}, {"text": "Conta {account}"}),
        f"{QUOTES_IT} agency and account:",
    ),
    *(
        case(quoting({"text": f"{{{slot}}}"}, slots=(slot,)), f"{QUOTES_IT} {slot}:")
        for slot in ("cpf", "cpf_masked", "phone_number", "ps7_key", "u_cpf", "u_whatever")
    ),
    *(
        case(quoting({"text": f"{{{slot}}}"}, slots=()))
        for slot in ("ps7_status", "segment", "conta_verificada", "account")
    ),
    case(
        quoting({"text": "{conta} {account}"}, slots=("account", "conta")),
        f"{QUOTES_IT} conta:",
        renames={"account": "conta"},
    ),
    *(
        case(quoting(variation))
        for variation in (
            {"text": "Conta {{account}}"},
            {"text": "Conta {account\n}"},
            {"metadata": {"for": "{account}"}},
            {"text": None},
            "Conta {account}",
        )
    ),
]
PROMPTS = "to sub-agents and Enterprise Search, in their prompts"
GUARD = "warning flow-guard: the guard of flow balance reads ps7_status before any action of its"
NO_STUB = "warning e2e-stubs: end-to-end tests with stubs have none for"
OWN_START = "class Own: name = 'action_session_start'"
OWN_MAKES_NONE = "warning session-start-calm: the bot's own action_session_start makes no lookup"
ENDLESS = "warning session-endless: `start_session_after_expiry: false` ends no session by a pause"
UNREADABLE = "warning privacy-seal: `privacy:` makes slot ps7_context unreadable, and a new session"
BY_MODEL: dict[str, Any] = {"flows": {"greet": {"steps": []}}}
CARRIES = {"session_config": {"carry_over_slots_to_new_session": True}}
HIDES_SEAL = {"privacy": {"rules": [{"slot": "cpf_masked"}, {"slot": "ps7_context"}, 7]}}
GUARDED = flow(**{"if": "slots.ps7_status = 'ok' and slots.mood"})
LANGUAGE_MODELS = [
    case(sound(), data={}, config=CALM),
    case(sound(cpf={}, u_display={}), "warning calm-personal: Rasa Pro shows cpf", config=CALM),
    case(sound(cpf={}), config=RULES_ALONE),
    *(
        case(
            sound(cpf={}, other={"mappings": [{"type": kind}]}),
            *([f"warning calm-personal: Rasa Pro shows cpf {PROMPTS}"] if kind else []),
        )
        for kind in ("from_llm", "controlled", "")
    ),
    *(
        case(
            sound(**{name: {"shared_for_coexistence": True} for name in shared}),
            *reset,
            config={"pipeline": [{"name": router}, *CALM["pipeline"]]},
        )
        for router, shared, reset in (
            ("LLMBasedRouter", ("ps7_status",), [f"{RESETS} ps7_context and segment"]),
            ("IntentBasedRouter", ("ps7_status", "ps7_context"), [f"{RESETS} segment"]),
            ("IntentBasedRouter", ("ps7_status", "ps7_context", "segment"), []),
        )
    ),
    case(
        sound(),
        "error flow-writes: flow balance collects slot segment: a guess of the model replaces",
        "error flow-writes: flow balance sets slot ps7_status: a guess of the model replaces",
        data=flow(
            steps=[
                {"collect": "segment", "next": [{"then": [{"collect": "amount"}]}]},
                {"set_slots": [{"ps7_status": "ok"}, {"amount": 1}]},
            ]
        ),
    ),
    case(sound(), data=flow(**{"if": False})),
    *(
        case(sound(more=starts), GUARD, data=GUARDED, **code)
        for starts, code in (({}, {}), (STARTS, {}), (STARTS, {"code": "PS7SessionStart"}))
    ),
    *(
        case(sound(more=starts), *found, data=BY_MODEL, code=code)
        for starts, code, found in (
            ({}, "", []),
            (STARTS, "class Own(PS7SessionStart): pass", []),
            ({}, OWN_START, [OWN_MAKES_NONE]),
        )
    ),
    *(
        case(sound(more={"session_config": said}), *found, data=BY_MODEL)
        for said, found in (
            ({"carry_over_slots_to_new_session": False, "start_session_after_expiry": True}, []),
            (
                {"carry_over_slots_to_new_session": False, "start_session_after_expiry": False},
                [ENDLESS],
            ),
        )
    ),
    *(
        case(sound(more=more), *found, data=BY_MODEL, endpoints=endpoints)
        for more, endpoints, found in (
            ({}, HIDES_SEAL, []),
            (CARRIES, {"privacy": 7}, []),
            (CARRIES, HIDES_SEAL, [UNREADABLE]),
        )
    ),
    *(
        case(
            sound(more=starts),
            *found,
            data=BY_MODEL,
            e2e={"stub_custom_actions": dict.fromkeys(stubs)},
        )
        for starts, stubs, found in (
            ({}, ["other", "balance_ok::action_ps7_context"], []),
            ({}, ["other"], [f"{NO_STUB} action_ps7_context"]),
            (STARTS, ["action_ps7_context"], [f"{NO_STUB} action_session_start"]),
        )
    ),
]
VIER = {"rasa_vier_cvg.CVGInput": {"token": "made-up"}}
PERSISTENT = {"socketio": {"session_persistence": True}}
CHANNELS = [
    *(case(sound(), credentials=said) for said in ({"rest": None}, {"socketio": None}, {})),
    case(sound(), credentials={"socketio": {"session_persistence": False}}),
    case(
        sound(),
        "warning socketio-persistence: socketio has `session_persistence: true`: with python-socke",
        credentials=PERSISTENT,
    ),
    case(sound(), credentials=PERSISTENT, config=CALM),
    case(
        sound(),
        "warning channel-path: VIER's channel puts metadata under cvg_body, and PS7_METADATA_KEYS",
        credentials=VIER,
    ),
    case(sound(), credentials=VIER, metadata_keys=["contextId", "cvg_body.dialogContext.ctx"]),
    case(
        sound(),
        "warning channel-metadata: in credentials.yml, telegram lets no metadata of yours through",
        "warning channel-metadata: in credentials.yml, callback lets no metadata of yours through",
        "warning channel-metadata: in credentials.yml, genesys lets no metadata of yours through",
        credentials={"telegram": {"access_token": "made-up"}, "callback": None, "genesys": None},
    ),
]
TABLE = [*DECLARED, *RUNS, *POLICIES, *QUOTES, *LANGUAGE_MODELS, *CHANNELS]


@pytest.mark.parametrize(("domain", "more", "expected"), TABLE)
def test_what_is_wrong_with_a_bot_is_found_and_nothing_else(
    domain: dict[str, Any], more: dict[str, Any], expected: list[str]
) -> None:
    """Each with its level, its name and its text; what is right is not mentioned."""
    settings = {key: more[key] for key in ("renames", "to_clear", "metadata_keys") if key in more}
    files = {key: value for key, value in more.items() if key not in settings}
    assert_found(wrong(found_in(bot_of(domain, **files), **settings)), expected)


@pytest.mark.parametrize(
    ("domain", "files", "ways"),
    [
        (sound(), {}, ALWAYS),
        (
            sound(
                ps7_status={"mappings": [{"type": "controlled"}]}, other=looked_up()["ps7_status"]
            ),
            {},
            "slot other (on every turn)",
        ),
        (
            sound(
                **mapping(type="controlled", run_action_every_turn="action_ps7_context"),
                more=STARTS,
            ),
            {"code": "PS7SessionStart"},
            f"{ALWAYS} and its own action_session_start",
        ),
        (
            sound(**mapping(type="custom")),
            {"data": {"rules": [{"rule": "Ask", "steps": [{"action": "action_ps7_context"}]}]}},
            "rule “Ask”",
        ),
        (
            sound(),
            {"data": flow(steps=[{"action": "action_ps7_context"}])},
            f"{ALWAYS} and flow balance",
        ),
    ],
)
def test_what_runs_the_lookup_is_named(
    domain: dict[str, Any], files: dict[str, Any], ways: str
) -> None:
    """A mapping, a rule, a flow, the start of a session."""
    found = [written(finding) for finding in found_in(bot_of(domain, **files))]
    assert f"ok runs: action_ps7_context is run by {ways}" in found


def test_what_the_plugin_writes_is_said() -> None:
    """And what it does not, by the bot's names; a slot that the bot fills is in neither list."""
    bot = bot_of(sound(without=["segment"], segmento={}, cpf=FROM_TEXT))
    renames = {"segment": "segmento", "id_document": "titular"}
    (said,) = [each.found for each in found_in(bot, renames) if each.id == "slots"]
    assert said == (
        "the plugin writes slots ps7_context, ps7_status and segmento; never written: cpf_masked, "
        "agency, account, ivr_option, phone_number, titular, identification, security_device, "
        "token_status, ps7_expires_at, ps7_key, ps7_decoded_context_id and ps7_payload"
    )
    assert "slots" not in [each.id for each in found_in(bot_of({"slots": {"mood": {}}}))]


@pytest.mark.parametrize(
    ("policy", "domain", "code", "is_said"),
    [
        ({}, {}, "", True),
        ({"enable_fallback_prediction": False}, {}, "", False),
        ({"core_fallback_action_name": "action_hand_over"}, {}, "", False),
        ({}, {"actions": ["action_default_fallback"]}, "", False),
        ({}, {"actions": ["action_default_fallback"]}, "[UserUtteranceReverted()]", True),
    ],
)
def test_what_a_fallback_costs_is_said_and_is_no_fault(
    policy: dict[str, Any], domain: dict[str, Any], code: str, is_said: bool
) -> None:
    """A bot's fallback is its own, however it is made; what matters is whether it rewinds."""
    bot = bot_of(sound(more=domain), code, config={"policies": [{"name": "RulePolicy", **policy}]})
    found = found_in(bot)
    assert wrong(found) == []
    assert (
        any(each.found.endswith("restores the slots, or looks up again") for each in found)
        is is_said
    )


def test_advice_is_in_the_words_of_the_bots_rasa() -> None:
    """Rasa Pro calls the mapping `controlled`, and gives it another key."""
    domain = sound(cpf=FROM_TEXT, **mapping(type="controlled"))
    advice = " ".join(finding.do for finding in found_in(bot_of(domain, data={})))
    assert "`type: controlled, run_action_every_turn: action_ps7_context`" in advice
    assert "leave `type: controlled` as the only mapping of cpf" in advice
    assert "type: custom" not in advice


def test_advice_names_the_bots_own_words() -> None:
    """What can be copied is right as it stands there."""
    bot = bot_of(sound(agencia={}, conta={}, cpf=FROM_TEXT))
    advice = {finding.id: finding.do for finding in found_in(bot, {"id_document": "titular"})}
    assert advice["slot-name"] == (
        'Set PS7_SLOT_NAMES=\'{"id_document": "titular", "agency": "agencia", "account": "conta"}'
        "', or give them the plugin's names."
    )
    assert advice["slot-filled-elsewhere"] == (
        "To have both, declare `customer_cpf` with the mapping `type: custom` and set "
        'PS7_SLOT_NAMES={"cpf": "customer_cpf"}; to have the plugin\'s alone, leave '
        "`type: custom` as the only mapping of cpf, and ask for it in no form."
    )
