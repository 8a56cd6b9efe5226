"""A conversation as Rasa keeps it, in plain values and in the words of the test kit.

`actions.ps7.testing.Conversation` runs actions in rasa_sdk's executor, in an event loop. Here are
no executor, loop and JSON: what an action returns is the subclass's. So a test can afford thousands
of runs. What Rasa makes of events is the kit's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from actions.ps7.testing.rasa_in_memory import (
    CARRY_OVER,
    SESSION_METADATA,
    SESSION_START,
    Event,
    applied,
    built_in,
    replay,
)

if TYPE_CHECKING:
    from typing_extensions import Self

_OPENS = {"sql": ("event", "session_started"), "memory": ("name", SESSION_START)}
"""The event from which a store of Rasa's loads a conversation."""


class PlainConversation:
    """One user of one bot: events, and what they add up to."""

    tick, expires_after = 0.0, 3600.0
    """Seconds from one event to the next, and of silence after which a session is over."""

    def __init__(
        self,
        sender_id: str,
        slots: Iterable[str],
        now: float,
        *,
        carry_over_slots: bool = True,
        store: str = "memory",
    ) -> None:
        self.sender_id, self.now, self._store = sender_id, now, store
        self._initial = dict.fromkeys((*slots, SESSION_METADATA))
        self.config = {"session_config": {CARRY_OVER: carry_over_slots}}
        """The part of a domain that a session start reads."""
        self._expired = False
        self._begin([])

    def _begin(self, events: list[Event]) -> None:
        self.events, self.state_of_rasa = events, replay(events, self._initial)

    # What the kit has too

    @property
    def slots(self) -> dict[str, Any]:
        """The slots as the events leave them: a copy."""
        return dict(self.state_of_rasa.slots)

    def happens(self, event: str, **details: Any) -> None:  # noqa: ANN401 - the fields of an event
        """Note an event; one that reverts others is followed from the beginning."""
        self.now += self.tick
        noted = {"event": event, **details, "timestamp": self.now}
        self.events.append(noted)
        if event in ("rewind", "restart", "session_started"):
            self._begin(self.events)
        else:
            self.state_of_rasa.apply(noted)

    def set_slot(self, name: str, value: object) -> None:
        """Set a slot, as anything may."""
        self.happens("slot", name=name, value=value)

    def later(self, **time: float) -> Self:
        """Let time pass: `later(hours=1)`."""
        self.now += timedelta(**time).total_seconds()
        return self

    def expire_session(self) -> Self:
        """Let the next message open a session."""
        self._expired = True
        return self

    def user(self, text: str = "oi", *, metadata: dict[str, Any] | None = None) -> Self:
        """Send a message: a session opens if one is due."""
        self.begin_turn()
        self.open_session_if_due(metadata)
        self.note_message(text, metadata)
        return self

    # The parts of these

    @property
    def utc_now(self) -> datetime:
        """The time as the plugin's clock has it."""
        return datetime.fromtimestamp(self.now, timezone.utc)

    def begin_turn(self) -> None:
        """Load the events that the store hands out, a second later."""
        opens = _OPENS.get(self._store, ("", ""))
        starts = [at for at, event in enumerate(self.events) if opens in event.items()]
        if starts and starts[-1]:
            self._begin(self.events[starts[-1] :])
        self.later(seconds=1)

    def open_session_if_due(self, metadata: dict[str, Any] | None) -> None:
        """Start a session, with the metadata of the message that opens it."""
        kept = applied(self.events)
        spoken = [event["timestamp"] for event in kept if event["event"] == "user"]
        over = spoken and (self._expired or self.now - spoken[-1] > self.expires_after)
        self._expired = False
        if over or not kept:
            if metadata:
                self.set_slot(SESSION_METADATA, metadata)
            self.start_session()

    def start_session(self) -> None:
        """Start a session, as Rasa itself does."""
        self.run_of_rasa(SESSION_START)

    def note_message(self, text: str, metadata: dict[str, Any] | None) -> None:
        """Note what the user says, and what the channel brings with it."""
        brought = dict(metadata or {})
        said = {"text": text, "metadata": brought}
        self.happens("user", text=text, parse_data=said, metadata=brought)

    def run_of_rasa(self, action: str) -> None:
        """Run an action of Rasa's own."""
        done = built_in(action, self.config, self.events)
        assert done is not None, f"{action} is none of Rasa's own"
        for event in ({"event": "action", "name": action}, *done[0]):
            self.happens(**event)
