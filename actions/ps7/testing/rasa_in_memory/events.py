"""Events as Rasa's tracker stores them (rasa/shared/core/events.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = dict[str, Any]

LISTEN = "action_listen"
SESSION_START = "action_session_start"

# Every event that an action can return or that happens by itself, with the fields that Rasa keeps
# (beside kind, time and metadata) and their values where they are left out or null. "user" has a
# function of its own below.
_FIELDS: dict[str, dict[str, Any]] = {
    "action": {
        "name": None,
        "policy": None,
        "confidence": None,
        "action_text": None,
        "hide_rule_turn": False,
    },
    "action_execution_rejected": {"name": None, "policy": None, "confidence": None},
    "active_loop": {"name": None},
    "agent": {"text": None, "data": None},
    "bot": {"text": None, "data": {}},
    "cancel_reminder": {},
    "export": {},
    "followup": {"name": None},
    "loop_interrupted": {"is_interrupted": False},
    "pause": {},
    "reminder": {
        "intent": None,
        "date_time": None,
        "entities": None,
        "name": None,
        "kill_on_user_msg": True,
    },
    "reset_slots": {},
    "restart": {},
    "resume": {},
    "rewind": {},
    "session_started": {},
    "slot": {"name": None, "value": None},
    "undo": {},
    "user_featurization": {"use_text_for_featurization": None},
}


def stored(event: Mapping[str, Any], *, timestamp: float, origin: Mapping[str, str]) -> Event:
    """Return the event as the tracker keeps it: a new time, and `origin` (model, assistant) noted.

    Raises ValueError for an event that Rasa Open Source does not know, as Rasa itself does.
    """
    kind = event.get("event")
    said = event.get("metadata") or {}
    metadata = {**origin, **said}
    if kind == "user":
        fields = user_fields(event, said)
    elif kind in _FIELDS:
        fields = _FIELDS[kind] | {k: event[k] for k in _FIELDS[kind] if event.get(k) is not None}
    else:
        raise ValueError(f"Rasa Open Source knows no event {kind!r}")
    noted = {"metadata": metadata} if metadata else {}
    return {"event": kind, "timestamp": timestamp, **noted, **fields}


def user_fields(event: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a user event has beside name, time and metadata."""
    parsed = event.get("parse_data") or {}
    message_id = event.get("message_id")
    return {
        "text": event.get("text"),
        "parse_data": {
            "intent": {},
            "entities": [],
            "text": event.get("text"),
            "message_id": message_id,
            "metadata": metadata,
            **parsed,
        },
        "input_channel": event.get("input_channel"),
        "message_id": message_id,
    }
