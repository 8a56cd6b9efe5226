"""The state that the events of a conversation add up to, as in rasa/shared/core/trackers.py.

`applied` leaves out what was taken back, `replay` folds events into a state, `tracker_state` is
what an action server gets to see. Not copied: Rasa forgets the earlier runs of an active form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .events import LISTEN, SESSION_START, Event, user_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def applied(events: Iterable[Event]) -> list[Event]:
    """Return the events that count: none before the latest start, none that was taken back."""
    kept: list[Event] = []
    for event in events:
        match event["event"]:
            case "restart" | "session_started":
                kept.clear()
            case "undo":
                _take_back(kept, "action")
            case "rewind":
                _take_back(kept, "user")
                _take_back(kept, "action")  # the action_listen before it
            case _:
                kept.append(event)
    return kept


def _take_back(kept: list[Event], kind: str) -> None:
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
        self.latest_message = user_fields({}, {})["parse_data"]

    @property
    def latest_action_name(self) -> str | None:
        """The name of the latest action, or the text that was predicted in its place."""
        return self.latest_action.get("action_name") or self.latest_action.get("action_text")


def replay(events: Sequence[Event], initial_slots: Mapping[str, Any]) -> State:
    """Return the state after `events`, from a tracker whose slots are `initial_slots`."""
    state = State(initial_slots)
    for index, event in enumerate(events):
        if event["event"] in {"rewind", "undo"}:
            state = State(initial_slots)
            for kept in applied(events[: index + 1]):
                _EFFECTS.get(kept["event"], _nothing)(state, kept)
        elif event["event"] in {"restart", "session_started"}:
            state = State(initial_slots)
            if event["event"] == "restart":
                state.followup_action = SESSION_START
        else:
            _EFFECTS.get(event["event"], _nothing)(state, event)
    return state


def _nothing(_state: State, _event: Event) -> None:
    pass


def _action(state: State, event: Event) -> None:
    key = "action_name" if event["name"] else "action_text"
    state.latest_action = {key: event["name"] or event["action_text"]}
    state.followup_action = None
    if state.active_loop:
        state.active_loop["is_interrupted"] = False
        if event["name"] == state.active_loop["name"]:
            state.active_loop["rejected"] = False


def _action_execution_rejected(state: State, event: Event) -> None:
    if state.active_loop.get("name") == event["name"]:
        state.active_loop["rejected"] = True


def _active_loop(state: State, event: Event) -> None:
    state.active_loop = {}
    if event["name"] is not None:
        state.active_loop = {
            "name": event["name"],
            "is_interrupted": False,
            "rejected": False,
            "trigger_message": state.latest_message,
        }


def _followup(state: State, event: Event) -> None:
    state.followup_action = event["name"]


def _loop_interrupted(state: State, event: Event) -> None:
    if state.active_loop:
        state.active_loop["is_interrupted"] = event["is_interrupted"]


def _paused(state: State, event: Event) -> None:
    state.paused = event["event"] == "pause"


def _reset_slots(state: State, _event: Event) -> None:
    state.slots = dict(state.initial_slots)


def _slot(state: State, event: Event) -> None:
    # Rasa logs an error and goes on when a slot is not declared.
    if event["name"] in state.initial_slots:
        state.slots[event["name"]] = event["value"]


def _user(state: State, event: Event) -> None:
    state.latest_message = event["parse_data"]
    state.followup_action = None


_EFFECTS: dict[str, Callable[[State, Event], None]] = {
    "action": _action,
    "action_execution_rejected": _action_execution_rejected,
    "active_loop": _active_loop,
    "followup": _followup,
    "loop_interrupted": _loop_interrupted,
    "pause": _paused,
    "reset_slots": _reset_slots,
    "resume": _paused,
    "slot": _slot,
    "user": _user,
}


def tracker_state(sender_id: str, events: Sequence[Event], state: State) -> dict[str, Any]:
    """Return the tracker as Rasa sends it to an action server, all of `events` in it."""
    channels = [event["input_channel"] for event in events if event["event"] == "user"]
    return {
        "sender_id": sender_id,
        "slots": state.slots,
        "latest_message": state.latest_message,
        "latest_event_time": events[-1]["timestamp"] if events else None,
        "followup_action": state.followup_action,
        "paused": state.paused,
        "events": list(events),
        "latest_input_channel": channels[-1] if channels else None,
        "active_loop": state.active_loop,
        "latest_action": state.latest_action,
        "latest_action_name": state.latest_action_name,
    }
