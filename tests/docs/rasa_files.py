"""YAML as documents show it: pieces of a bot's files, held against what Rasa and we read."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from actions.ps7.slot_table import CONTEXT, CUSTOMER_SLOTS, STATUS, is_wire_name
from actions.ps7.testing.rasa_in_memory.domain import load_domain
from tests.docs.shell import commands
from tests.docs.words import settings, words
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SLOT_TYPES = {"text", "bool", "categorical", "float", "list", "any"}
_MAPPINGS = {"custom", "from_entity", "from_text", "from_intent", "controlled", "from_llm"}
_CHANNELS = {
    "rest": set[str](),
    "socketio": {
        *("user_message_evt", "bot_message_evt", "namespace", "session_persistence"),
        *("socketio_path", "jwt_key", "jwt_method", "metadata_key"),
    },
    "rasa_audiocodes.AudiocodesInput": {"token", "websocket_is_on", "keep_alive"},
    "rasa_vier_cvg.CVGInput": {"token", "blocking_endpoints", "start_intent", "proxy"},
    "audiocodes": {"token", "use_websocket", "keep_alive"},
    "vier_cvg": {"token", "start_intent", "proxy"},
}
_ENDPOINTS = {
    "action_endpoint": {"url"},
    "tracing": {"type", "endpoint", "service_name", "insecure", "root_certificates"},
}


def yaml_faults(code: str) -> list[str]:
    """Say what is wrong with a block of YAML; nothing where all is well."""
    try:
        loaded = YAML(typ="safe", pure=True).load(code)
    except YAMLError as error:
        return [f"no YAML: {error}"]
    if not isinstance(loaded, dict):
        return ["no file of a bot is no table"]
    return [fault for key, value in loaded.items() for fault in _part(str(key), value, loaded)]


def json_faults(code: str) -> list[str]:
    """Say what is wrong with a block of JSON."""
    try:
        json.loads(code)
    except ValueError as error:
        return [f"no JSON: {error}"]
    return []


def dotenv_faults(code: str) -> list[str]:
    """Say what is wrong with the settings of a block: each exists, and lists are JSON."""
    said = {name: value for command in commands(code) for name, value in command.variables.items()}
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    unknown = [f"no setting is named {name}" for name in said if name not in settings()]
    return unknown if len(said) == len(lines) else ["not every line sets a variable"]


def _part(key: str, value: Any, whole: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401 - YAML
    if key in _CHANNELS or "Input" in key:
        yield from _options(key, value, _CHANNELS.get(key, _own_channel(key)))
    elif key in _ENDPOINTS:
        yield from _options(key, value, _ENDPOINTS[key])
    elif key in _PARTS:
        yield from _PARTS[key](value, whole)
    else:
        yield f"nothing is known of {key} in a bot's files"


def _own_channel(key: str) -> set[str]:
    """Let a channel through that a document shows: its class stands in a block of Python."""
    return set() if key.startswith("channels.") else {"?"}


def _options(key: str, value: Any, known: set[str]) -> Iterator[str]:  # noqa: ANN401 - YAML
    for option in value or {}:
        if option not in known:
            yield f"{key} takes no {option}"


@cache
def _domain() -> dict[str, Any]:
    """Give the plugin's domain and that of the example bot, as Rasa merges them."""
    return load_domain([ROOT / "domain.yml", ROOT / "examples" / "oss-bot" / "domain"])


def _is_ours(slot: str) -> bool:
    return slot in {STATUS, CONTEXT, *CUSTOMER_SLOTS} or is_wire_name(slot)


def _slots(slots: dict[str, Any], _: dict[str, Any]) -> Iterator[str]:
    for name, slot in slots.items():
        if slot.get("type") not in _SLOT_TYPES:
            yield f"slot {name}: no type is named {slot.get('type')}"
        for mapping in slot.get("mappings", [{}]):
            if mapping.get("type") not in _MAPPINGS:
                yield f"slot {name}: no mapping is named {mapping.get('type')}"
        declared = _domain()["slots"].get(name, {})
        if "values" in slot and _is_ours(name) and slot["values"] != declared.get("values"):
            yield f"slot {name}: its values are {declared.get('values')}"


def _responses(responses: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
    slots = {**_domain()["slots"], **whole.get("slots", {})}
    for name, variants in responses.items():
        if not name.startswith("utter_"):
            yield f"{name} is no name of an answer"
        for condition in (each for variant in variants for each in variant.get("condition", [])):
            slot = condition.get("name")
            if condition.get("type") != "slot" or slot not in slots:
                yield f"{name} asks for the slot {slot}, which nobody declares"
            values = slots.get(slot, {}).get("values", [condition.get("value")])
            if condition.get("value") not in values:
                yield f"{name}: {slot} is never {condition.get('value')}"


def _actions(actions: list[Any], _: dict[str, Any]) -> Iterator[str]:
    for entry in actions:
        name = next(iter(entry)) if isinstance(entry, dict) else entry
        if name not in words():
            yield f"nothing here is named {name}"


def _rules(rules: list[dict[str, Any]], _: dict[str, Any]) -> Iterator[str]:
    slots = _domain()["slots"]
    for rule in rules:
        for step in (*rule.get("condition", []), *rule["steps"]):
            for name, value in (
                (n, v) for row in step.get("slot_was_set", []) for n, v in row.items()
            ):
                if value not in slots.get(name, {}).get("values", []):
                    yield f"rule {rule['rule']}: {name} is never {value}"
            if "action" in step:
                yield from _actions([step["action"]], {})


def _intents(_: object, __: dict[str, Any]) -> Iterator[str]:
    yield from ()


def _session(session: dict[str, Any], _: dict[str, Any]) -> Iterator[str]:
    yield from _options(
        "session_config",
        session,
        {"session_expiration_time", "carry_over_slots_to_new_session"},
    )


def _version(version: object, _: dict[str, Any]) -> Iterator[str]:
    if version != "3.1":
        yield f"the version of a file of Rasa's is 3.1, not {version}"


_PARTS: dict[str, Callable[[Any, dict[str, Any]], Iterator[str]]] = {
    "version": _version,
    "slots": _slots,
    "responses": _responses,
    "actions": _actions,
    "rules": _rules,
    "intents": _intents,
    "session_config": _session,
}
