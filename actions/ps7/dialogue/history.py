"""What a tracker's events tell one run, read in one walk: sessions, messages, seals.

Pure. Events that are not of the expected shape count as not there. Reverted turns count as any
other: a fallback rewinds the very turn that brought a contextId. `NewSession` is what a tracker
will be once a session has started.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from ..slots import differing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .situation import TrackerLike

SESSION_ACTION = "action_session_start"
SESSION_METADATA = "session_started_metadata"
"""The slot in which Rasa keeps the metadata of the message that opened a session."""
NONCE = "ps7_session"
"""Key in the metadata of a `session_started` event of ours: Rasa keeps an event's metadata, and
writes its own timestamp over ours."""
_BORDERS = ("action", "session_started", "session_ended", "restart")


class Message(NamedTuple):
    """What a message of the user brought, and where."""

    metadata: object
    place: int
    """How many of all events stand in front of what comes after it."""


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

    @property
    def newest_metadata(self) -> object:
        """What the newest message brought; None where there is no message."""
        return self.messages[-1].metadata if self.messages else None


class History:
    """A conversation as far as a tracker shows it."""

    def __init__(
        self, events: Sequence[object], latest_message: object, *, context: str, status: str
    ) -> None:
        """Walk the events; `context` and `status` are the bot's names of these two slots.

        The latest message counts only where no event is one: other hosts than Rasa may call so.
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
        self._events = events
        self._has_messages = False
        for place, event in enumerate(events, 1):
            if isinstance(event, dict):
                self._add(event, place)
        if not self._has_messages and isinstance(latest_message, dict):
            self.hear(latest_message.get("metadata"))

    def hear(self, metadata: object, place: int | None = None) -> None:
        """Add a message to the session that runs; after all events where no place is named."""
        place = len(self._events) if place is None else place
        self.session.messages.append(Message(metadata, place))

    def came_at(self, message: Message) -> float | None:
        """Return when a message came, in seconds since 1970; None where no event says so.

        Not before any event that stands in front of it: a client that writes events through Rasa's
        API may claim an earlier time.
        """
        at = self._latest[message.place]
        return None if at == -math.inf else at

    @cached_property
    def _latest(self) -> list[float]:
        """The latest time of the first so many events, for every number of them."""
        dicts = (event if isinstance(event, dict) else {} for event in self._events)
        times = (event.get("timestamp") for event in dicts)
        known = (at if isinstance(at, (int, float)) else -math.inf for at in times)
        return list(accumulate(known, max, initial=-math.inf))

    def open_session(self, mark: str) -> Session:
        """Begin another session."""
        self.before = self.session if self.session.shown else self.before
        self.session = Session(mark)
        return self.session

    def _add(self, event: Mapping[str, Any], place: int) -> None:
        kind = event.get("event")
        if kind == "slot":
            self._set_slot(event.get("name"), event.get("value"))
        elif kind == "user":
            self.session.shown = self.session.begun = self._has_messages = True
            self.hear(event.get("metadata"), place)
            self.sealed_this_turn, self.said_this_turn = set(), None
        elif kind == "action" and event.get("name") != SESSION_ACTION:
            self.session.shown = self.session.begun = True
        elif kind in _BORDERS:
            # Nothing outlives a restart: its session is one before the next, however short.
            self.open_session(_mark(event)).shown = kind == "restart"

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


class NewSession:
    """The tracker as it will be once a session has started, for a `Turn` to read.

    What Rasa keeps of the session before is read from the domain of the call.
    """

    def __init__(self, tracker: TrackerLike, domain: object) -> None:
        before = tracker.slots if isinstance(tracker.slots, dict) else {}
        self.events = tracker.events if isinstance(tracker.events, list) else []
        self._initial = {name: _part(domain, "slots", name, "initial_value") for name in before}
        carries = _part(domain, "session_config", "carry_over_slots_to_new_session")
        self.carries_over = bool(domain) and carries is not False
        """As the domain says, and nothing where no domain was sent."""
        self.sender_id = tracker.sender_id
        self.latest_message: dict[str, Any] = {}  # the tracker's is of the session before
        self.slots = dict(before) if self.carries_over else dict(self._initial)
        self.mark = uuid4().hex
        """Rasa's timestamp of the session is not known yet."""

    def add_to(self, history: History) -> None:
        """Begin this session in what the tracker shows."""
        session = history.open_session(self.mark)
        session.carried = set(history.seals) if self.carries_over else set()
        opening = opening_metadata(self.events)
        if opening is not None:
            history.hear(opening)

    def to_set(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the slots to set after Rasa has reset them all: what is kept, and the changes."""
        return differing({**self.slots, **changes}, self._initial)


def opening_metadata(events: Sequence[object]) -> object:
    """Return the metadata that opens the session which is about to start; None where none does.

    While `action_session_start` runs, the latest message is still that of the session before. What
    came since the last action counts: the message `/session_start` itself, else the slot in which
    Rasa notes the metadata of a message that opens a session, if that is the very last event.
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
