"""Events as Rasa's tracker stores them, and the state of a dialogue that they add up to.

Follows rasa/shared/core/events.py and trackers.py. `stored` completes an event, `applied` leaves
out what was reverted, `replay` folds events into a state. Not copied: Rasa forgets the earlier runs
of an active form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Event = dict[str, Any]

LISTEN = "action_listen"
SESSION_START = "action_session_start"

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
    """The state of a dialogue, as Rasa's tracker holds it between two events."""

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
        """Follow one event that counts."""
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
