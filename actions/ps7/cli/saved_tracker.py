"""A saved conversation, and every run of the plugin that it shows.

The every-turn run leaves no event itself: it is assumed at every message, unless the bot calls the
lookup by its name and no message was followed by a seal at once. A session that `PS7SessionStart`
opened has its mark in the `session_started` event.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from ..conversation.history import NONCE
from ..customer import CONTEXT, CONTEXT_ACTION, FORGET_ACTION, SESSION_ACTION, VERIFY_ACTION
from .output import CommandError
from .texts import refusal

_STEPS = ("user", "action")
"""Kinds of events at which something runs, and sets slots until the next one."""
_RUNS = (CONTEXT_ACTION, VERIFY_ACTION, FORGET_ACTION)
_NEVER = 1e11
"""Seconds since 1970 that no event is stamped with."""


@dataclass(repr=False)
class SavedTracker:
    """A conversation as it was saved, or as it stood right before a run."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]
    domain: dict[str, Any]
    """Of the bot; empty if the file is not a call of an action server."""


class Ran(NamedTuple):
    """One run of the plugin, as the conversation shows it."""

    action: str
    by_name: bool
    """Whether a rule, story, flow or call names the action."""
    tracker: SavedTracker
    opens: str | None
    """Mark of the session that this run opened; None if it opened none."""
    at: datetime
    said: tuple[object, ...]
    """What the user had said until then."""
    was_set: dict[str, Any]
    """The slots that were set from then until the next message or action."""


def read(name: str) -> SavedTracker:
    """Read what Rasa's API gives, or a call of an action server; `-` is the standard input."""
    where = "the standard input" if name == "-" else name
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        call = _dict(json.loads(raw))
    except OSError as error:
        raise CommandError(f"{where} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        hint = " (Rasa's API answers if it was started with --enable-api)"
        raise CommandError(f"{where} is not JSON{hint if name == '-' else ''}") from None
    tracker = _dict(call.get("tracker")) or call
    slots, events = tracker.get("slots"), tracker.get("events")
    if not isinstance(slots, dict) or not isinstance(events, list):
        raise CommandError(refusal("no-tracker", where=where))
    return SavedTracker(
        sender_id=str(tracker.get("sender_id")),
        slots=slots,
        latest_message={},  # it is read only if no event is a message
        events=[event for event in map(_dict, events) if _is_event(event)],
        domain=_dict(call.get("domain")),
    )


def _is_event(value: dict[str, Any]) -> bool:
    return isinstance(value.get("event"), str) and isinstance(value.get("name"), str | None)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def runs(saved: SavedTracker, seal: str = CONTEXT) -> list[Ran]:
    """Return every run of the plugin in a conversation, oldest first; `seal` is the slot's name."""
    from ..testing.rasa_in_memory import replay  # optional

    initial = dict.fromkeys(saved.slots)
    looks_up = _on_every_turn(saved.events, seal)
    now = datetime.fromtimestamp(0, tz=timezone.utc)
    said: tuple[object, ...] = ()
    found: list[Ran] = []
    was_set: dict[str, Any] = {}
    for count, event in enumerate(saved.events, 1):
        kind, name, at = event["event"], event.get("name"), event.get("timestamp")
        if isinstance(at, (int, float)) and 0 <= at < _NEVER:
            now = datetime.fromtimestamp(at, tz=timezone.utc)
        if kind == "slot":
            was_set[str(name)] = event.get("value")
        if kind not in _STEPS:
            continue
        by_name, was_set = kind == "action", {}
        opens = _mark(saved.events[count:]) if by_name and name == SESSION_ACTION else None
        if kind == "user":
            said, name = (*said, event.get("text")), CONTEXT_ACTION
        if opens or (name in _RUNS and (by_name or looks_up)):
            before = saved.events[: count if opens is None else count - 1]
            slots = replay(before, initial).slots
            tracker = replace(saved, slots=slots, events=before)
            found.append(Ran(str(name), by_name, tracker, opens, now, said, was_set))
    return found


def _on_every_turn(events: list[dict[str, Any]], seal: str) -> bool:
    """Whether no event names the lookup, or a message was followed by a seal at once."""
    begun, called = "", False
    for event in events:
        kind, name = event["event"], event.get("name")
        if kind in _STEPS:
            begun = kind
            called |= kind == "action" and name == CONTEXT_ACTION
        elif begun == "user" and kind == "slot" and name == seal:
            return True
    return not called


def _mark(events: list[dict[str, Any]]) -> str | None:
    """Return the mark by which `PS7SessionStart` began the session that comes first, if it did."""
    first = events[0] if events else {}
    mark = _dict(first.get("metadata")).get(NONCE)
    return mark if first.get("event") == "session_started" and isinstance(mark, str) else None
