"""What a tracker's events tell one run, read in one walk: sessions, messages, seals.

Pure. Events that are not of the expected shape count as not there. Reverted turns count as any
other: a fallback rewinds the very turn that brought a contextId.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SESSION_ACTION = "action_session_start"
SESSION_METADATA = "session_started_metadata"
"""The slot in which Rasa keeps the metadata of the message that opened a session."""
NONCE = "ps7_session"
"""Key in the metadata of a `session_started` event of ours: Rasa keeps an event's metadata, and
writes its own timestamp over ours."""
SESSION_EVENTS = ("session_started", "session_ended", "restart")


class Message(NamedTuple):
    """What a message of the user brought, and when."""

    metadata: object
    at: float | None
    """Seconds since 1970, not before any event that stands in front of it: whoever writes events
    through Rasa's API may claim an earlier time. None: not known."""


@dataclass
class Session:
    """One session of a conversation."""

    mark: str = ""
    """Tells it from the other sessions of this conversation."""
    messages: list[Message] = field(default_factory=list)
    """The user's, the oldest first."""
    carried: set[str] = field(default_factory=set)
    """What stood in the seal's slot as it opened: Rasa copies slots into a new session."""
    begun: bool = False
    """Whether an action or a message came after what opened it."""
    shown: bool = False
    """Whether the tracker shows more of it than Rasa's note of what opens the next one."""


class History:
    """A conversation as far as a tracker shows it."""

    def __init__(
        self, events: Iterable[object], latest_message: object, *, context: str, status: str
    ) -> None:
        """Walk the events; `context` and `status` are the bot's names of these two slots.

        The latest message counts only where no event is a message: Rasa never calls like that,
        other hosts might.
        """
        self.session = Session()
        """The session that runs."""
        self.before: Session | None = None
        """The one before, where it is shown: in the turn that opens a session."""
        self.seals: dict[str, None] = {}
        """Every text that stood in the seal's slot, each once."""
        self.sealed_this_turn: set[str] = set()
        """Those that came after the newest message."""
        self.said_this_turn: object = None
        """What the status was set to after the newest message; None where it was not."""
        self._context, self._status = context, status
        self.at: float | None = None
        """When the newest event was; None where no event says so."""
        self._has_messages = False
        for event in events:
            if isinstance(event, dict):
                self._add(event)
        if not self._has_messages and isinstance(latest_message, dict):
            self.session.messages.append(Message(latest_message.get("metadata"), self.at))

    def open_session(self, mark: str) -> Session:
        """Begin another session."""
        self.before = self.session if self.session.shown else self.before
        self.session = Session(mark)
        return self.session

    def _add(self, event: Mapping[str, Any]) -> None:
        kind, name, at = event.get("event"), event.get("name"), event.get("timestamp")
        if isinstance(at, (int, float)) and (self.at is None or at > self.at):
            self.at = at
        if kind == "slot":
            self._set_slot(name, event.get("value"))
        elif kind in SESSION_EVENTS or (kind == "action" and name == SESSION_ACTION):
            # Nothing outlives a restart: its session is one before the next, however short.
            self.open_session(_mark(event)).shown = kind == "restart"
        elif kind in ("action", "user"):
            self.session.shown = self.session.begun = True
            if kind == "user":
                self._has_messages = True
                self.session.messages.append(Message(event.get("metadata"), self.at))
                self.sealed_this_turn, self.said_this_turn = set(), None

    def _set_slot(self, name: object, value: object) -> None:
        if name == self._context and isinstance(value, str):
            self.seals[value] = None
            self.sealed_this_turn.add(value)
            if not self.session.begun:
                self.session.carried.add(value)
        elif name == self._status:
            self.said_this_turn = value
        self.session.shown = self.session.shown or name != SESSION_METADATA


def _mark(event: Mapping[str, Any]) -> str:
    metadata = event.get("metadata")
    nonce = metadata.get(NONCE) if isinstance(metadata, dict) else None
    return nonce if isinstance(nonce, str) else str(event.get("timestamp"))
