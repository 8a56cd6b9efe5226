"""The part of Rasa Open Source 3.6.21 that is around custom actions, in memory.

Nothing in here knows PS7 or imports rasa_sdk.

A bot's domain: slots, Rasa's own actions, actions of slot mappings, answers filled in. Files are
read and merged as by rasa/shared/core/domain.py; actions, mappings and messages are those of
rasa/core/actions/action.py and rasa/core/nlg. Where Rasa picks one of several variations of an
answer by chance, the first is taken: tests want the same text every time.

The tracker: events as it stores them, and the state of a dialogue that they add up to. Follows
rasa/shared/core/events.py and trackers.py. Not copied: Rasa forgets the earlier runs of an active
form.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Event = dict[str, Any]
Domain = dict[str, Any]
DomainSource = str | Path | Mapping[str, Any]

LISTEN = "action_listen"
SESSION_START = "action_session_start"
SESSION_METADATA = "session_started_metadata"
CARRY_OVER = "carry_over_slots_to_new_session"
EXPIRATION_TIME = "session_expiration_time"
DEFAULT_MINUTES = 60

_LISTS = ("intents", "entities", "actions", "e2e_actions")
_TABLES = ("forms", "responses", "slots")
_OF_DOMAIN = {*_LISTS, *_TABLES, "session_config"}
_OF_DATA = {"nlu", "rules", "stories", "flows"}
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

    What is named twice is taken from where it is named first, as in Rasa. A folder's files are read
    before the folders below it, each in the order of their names; Rasa takes that of the file
    system. Of training data the responses count, and Rasa prefers them: name that folder first.
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
    found = [file for file in path.rglob("*") if file.suffix in {".yml", ".yaml"}]
    files = sorted(found, key=lambda at: [*((1, each) for each in at.parts[:-1]), (0, at.name)])
    return [part for part in map(_read, files) if _OF_DOMAIN & part.keys()]


def _read(path: Path) -> Domain:
    """Read what a file says of the domain, which may be nothing: training data is long."""
    from ruamel.yaml import YAML  # an action server never needs it

    text = path.read_text(encoding="utf-8")
    if not any(key in text for key in _OF_DOMAIN):
        return {}
    parser = YAML(typ="safe", pure=True)  # YAML 1.2: `no` and `on` are text, as for Rasa
    content = parser.load(text) or {}
    kept = ["responses"] if _OF_DATA & content.keys() else content  # Rasa takes no more from there
    return {key: content[key] for key in kept if key in content}


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
    """Return its intents, and if it has some, those that Rasa adds."""
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
    if name in domain.get("responses", {}):  # also if it is listed among the actions
        return [], [{"response": name}]
    if name in actions(domain):
        return None
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
    """Return the actions that slot mappings run on a turn with this intent, each of them once."""
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
    """Return the bot event of one message of an action; None if Rasa would say nothing.

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


# Every event that an action can return or that happens by itself, with the fields that Rasa keeps
# (beside kind, time and metadata). "user" has a function of its own below.
_FIELDS = {
    "action": "name policy confidence action_text hide_rule_turn",
    "action_execution_rejected": "name policy confidence",
    "active_loop": "name",
    "agent": "text data",
    "bot": "text data",
    "followup": "name",
    "loop_interrupted": "is_interrupted",
    "reminder": "intent date_time entities name kill_on_user_msg",
    "slot": "name value",
    "user_featurization": "use_text_for_featurization",
    **dict.fromkeys(("cancel_reminder", "export", "pause", "reset_slots", "restart"), ""),
    **dict.fromkeys(("resume", "rewind", "session_started", "undo"), ""),
}
_NULLS = dict.fromkeys(("name", "value", "action_text", "is_interrupted", "parse_data"))
# The values of those that are left out or null, where these are not null.
_DEFAULTS: dict[tuple[str, str], object] = {
    ("action", "hide_rule_turn"): False,
    ("bot", "data"): {},
    ("loop_interrupted", "is_interrupted"): False,
    ("reminder", "kill_on_user_msg"): True,
}


