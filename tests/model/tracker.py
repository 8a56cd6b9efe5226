"""The tracker of Rasa Open Source 3.6: events in, slots out (rasa/shared/core/trackers.py)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Event = dict[str, Any]
SESSION_START, LISTEN = "action_session_start", "action_listen"


def opens(event: Event) -> bool:
    """Whether a session begins with an event."""
    return event["event"] in ("session_started", "restart") or event.get("name") == SESSION_START


class Tracker:
    """Events as they came, and the state that they add up to."""

    def __init__(self, declared: Iterable[str]) -> None:
        self.declared = tuple(declared)
        self.events: list[Event] = []
        self._reset()

    def _reset(self) -> None:
        self.slots: dict[str, Any] = dict.fromkeys(self.declared)
        self.latest_message: dict[str, Any] = {}

    def add(self, event: Event) -> None:
        self.events.append(event)
        if event["event"] == "rewind":
            self._reset()
            for kept in self.applied():
                self._apply(kept)
        else:
            self._apply(event)

    def _apply(self, event: Event) -> None:
        match event["event"]:
            case "slot" if event["name"] in self.slots:
                self.slots[event["name"]] = event["value"]
            case "user":
                self.latest_message = {**event["parse_data"], "metadata": event["metadata"]}
            case "session_started" | "restart":
                self._reset()

    def applied(self) -> list[Event]:
        """Return the events that count: none before the latest start, none that was reverted."""
        kept: list[Event] = []
        for event in self.events:
            match event["event"]:
                case "restart" | "session_started":
                    kept = []
                case "rewind":
                    for kind in ("user", "action"):
                        while kept and kept.pop()["event"] != kind:
                            pass
                case _:
                    kept.append(event)
        return kept

    def load(self, store: str) -> None:
        """Keep the events that a tracker store loads for the next turn."""
        starts = [
            index
            for index, event in enumerate(self.events)
            if (event["event"] == "session_started" and store == "sql")
            or (event.get("name") == SESSION_START and store == "memory")
        ]
        if starts and starts[-1]:
            events, self.events = self.events[starts[-1] :], []
            self._reset()
            for event in events:
                self.add(event)

    def shown(self, most: int | None) -> list[Event]:
        """Return the latest events, `most` at most."""
        return self.events[-most:] if most else [] if most == 0 else list(self.events)

    def state(self, sender_id: str, events: list[Event]) -> dict[str, Any]:
        """Return what an action server gets to see, with these events."""
        return {
            "sender_id": sender_id,
            "slots": dict(self.slots),
            "latest_message": self.latest_message,
            "events": events,
            "paused": False,
            "active_loop": {},
            "latest_action_name": LISTEN,
        }
