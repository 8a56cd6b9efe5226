"""A saved conversation, and the runs of the plugin in it: what `explain` explains.

The every-turn run leaves no event of its own: it is assumed at every message, unless the bot calls
the lookup by its name. What is not of the expected type counts as not there, as for the plugin.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .output import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_UP, VERIFY, FORGET = "action_ps7_context", "action_ps7_verify", "action_ps7_forget"
_REVERTED = {"undo": ("action",), "rewind": ("user", "action")}
"""Before which event an event takes a conversation back, one after the other."""
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
    """Of the bot; empty where the file is no call of an action server."""


class Run(NamedTuple):
    """One run of the plugin."""

    action: str
    by_name: bool
    """Whether a rule, story, flow or call names the action."""
    tracker: SavedTracker
    at: datetime
    said: tuple[object, ...]
    """What the user had said until then."""
    was_set: dict[str, Any]
    """The slots that were set from then until the next message or action."""


def read(name: str) -> SavedTracker:
    """Read what Rasa's API gives, or a call of an action server; `-` is the standard input.

    Raises:
        CommandError: it cannot be read, or holds no tracker.

    """
    where = "the standard input" if name == "-" else name
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        call = _dict(json.loads(raw))
    except OSError as error:
        raise CommandError(f"{where} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CommandError(f"{where} is not JSON") from None
    tracker = _dict(call.get("tracker")) or call
    slots, events = tracker.get("slots"), tracker.get("events")
    if not isinstance(slots, dict) or not isinstance(events, list):
        raise CommandError(
            f"{where} holds no tracker: it takes what GET /conversations/<id>/tracker gives, or "
            "the body of a call that an action server gets"
        )
    return SavedTracker(
        sender_id=str(tracker.get("sender_id")),
        slots=slots,
        latest_message={},  # it counts only where no event is a message
        events=[event for event in map(_dict, events) if isinstance(event.get("event"), str)],
        domain=_dict(call.get("domain")),
    )


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def runs(saved: SavedTracker) -> list[Run]:
    """Return every run of the plugin in a conversation, oldest first."""
    called = [event.get("name") for event in saved.events if event["event"] == "action"]
    now = datetime.fromtimestamp(0, tz=timezone.utc)
    said: tuple[object, ...] = ()
    found: list[Run] = []
    was_set: dict[str, Any] = {}
    for count, (event, slots) in enumerate(_with_slots(saved), 1):
        kind, name, at = event["event"], event.get("name"), event.get("timestamp")
        if isinstance(at, (int, float)) and 0 <= at < _NEVER:
            now = datetime.fromtimestamp(at, tz=timezone.utc)
        if kind == "slot":
            was_set[str(name)] = event.get("value")
        if kind not in ("user", "action"):
            continue
        by_name, was_set = kind == "action", {}
        if kind == "user":
            said, name = (*said, event.get("text")), LOOK_UP
        if name in (LOOK_UP, VERIFY, FORGET) and (by_name or LOOK_UP not in called):
            tracker = replace(saved, slots=slots, events=saved.events[:count])
            found.append(Run(str(name), by_name, tracker, now, said, was_set))
    return found


def _with_slots(saved: SavedTracker) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every event with the slots after it, as Rasa replays them: all null at the start."""
    slots = initial = dict.fromkeys(saved.slots)
    before: list[tuple[str, dict[str, Any]]] = []
    for event in saved.events:
        kind, name = event["event"], event.get("name")
        before.append((kind, slots))
        for reverted in _REVERTED.get(kind, ()):
            while before:
                undone, slots = before.pop()
                if undone == reverted:
                    break
        if kind in ("restart", "session_started"):
            slots, before = initial, []
        elif kind == "reset_slots":
            slots = initial
        elif kind == "slot" and isinstance(name, str) and name in slots:
            slots = {**slots, name: event.get("value")}
        yield event, slots
