"""A tracker in a file: as Rasa's API gives it, or as an action server gets it.

What is not of the expected type counts as not there, as it does for the plugin itself.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..output import CommandError

STDIN = "-"


@dataclass(frozen=True)
class Recording:
    """One conversation as somebody saved it. Its `repr` shows nothing of it."""

    sender_id: str = field(repr=False)
    slots: dict[str, Any] = field(repr=False)
    latest_message: dict[str, Any] = field(repr=False)
    events: list[dict[str, Any]] = field(repr=False)
    domain: dict[str, Any] | None = field(default=None, repr=False)
    """Of the bot, where the file is a call of an action server."""
    action: str | None = None
    """What that call asks for."""


def read(name: str) -> Recording:
    """Read a file; `-` is the standard input.

    Raises:
        CommandError: it cannot be read, or holds no tracker.

    """
    where = "the standard input" if name == STDIN else name
    try:
        raw = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{where} cannot be read: {error.strerror}") from None
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise CommandError(f"{where} is not JSON") from None
    return _recording(value, where)


def _recording(value: object, where: str) -> Recording:
    call = _dict(value)
    inner = call.get("tracker")
    tracker = call if not isinstance(inner, dict) else inner
    events = tracker.get("events")
    if not isinstance(tracker.get("slots"), dict) or not isinstance(events, list):
        raise CommandError(
            f"{where} holds no tracker: it takes what GET /conversations/<id>/tracker gives, or "
            "the body of a call that an action server gets"
        )
    domain, action = call.get("domain"), call.get("next_action")
    return Recording(
        sender_id=str(tracker.get("sender_id", call.get("sender_id"))),
        slots=tracker["slots"],
        latest_message=_dict(tracker.get("latest_message")),
        events=[event for event in map(_dict, events) if isinstance(event.get("event"), str)],
        domain=domain if inner is not None and isinstance(domain, dict) else None,
        action=action if inner is not None and isinstance(action, str) else None,
    )


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
