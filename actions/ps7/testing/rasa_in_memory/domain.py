"""What a bot's domain says: slots, Rasa's own actions, actions of slot mappings, answers filled in.

Files are read and merged as by rasa/shared/core/domain.py; actions, mappings and messages are those
of rasa/core/actions/action.py and rasa/core/nlg. Where Rasa picks one of several variations of an
answer by chance, the first is taken: tests want the same text every time.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .replay import LISTEN, SESSION_START, Event, applied

if TYPE_CHECKING:
    from collections.abc import Iterable

Domain = dict[str, Any]
DomainSource = str | Path | Mapping[str, Any]

SESSION_METADATA = "session_started_metadata"
CARRY_OVER = "carry_over_slots_to_new_session"
EXPIRATION_TIME = "session_expiration_time"
DEFAULT_MINUTES = 60

_LISTS = ("intents", "entities", "actions", "e2e_actions")
_TABLES = ("forms", "responses", "slots")
_FILLED = ("text", "image", "custom", "buttons", "attachment", "quick_replies")
_DEFAULT_SESSION = {EXPIRATION_TIME: DEFAULT_MINUTES, CARRY_OVER: True}

_RASAS_INTENTS = {"restart", "back", "session_start", "out_of_scope", "nlu_fallback"}

# Rasa's own actions: what is said, if the domain has it, and the kinds of the events.
_BUILT_IN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    LISTEN: ((), ()),
    "action_restart": (("utter_restart",), ("restart",)),
    "action_default_fallback": (("utter_default",), ("rewind",)),
    "action_back": (("utter_back",), ("rewind", "rewind")),
}


def load_domain(source: DomainSource | Iterable[DomainSource]) -> Domain:
    """Return the merged domain of files, folders (with all below) and dictionaries.

    What is named twice is taken from where it is named first, as in Rasa. Folders are read in the
    order of their file names; Rasa takes the order of the file system. Raises FileNotFoundError for
    a path that is not there.
    """
    sources = [source] if isinstance(source, str | Path | Mapping) else source
    domain: Domain = {}
    for part in (part for given in sources for part in _parts(given)):
        domain = _merged(domain, part)
    domain["session_config"] = domain.get("session_config") or dict(_DEFAULT_SESSION)
    domain.setdefault("version", "3.1")
    domain["intents"] = sorted(domain.get("intents", []), key=_name)
    return {key: value for key, value in domain.items() if value not in ({}, [], None)}


def _parts(source: DomainSource) -> list[Domain]:
    if isinstance(source, Mapping):
        return [copy.deepcopy(dict(source))]
    path = Path(source)
    if not path.is_dir():
        return [_read(path)]
    files = sorted(file for file in path.rglob("*") if file.suffix in {".yml", ".yaml"})
    parts = [_read(file) for file in files]
    return [part for part in parts if {*_LISTS, *_TABLES, "session_config"} & part.keys()]


def _read(path: Path) -> Domain:
    from ruamel.yaml import YAML  # noqa: PLC0415 - an action server never needs it

    parser = YAML(typ="safe", pure=True)  # YAML 1.2: `no` and `on` are text, as for Rasa
    return dict(parser.load(path.read_text(encoding="utf-8")) or {})


def _merged(first: Domain, second: Domain) -> Domain:
    merged = {**second, **first}
    for key in _TABLES:
        merged[key] = {**(second.get(key) or {}), **(first.get(key) or {})}
    for key in _LISTS:
        both = [*(second.get(key) or []), *(first.get(key) or [])]
        merged[key] = list({_name(entry): entry for entry in both}.values())
    configs = [part.get("session_config") for part in (first, second)]
    configs = [config for config in configs if config not in (None, _DEFAULT_SESSION)]
    merged["session_config"] = configs[0] if configs else dict(_DEFAULT_SESSION)
    return merged


def _name(entry: str | Mapping[str, Any]) -> str:
    return entry if isinstance(entry, str) else min(entry)


def actions(domain: Domain) -> list[str]:
    """Return the actions that the domain lists."""
    return [_name(entry) for entry in domain.get("actions", [])]


def intents(domain: Domain) -> set[str]:
    """Return its intents, and where it has some, those that Rasa adds."""
    listed = {_name(entry) for entry in domain.get("intents", [])}
    return listed | _RASAS_INTENTS if listed else listed


def initial_slots(domain: Domain) -> dict[str, Any]:
    """Return every slot of the bot with the value it starts from, the slots Rasa adds included."""
    slots = {name: slot.get("initial_value") for name, slot in domain.get("slots", {}).items()}
    if domain.get("forms"):
        slots.setdefault("requested_slot", None)
    return {**slots, SESSION_METADATA: None}


def built_in(
    name: str, domain: Domain, visible: Iterable[Event]
) -> tuple[list[Event], list[dict[str, Any]]] | None:
    """Return the events and messages of an action of Rasa's own; None if it is the bot's.

    `visible` are the events of the latest session. A domain that lists one of these names has an
    action of its own instead.
    """
    if name in actions(domain):
        return None
    if name in domain.get("responses", {}):
        return [], [{"response": name}]
    if name == SESSION_START:
        carry_over = domain["session_config"].get(CARRY_OVER, True)
        carried = [event for event in applied(visible) if carry_over and event["event"] == "slot"]
        return [{"event": "session_started"}, *carried, {"event": "action", "name": LISTEN}], []
    if name not in _BUILT_IN:
        return None
    answers, kinds = _BUILT_IN[name]
    return [{"event": kind} for kind in kinds], [{"response": each} for each in answers]


def every_turn_actions(
    domain: Domain, *, intent: str | None, loop: str | None, requested: str | None
) -> list[str]:
    """Return the actions that slot mappings run on a turn with this intent, each of them once.

    That is `type: custom` with an `action:` (Rasa Pro: `controlled`, `run_action_every_turn:`). Of
    the conditions, `intent`, `not_intent`, `active_loop` and `requested_slot` are looked at.
    """
    mappings = [
        mapping
        for slot in domain.get("slots", {}).values()
        for mapping in slot.get("mappings") or []
        if mapping.get("type") in {"custom", "controlled"}
        and _intent_fits(mapping, intent)
        and _loop_fits(mapping, loop, requested)
    ]
    names = [mapping.get("action") or mapping.get("run_action_every_turn") for mapping in mappings]
    return list(dict.fromkeys(name for name in names if name))


def _intent_fits(mapping: Mapping[str, Any], intent: str | None) -> bool:
    given = [mapping.get("intent") or [], mapping.get("not_intent") or []]
    wanted, unwanted = ([each] if isinstance(each, str) else each for each in given)
    return intent in wanted if wanted else intent not in unwanted


def _loop_fits(mapping: Mapping[str, Any], loop: str | None, requested: str | None) -> bool:
    conditions = mapping.get("conditions") or [{"active_loop": loop}]
    return any(
        condition.get("active_loop") == loop
        and (loop is None or condition.get("requested_slot") in {None, requested})
        for condition in conditions
    )


def bot_message(
    response: Mapping[str, Any], domain: Domain, slots: Mapping[str, Any], channel: str
) -> dict[str, Any] | None:
    """Return the bot event of one message of an action, None where Rasa would say nothing.

    Nothing is said for `response=` with a name that the domain lacks or no variation of which fits.
    """
    message = dict(response)
    draft: dict[str, Any] = {}
    if name := message.pop("response", None):
        variation = _variation(domain.get("responses", {}).get(name, []), slots, channel)
        if not variation:
            return None
        values = {**slots, **message}
        draft = {k: _fill(v, values) if k in _FILLED else v for k, v in variation.items()}
        draft["utter_action"] = name
    if buttons := message.pop("buttons", None):
        draft["buttons"] = [*draft.get("buttons", []), *buttons]
    draft.update({key: value for key, value in message.items() if value})
    text = draft.pop("text", None)
    data = {key: draft.pop(key, None) for key in ("elements", "quick_replies", "buttons")}
    image, attachment = draft.pop("image", None), draft.pop("attachment", None)
    data |= {"attachment": attachment or image, "image": image, "custom": draft.pop("custom", None)}
    return {"event": "bot", "text": text, "data": data, "metadata": draft}


def _variation(
    variations: Iterable[dict[str, Any]], slots: Mapping[str, Any], channel: str
) -> dict[str, Any] | None:
    """Return the variation that fits best: the channel counts more than the condition."""
    fitting = [
        variation
        for variation in variations
        if variation.get("channel") in {None, channel}
        and all(
            _same(slots.get(condition["name"]), condition["value"])
            for condition in variation.get("condition") or []
        )
    ]
    fitting.sort(key=lambda each: (each.get("channel") is None, not each.get("condition")))
    return fitting[0] if fitting else None


def _same(slot: object, wanted: object) -> bool:
    if isinstance(slot, str) and isinstance(wanted, str):
        return slot.casefold() == wanted.casefold()
    return slot == wanted


def _fill(value: object, values: Mapping[str, Any]) -> object:
    if isinstance(value, list):
        return [_fill(each, values) for each in value]
    if isinstance(value, dict):
        return {key: _fill(each, values) for key, each in value.items()}
    return _fill_text(value, values) if isinstance(value, str) else value


def _fill_text(text: str, values: Mapping[str, Any]) -> str:
    """Put slots and arguments into `{name}`. An unknown name leaves the whole text as it is."""
    try:
        filled = re.sub(r"{([^\n{}]+?)}", r"{0[\1]}", text).format(values)
        return text.format({}) if "0[" in filled else filled  # what stood in double braces
    except KeyError:
        return text
