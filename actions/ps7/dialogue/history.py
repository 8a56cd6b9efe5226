"""What a tracker's events tell one run, read in one walk: the session, its messages, the seals.

Pure. Events that are not of the expected shape are ignored. Reverted turns are read like any other:
a fallback rewinds the very turn that brought a contextId. `NewSession` is the tracker that a
session start leaves behind.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from .. import slots as names
from ..slots import differing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .situation import TrackerLike

SESSION_METADATA = "session_started_metadata"
"""The slot in which Rasa keeps the metadata of the message that opened a session."""
NONCE = "ps7_session"
"""Key in the metadata of the `session_started` event of `PS7SessionStart`: Rasa keeps an event's
metadata, and writes its own timestamp over the action's."""
_BORDERS = ("action", "session_started", "session_ended", "restart")


class Message(NamedTuple):
    """What a message of the user brought, and when."""

    metadata: object
    came_at: float | None
    """Seconds since 1970, None if no event has a time. Never before an event in front of it: a
    client that writes events through Rasa's API may claim an earlier time."""


class History:
    """A conversation as far as a tracker shows it."""

    def __init__(
        self, events: Sequence[Any], latest_message: object, *, context: str, status: str
    ) -> None:
        """Walk the events; `context` and `status` are the bot's names of these two slots.

        `latest_message` is read only if no event is a message: other hosts than Rasa may call so.
        """
        self.messages: list[Message] = []
        """The user's in this session, the oldest first."""
        self.seals: dict[str, None] = {}
        """Every text that was in the seal's slot, each once."""
        self.last_seal = ""
        """The newest of these by the events. Rasa took it back if the slot has another one."""
        self.sealed_this_turn: set[str] = set()
        """Those that came after the newest message, and not before it."""
        self.said_this_turn: object = None
        """What the status was set to after the newest message; None if it was not set."""
        self._latest = -math.inf
        no_message = True
        opening: Mapping[str, Any] | None = None
        for event in events:
            match event:
                case {"timestamp": int() | float() as at} if at > self._latest:
                    self._latest = at
            match event:
                case {"event": "slot", "name": str(name), "value": value}:
                    if name == context and isinstance(value, str):
                        if value not in self.seals:
                            self.sealed_this_turn.add(value)
                        self.seals[value] = None
                        self.last_seal = value
                    elif name == status:
                        self.said_this_turn = value
                case {"event": "user"}:
                    no_message = False
                    self.hear(event.get("metadata"))
                    self.sealed_this_turn, self.said_this_turn = set(), None
                case {"event": "action", "name": names.SESSION_ACTION} | {
                    "event": "session_started" | "session_ended" | "restart"
                }:
                    self.messages, opening = [], event
        self.mark = _mark(opening)
        """Tells this session from the others of the conversation; one without events has none."""
        if no_message and isinstance(latest_message, dict):
            self.hear(latest_message.get("metadata"))

    def hear(self, metadata: object) -> None:
        """Add a message to the session, at the time of the latest event until now."""
        at = self._latest
        self.messages.append(Message(metadata, None if at == -math.inf else at))

    def open_session(self, mark: str) -> None:
        """Begin another session: what arrived in the one before is not of this one."""
        self.mark, self.messages = mark, []

    @property
    def newest_metadata(self) -> object:
        """What the newest message brought; None if there is no message."""
        return self.messages[-1].metadata if self.messages else None


def _mark(opening: Mapping[str, Any] | None) -> str:
    match opening:
        case None:
            return ""
        case {"metadata": dict(metadata)} if isinstance(metadata.get(NONCE), str):
            return str(metadata[NONCE])
    return str(opening.get("timestamp"))


class NewSession:
    """The tracker that a session start leaves behind, for a `Situation` to read.

    The domain of the call tells which slots Rasa keeps.
    """

    def __init__(self, tracker: TrackerLike, domain: object, mark: str | None = None) -> None:
        before = tracker.slots if isinstance(tracker.slots, dict) else {}
        self.events = tracker.events if isinstance(tracker.events, list) else []
        self._initial = {name: _part(domain, "slots", name, "initial_value") for name in before}
        carries = _part(domain, "session_config", "carry_over_slots_to_new_session")
        carries_over = bool(domain) and carries is not False  # without a domain, nothing
        self.sender_id = tracker.sender_id
        self.latest_message: dict[str, Any] = {}  # the tracker's is of the session before
        self.slots = dict(before) if carries_over else dict(self._initial)
        self.mark = mark or uuid4().hex
        """Made here: Rasa's timestamp of the session is not known yet."""

    def add_to(self, history: History) -> None:
        """Begin this session in what the tracker shows."""
        history.open_session(self.mark)
        opening = opening_metadata(self.events)
        if opening is not None:
            history.hear(opening)

    def to_set(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the slots to set after Rasa has reset them all: what is kept, and the changes."""
        wanted = {**self.slots, **changes}
        return differing(wanted, {**dict.fromkeys(wanted), **self._initial})


def opening_metadata(events: Sequence[object]) -> object:
    """Return the metadata that opens the session which is about to start; None if none does.

    While `action_session_start` runs, the latest message is still that of the session before. Only
    what came since the last action opens a session: the message `/session_start` itself, else the
    slot in which Rasa notes the metadata of a message that opens one, if it is the very last event.
    """
    newest: Mapping[str, Any] = {}
    for event in reversed(events):
        if not isinstance(event, dict):
            continue
        if event.get("event") in _BORDERS:
            break
        if event.get("event") == "user":
            return event.get("metadata") if _asks_for_session(event.get("text")) else None
        newest = newest or event
    is_note = newest.get("event") == "slot" and newest.get("name") == SESSION_METADATA
    return newest.get("value") if is_note else None


def _asks_for_session(text: object) -> bool:
    return isinstance(text, str) and text.partition("{")[0].strip() == "/session_start"


def _part(domain: object, *path: str) -> object:
    for step in path:
        domain = domain.get(step) if isinstance(domain, dict) else None
    return domain
