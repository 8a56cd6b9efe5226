"""What the doctor finds in a bot: one table from what its files hold to what is said of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from actions.ps7.cli.bot.content import Bot
from actions.ps7.cli.doctor.judge import check_slots
from actions.ps7.customer import NEEDED
from tests.support.doctor import STATUS_VALUES, USUAL, bot_of, found_in, sound, written, wrong

SEEN = {"influence_conversation": True}
FROM_TEXT = {"mappings": [{"type": "from_text"}]}
TWICE = {"mappings": [{"type": "from_text"}, {"type": "from_intent"}, {"type": "custom"}]}
NO_MAPPING, CUSTOM = {"mappings": ...}, {"mappings": [{"type": "custom"}]}
BY_MODEL = {"name": "CompactLLMCommandGenerator"}
CALM = {"pipeline": [BY_MODEL], "policies": [{"name": "FlowPolicy"}]}
STARTS = {"actions": ["action_ps7_context", "action_session_start"]}
OWN_START = "class Own: name = 'action_session_start'"


def case(domain: dict[str, Any], *expected: str, **more: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Return a domain, other files of the bot or settings about slots, and all that is wrong.

    Of each finding that is its level and its id, and what its text names, in their order.
    """
    return domain, more, expected


def flow(**content: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    return {"flows": {"balance": content}}


def asked(slot: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return a domain with a form that asks for a slot."""
    forms = {"any": {"required_slots": [slot]}, "other": {}, "odd": None}
    return sound(more={"forms": forms}, **more)


def quoting(*variations: object, **slots: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return a domain with one response, and with these slots too."""
    return sound(account={}, more={"responses": {"utter_it": list(variations)}}, **slots)


SEGMENTO, CONTEXTO = {"segment": "segmento"}, {"ps7_context": "contexto"}
VALUES = {"values": [*map(str.upper, STATUS_VALUES[:-1])]}
NO_STATUS = "error slot-status-missing", "warning runs-unknown"
DECLARED = [
    case(sound(), data={}),
    case(sound(without=["ps7_status"]), *NO_STATUS, renames=SEGMENTO),
    case(sound(without=["ps7_context"]), "error slot-context-missing"),
    case(sound(ps7_status={"type": "text"}), "error slot-type ps7_status text"),
    case(sound(segment={"type": "bool"}), "error slot-type segment bool"),
    case(sound(ps7_payload={}), "error slot-type ps7_payload text"),
    case(sound(segment={"type": "categorical"}, cpf={"type": "any"}, ps7_payload={"type": "any"})),
    case(sound(ps7_status=VALUES), "error slot-values ps7_status tampered"),
    case(sound(segment=NO_MAPPING), "error slot-unmapped segment"),
    # What else fills a slot of ours
    case(sound(ps7_context=FROM_TEXT), "error slot-filled-elsewhere ps7_context from_text"),
    case(asked("cpf", cpf=TWICE), "error slot-filled-elsewhere any cpf from_text from_intent"),
    case(asked("segment"), "warning slot-filled-elsewhere any segment"),
    case(asked("ps7_status"), "error slot-filled-elsewhere any ps7_status"),
    case(asked("ps7_context"), "error slot-filled-elsewhere any ps7_context"),
    # Names
    case(sound(without=["segment"], segmento={}), renames=SEGMENTO),
    case(sound(), "error slot-names segment", renames=SEGMENTO),
    case(sound(without=["ps7_context"]), "error slot-context-missing contexto", renames=CONTEXTO),
    # To rename a slot while conversations go on: the old one keeps a customer's value
    case(sound(segmento={}), "warning slot-renamed segment", renames=SEGMENTO),
    case(sound(segmento={}), renames=SEGMENTO, to_clear=["segment"]),
    case(sound(segmento={}, segment={"influence_conversation": ...}), renames=SEGMENTO),
    case(sound(cpf=FROM_TEXT, customer_cpf={}), renames={"cpf": "customer_cpf"}),
    case(sound(card={}), "warning clear-slots a b", to_clear=["card", "a", "b"]),
]
SENT = [
    {"action_ps7_context": {"send_domain": True}},
    {"action_ps7_verify": {"send_domain": False}},
]
ACTIONS = {"actions": [*SENT, "action_session_start", "action_of_the_bot"]}
SELECTIVE = {"action_endpoint": {"enable_selective_domain": True}}
VERIFY = "error domain-not-sent action_ps7_verify"
BY_HAND = sound(ps7_status=CUSTOM, more=STARTS)
LOOKS_UP = {"type": "custom", "action": "action_ps7_context"}
NOW_AND_THEN = ({"conditions": ["x"]}, {"intent": "greet"}, {"not_intent": ["greet"]})
BY_TEXT = {"mappings": [{**LOOKS_UP, "type": "from_text"}]}
NOT_BY_AN_ACTION = "error slot-filled-elsewhere ps7_status from_text", "error runs-never"
RUNS = [
    *(
        case(sound(ps7_status={"mappings": [LOOKS_UP | when]}), "error runs-never", data={})
        for when in NOW_AND_THEN
    ),
    case(sound(ps7_status=BY_TEXT), *NOT_BY_AN_ACTION, data={}),
    case(sound(ps7_status=CUSTOM), "warning runs-unknown"),
    case(BY_HAND, "warning runs-at-start", data={}),
    case(sound(ps7_status=CUSTOM), "error session-start-own", data={}, code=OWN_START),
    case(sound(), "warning session-start-early", data={}, code=OWN_START),
    case(sound(more={"actions": ["action_validate_slot_mappings"]}), "warning slot-validation"),
    case(sound(more=ACTIONS), endpoints={"action_endpoint": {"url": "x"}}),
    case(sound(more=ACTIONS), f"{VERIFY} action_session_start", endpoints=SELECTIVE),
    case(sound(more=ACTIONS), VERIFY, endpoints=SELECTIVE, code=""),
]
RULE = {"rules": [{"rule": "Balance", "steps": [{"slot_was_set": [{"ps7_status": "ok"}]}]}]}
SEGMENTS = {"type": "categorical", "values": ["Varejo"], **SEEN}


def under(*slots: object) -> dict[str, Any]:
    """Return a rule that holds on a condition."""
    condition = [{"active_loop": "any"}, {"slot_was_set": [*slots]}]
    return {"rules": [{"rule": "Menu", "condition": condition, "steps": []}]}


ANY = {"type": "any", **SEEN}
IGNORED = "error condition-ignored segment", "warning condition-value segment"
BY_SEGMENT = under({"ps7_status": "ok"}, {"segment": "Varejo"})
CONDITIONS = [
    case(sound(ps7_status=SEEN), data=RULE),
    case(sound(), "error condition-ignored ps7_status", data=RULE),
    # Of a text slot, a rule sees only whether it is set
    case(sound(ps7_status=SEEN, segment=SEEN), "warning condition-value segment", data=BY_SEGMENT),
    case(sound(ps7_status=SEEN, segment=SEGMENTS), data=BY_SEGMENT),
    case(sound(), *IGNORED, data=under({"segment": "Varejo"})),
    case(sound(segment=SEEN), data=under("segment")),
    case(sound(segment={"influence_conversation": ...}), data=under({"segment": None})),
    case(sound(ps7_payload=ANY), "error condition-ignored ps7_payload", data=under("ps7_payload")),
]
ACCOUNT = "warning response-quotes account"
IN_LISTS = "buttons", "quick_replies", "attachment"
CONTA: dict[str, Any] = {"renames": {"account": "conta"}, "to_clear": ["account"]}
QUOTES = [
    case(quoting({"text": "Olá", "buttons": [{"title": "{account}", "payload": "/ok"}]}), ACCOUNT),
    case(quoting({"custom": {"blocks": [{"text": {"text": "{account}"}}]}}), ACCOUNT),
    *(case(quoting({each: ["{account}"]}), ACCOUNT) for each in IN_LISTS),
    case(quoting({"image": "{account}"}), ACCOUNT),
    case(quoting({"text": "Conta {{{account}}}"}), ACCOUNT),
    case(sound(account={}), ACCOUNT, data={"responses": {"utter_b": [{"text": "{account}"}]}}),
    case(quoting({"text": "{cpf_masked}"}, cpf_masked={}), "warning response-quotes cpf_masked"),
    case(
        quoting({"text": "{conta} {account}"}, conta={}), "warning response-quotes conta", **CONTA
    ),
    case(quoting({"text": "{ps7_status} {segment} {conta_verificada} {cpf}"})),
    case(quoting({"text": "Conta {{account}}"}, {"text": "Conta {account\n}"})),
    case(quoting({"metadata": {"for": "{account}"}}, "Conta {account}")),
]
ROUTED = {"pipeline": [{"name": "LLMBasedRouter"}, BY_MODEL]}
SHARED = {"shared_for_coexistence": True}
ENDLESS = {"session_config": {"start_session_after_expiry": False}}
CARRIES = sound(more={"session_config": {"carry_over_slots_to_new_session": True}})
RENAMED = sound(without=["ps7_context"], contexto={}, more={"session_config": {}})
HIDES_SEAL = {"privacy": {"rules": [{"slot": "segment"}, {"slot": "ps7_context"}, 7]}}
HIDES_RENAMED: dict[str, Any] = {
    "renames": CONTEXTO,
    "endpoints": {"privacy": {"rules": [{"slot": "contexto"}]}},
}
MISNAMED = {"privacy": {"rules": [{"slot": "cpf_maked"}, {"slot": "segment"}, {"slot": ["a"]}]}}
COLLECTS = [{"collect": "amount", "next": [{"then": [{"collect": "segment"}]}]}]
SETS = [{"set_slots": [{"ps7_status": "ok"}, {"amount": 1}]}]
GUARDED = {"if": "slots.ps7_status = 'ok' and slots.mood"}


def stubs(*names: str) -> dict[str, Any]:
    return {"stub_custom_actions": dict.fromkeys(["other", *names])}


LANGUAGE_MODELS = [
    case(sound(cpf={}, u_display={}), "warning calm-personal cpf u_display", config=CALM),
    case(sound(cpf={}, other={"mappings": [{"type": "from_llm"}]}), "warning calm-personal cpf"),
    case(sound(ps7_status=SHARED), "warning calm-coexistence ps7_context segment", config=ROUTED),
    case(sound(), "error flow-writes collects segment", data=flow(steps=COLLECTS)),
    case(sound(), "error flow-writes sets ps7_status", data=flow(steps=SETS, **{"if": False})),
    case(sound(), "warning flow-guard ps7_status", data=flow(**GUARDED)),
    case(sound(more=STARTS), data=flow(), code=f"{OWN_START} PS7SessionStart"),
    case(sound(), "warning session-start-early", data=flow(), code=OWN_START),
    case(sound(more=ENDLESS), "warning session-endless", data=flow()),
    case(sound(), data=flow(), endpoints=HIDES_SEAL),
    case(CARRIES, "warning privacy-seal ps7_context", data=flow(), endpoints=HIDES_SEAL),
    case(RENAMED, "warning privacy-seal contexto", data=flow(), **HIDES_RENAMED),
    case(sound(), "warning privacy-slots cpf_maked a", data=flow(), endpoints=MISNAMED),
    case(sound(), data=flow(), e2e=stubs("balance_ok::action_ps7_context")),
    case(sound(), "warning e2e-stubs action_ps7_context", data=flow(), e2e=stubs()),
    case(
        sound(more=STARTS),
        "warning e2e-stubs action_session_start",
        data=flow(),
        e2e=stubs("action_ps7_context"),
    ),
]
VIER = {"bank.CVGInput": {"token": "made-up"}}
PERSISTENT = {"socketio": {"session_persistence": True}}
CHANNELS = [
    case(sound(), credentials={"rest": None, "socketio": None}),
    case(sound(), "warning socketio-persistence", credentials=PERSISTENT),
    case(sound(), credentials=PERSISTENT, config=CALM),
    case(sound(), "warning channel-path", credentials=VIER),
    case(sound(), credentials=VIER, metadata_keys=["contextId", "cvg_body.dialogContext.ctx"]),
    case(sound(), "warning channel-metadata telegram", credentials={"telegram": {}}),
    case(sound(), "warning channel-metadata genesys", credentials={"genesys": None}),
]
TABLE = [*DECLARED, *RUNS, *CONDITIONS, *QUOTES, *LANGUAGE_MODELS, *CHANNELS]


@pytest.mark.parametrize(("domain", "more", "expected"), TABLE)
def test_what_is_wrong_with_a_bot_is_found_and_nothing_else(
    domain: dict[str, Any], more: dict[str, Any], expected: tuple[str, ...]
) -> None:
    """Each with its level and its name; its text names these slots and no others."""
    settings = {key: more[key] for key in ("renames", "to_clear", "metadata_keys") if key in more}
    files = {key: value for key, value in more.items() if key not in settings}
    found = wrong(found_in(bot_of(domain, **files), **settings))
    assert len(found) == len(expected), found
    for text, (level, name, *named) in zip(found, map(str.split, expected), strict=True):
        words = set(re.findall(r"\w+", text))
        assert text.startswith(f"{level} {name}: ")
        assert words >= {*named}
        assert words & domain["slots"].keys() == domain["slots"].keys() & {*named}


def test_what_runs_the_lookup_is_named() -> None:
    """A mapping, a flow, the start of a session."""
    mapping = {"type": "controlled", "run_action_every_turn": "action_ps7_context"}
    runs = {"mappings": [mapping]}
    domain = sound(more=STARTS, ps7_status=runs, segment=runs)
    calls = flow(steps=[{"action": "action_ps7_context"}])
    found = [written(each) for each in found_in(bot_of(domain, "PS7SessionStart", data=calls))]
    ways = "slot ps7_status (on every turn), flow balance and its own action_session_start"
    assert f"ok runs: action_ps7_context is run by {ways}" in found


def test_an_action_that_nothing_runs_is_told_from_others() -> None:
    """By a form, a slot or code; where no script was looked at, nobody knows."""
    more = {"actions": ["action_b", "action_c", "validate_f", "action_a"]}
    slot = {"mappings": [{"type": "custom", "action": "action_c"}]}
    bot = bot_of(sound(more=more, segment=slot), "'action_b'", data={})
    names = ("action_ask_a", "action_validate_f", "validate_f", "action_b", "action_c", "action_a")
    assert [name for name in names if not bot.runs(name)] == ["action_a"]
    assert bot.own_actions == ["action_a", "action_b", "action_c", "validate_f"]
    assert bot_of(sound()).runs("action_a")


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


BOTS_OWN = "Rasa takes one of them, and both are the bot's"


@pytest.mark.parametrize(
    ("place", "name", "level", "whose"),
    [
        ("ps7/domain.yml", "segment", "error", "one is the plugin's, the other the bot's own"),
        ("a.yml", "segment", "warning", BOTS_OWN),
        ("ps7/domain.yml", "mood", "warning", BOTS_OWN),
    ],
)
def test_a_slot_that_two_files_fill_is_the_plugins_or_the_bots(
    place: str, name: str, level: str, whose: str
) -> None:
    """The plugin's only if it is one of its slots, and its own file is one of the two."""
    slots = [sound()["slots"] | {name: each} for each in (USUAL, FROM_TEXT)]
    files = [(Path(at), {"slots": each}) for at, each in zip((place, "b.yml"), slots, strict=True)]
    found = check_slots(Bot({"domain": files}, None), {}, ())
    filled = f"{place} and b.yml declare slot {name}, filled in other ways: {whose}"
    assert f"{level} slot-twice: {filled}" in [written(each) for each in found]


def test_advice_is_in_the_words_of_the_bot_and_of_its_rasa() -> None:
    """What can be copied is right as it is; Rasa Pro has another mapping, and another key."""
    advice = {each.id: each.do for each in found_in(bot_of(sound(cpf=FROM_TEXT)))}
    assert advice["slot-filled-elsewhere"].startswith(
        "To have both, declare `customer_cpf` with the mapping `type: custom` and set "
        'PS7_SLOT_NAMES={"cpf": "customer_cpf"}; '
    )
    calm = bot_of(sound(cpf=FROM_TEXT, ps7_status={"mappings": [{"type": "controlled"}]}), data={})
    advice = {each.id: each.do for each in found_in(calm)}
    assert "`type: controlled, run_action_every_turn: action_ps7_context`" in advice["runs-never"]
    assert "leave `type: controlled` as the only mapping of cpf" in advice["slot-filled-elsewhere"]
    unsent = found_in(bot_of(sound(more=ACTIONS), endpoints=SELECTIVE))
    assert "`- action_ps7_verify: {send_domain: true}`" in unsent[-1].do
    calm = bot_of(sound(ps7_status=VALUES, segment=NO_MAPPING), data=flow())
    advice = {each.id: each.do for each in found_in(calm)}
    assert advice["slot-unmapped"] == "Give it `mappings: [{type: controlled}]`."
    values = ", ".join(STATUS_VALUES)
    assert advice["slot-values"].endswith(f" `type: categorical` and `values: [{values}]`.")


def test_what_a_slot_is_needed_for_is_said() -> None:
    """Of the seal as of the status, whether it is not declared or the bot fills it."""
    (_, absent, *_) = found_in(bot_of(sound(without=["ps7_status", "ps7_context"])))
    assert absent.found == f"slot ps7_context is not declared: {NEEDED['ps7_context']}"
    (_, filled, *_) = found_in(bot_of(sound(ps7_context=FROM_TEXT)))
    assert filled.found.endswith(f"the plugin leaves it alone; {NEEDED['ps7_context']}")