def stored(event: Mapping[str, Any], *, timestamp: float, origin: Mapping[str, str]) -> Event:
    """Return the event as the tracker keeps it: a new time, and `origin` (model, assistant) noted.

    Raises ValueError for an event that Rasa Open Source does not know, as Rasa itself does.
    """
    kind = event.get("event")
    own = event.get("metadata") or {}
    if kind == "user":
        fields = _user_fields(event, own)
    elif kind in _FIELDS:
        fields = {name: event.get(name) for name in _FIELDS[kind].split()}
        missing = (name for name, value in fields.items() if value is None)
        fields |= {name: _DEFAULTS.get((kind, name)) for name in missing}
    else:
        raise ValueError(f"Rasa Open Source knows no event {kind!r}")
    metadata = {**origin, **own}
    noted = {"metadata": metadata} if metadata else {}
    return {"event": kind, "timestamp": timestamp, **noted, **fields}


def _user_fields(event: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    text, message_id = event.get("text"), event.get("message_id")
    beside = {"text": text, "message_id": message_id, "metadata": metadata}
    return {
        "text": text,
        "parse_data": {"intent": {}, "entities": [], **beside, **(event.get("parse_data") or {})},
        "input_channel": event.get("input_channel"),
        "message_id": message_id,
    }


def applied(events: Iterable[Event]) -> list[Event]:
    """Return the events that count: none before the latest start, none that was reverted."""
    kept: list[Event] = []
    for event in events:
        match event["event"]:
            case "session_started":
                kept.clear()
            case "restart":
                kept[:] = [event]
            case "undo":
                _revert(kept, "action")
            case "rewind":
                _revert(kept, "user")
                _revert(kept, "action")  # the action_listen before it
            case _:
                kept.append(event)
    return kept


def _revert(kept: list[Event], kind: str) -> None:
    while kept and kept.pop()["event"] != kind:
        pass


@dataclass
class State:
    """The state of a dialogue, as Rasa's tracker has it between two events."""

    initial_slots: Mapping[str, Any]
    slots: dict[str, Any] = field(init=False)
    latest_message: dict[str, Any] = field(init=False)
    latest_action: dict[str, Any] = field(default_factory=dict)
    active_loop: dict[str, Any] = field(default_factory=dict)
    followup_action: str | None = LISTEN
    paused: bool = False

    def __post_init__(self) -> None:
        self.slots = dict(self.initial_slots)
        self.latest_message = _user_fields({}, {})["parse_data"]

    def apply(self, event: Event) -> None:
        """Follow one event that counts. A field that is missing is null."""
        event = {**_NULLS, **event}
        match event["event"]:
            case "action":
                key = "action_name" if event["name"] else "action_text"
                self.latest_action = {key: event["name"] or event["action_text"]}
                self.followup_action = None
            case "followup":
                self.followup_action = event["name"]
            case "pause" | "resume":
                self.paused = event["event"] == "pause"
            case "reset_slots":
                self.slots = dict(self.initial_slots)
            case "restart":
                self.followup_action = SESSION_START
            case "slot" if event["name"] in self.initial_slots:  # Rasa logs an error about others
                self.slots[event["name"]] = event["value"]
            case "user":
                self.latest_message = event["parse_data"]
                self.followup_action = None
        self._follow_loop(event)

    def _follow_loop(self, event: Event) -> None:
        match event["event"]:
            case "active_loop":
                started = {"name": event["name"], "is_interrupted": False, "rejected": False}
                started["trigger_message"] = self.latest_message
                self.active_loop = {} if event["name"] is None else started
            case "action" if self.active_loop:
                self.active_loop["is_interrupted"] = False
                if event["name"] == self.active_loop["name"]:
                    self.active_loop["rejected"] = False
            case "action_execution_rejected" if event["name"] == self.active_loop.get("name"):
                self.active_loop["rejected"] = True
            case "loop_interrupted" if self.active_loop:
                self.active_loop["is_interrupted"] = event["is_interrupted"]


def replay(events: Iterable[Event], initial_slots: Mapping[str, Any]) -> State:
    """Return the state after `events`, from a tracker whose slots are `initial_slots`."""
    state = State(initial_slots)
    for event in applied(events):
        state.apply(event)
    return state
