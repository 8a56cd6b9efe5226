"""A conversation as far as a tracker shows it: the events of Rasa, in one walk, as plain values.

What came in which session is told by places: indices of the events.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import uuid4

from ..customer import differing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SESSION_METADATA = "session_started_metadata"
"""The slot in which Rasa keeps the metadata of the message that opened a session."""
NONCE = "ps7_session"
"""Key in the metadata of the `session_started` event of `PS7SessionStart`: Rasa keeps an event's
metadata, and writes its own timestamp over the action's."""
_SESSION_START = "action_session_start"
_OPENS = ("session_started", "session_ended", "restart")
_NUMBERS = (float, int)
_BEFORE_ALL = -1


class TrackerLike(Protocol):
    """What is read of the SDK's tracker."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]


class Message(NamedTuple):
    """What a message of the user brought, and when."""

    metadata: object
    came_at: float | None
    """Seconds since 1970, None if no event has a time. Never before an event in front of it: a
    client that writes events through Rasa's API may claim an earlier time."""


class History:
    """What the events of a conversation show."""

    def __init__(
        self, events: Sequence[Any], latest_message: object, *, context: str, status: str
    ) -> None:
        """Walk the events; `context` and `status` are the bot's names of these two slots.

        `latest_message` is read only if no event is a message: other hosts than Rasa may call so.
        """
        self.messages: list[Message] = []
        """The user's in this session, the oldest first."""
        self.sealed_at: dict[str, int] = {}
        """Every text that was in the seal's slot, with the place where it first appeared, in that
        order. Nobody can make a seal, nor make one appear earlier."""
        self.last_sealed = ""
        """The text that was set last. Rasa took it back if the slot has another one."""
        self.status_in_turn: object = None
        """What the status was set to after the newest message, or since the session began; None if
        it was not set."""
        self.status_at_start: object = None
        """What `PS7SessionStart` set it to, while this session has only one message."""
        self.mark = ""
        """Tells this session from the others of the conversation; one without events has none."""
        self._opened_at, self._message_at = _BEFORE_ALL, _BEFORE_ALL
        self._by_ps7_session_start = False
        self._latest = -math.inf
        for place, event in enumerate(events):  # hundreds, in a long session: no calls for each
            try:
                kind, at = event["event"], event["timestamp"]
            except (KeyError, TypeError):
                kind, at = event.get("event") if isinstance(event, dict) else None, None
            if at.__class__ in _NUMBERS and at > self._latest:
                self._latest = at
            if kind == "slot":
                match event:
                    case {"name": name, "value": value} if name == status:
                        self.status_in_turn = value
                    case {"name": name, "value": str(text)} if name == context:
                        self.last_sealed = text
                        self.sealed_at.setdefault(text, place)
            elif kind == "user":
                is_first = self._by_ps7_session_start and not self.messages
                self.status_at_start = self.status_in_turn if is_first else None
                self._add_message(event.get("metadata"))
                self._message_at, self.status_in_turn = place, None
            elif kind in _OPENS or (kind == "action" and event.get("name") == _SESSION_START):
                self.messages, self._opened_at, self.status_in_turn = [], place, None
                nonce = _nonce(event.get("metadata"))
                self._by_ps7_session_start = nonce is not None
                self.mark = str(event.get("timestamp")) if nonce is None else nonce
        if self._message_at == _BEFORE_ALL and isinstance(latest_message, dict):
            self._add_message(latest_message.get("metadata"))

    def _add_message(self, metadata: object) -> None:
        self.messages.append(Message(metadata, None if self._latest == -math.inf else self._latest))

    def is_of_session(self, text: str) -> bool:
        """Whether a text first appeared in the seal's slot in this session, or in no event."""
        place = self.sealed_at.get(text)
        return place is None or place > self._opened_at

    def is_of_turn(self, text: str) -> bool:
        """Whether a text first appeared in the seal's slot after the newest message."""
        return self.sealed_at.get(text, _BEFORE_ALL) > self._message_at

    @property
    def newest_metadata(self) -> object:
        """What the newest message brought; None if there is no message."""
        return self.messages[-1].metadata if self.messages else None


def _nonce(metadata: object) -> str | None:
    nonce = metadata.get(NONCE) if isinstance(metadata, dict) else None
    return nonce if isinstance(nonce, str) else None


class NewSession:
    """The tracker that a session start leaves behind; its last events open the session.

    The domain of the call tells which slots Rasa keeps.
    """

    def __init__(self, tracker: TrackerLike, domain: object, mark: str | None = None) -> None:
        before = tracker.slots if isinstance(tracker.slots, dict) else {}
        events = tracker.events if isinstance(tracker.events, list) else []
        self._initial = {name: _part(domain, "slots", name, "initial_value") for name in before}
        carries = _part(domain, "session_config", "carry_over_slots_to_new_session")
        carries_over = bool(domain) and carries is not False  # without a domain, nothing
        self.mark = mark or uuid4().hex
        """Made here: Rasa's timestamp of the session is not known yet."""
        self.sender_id = tracker.sender_id
        self.latest_message: dict[str, Any] = {}  # the tracker's is of the session before
        self.slots = dict(before) if carries_over else dict(self._initial)
        opening = opening_metadata(events)
        message = {"event": "user", "metadata": opening}
        self.events = [
            *events,
            {"event": "session_started", "metadata": {NONCE: self.mark}},
            *([] if opening is None else [message]),
        ]

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
        if event.get("event") in ("action", *_OPENS):
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
