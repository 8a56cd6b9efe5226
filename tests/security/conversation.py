"""A conversation as Rasa keeps it, which anybody may write to.

A message and the actions that run after it are two things here, as they are in Rasa. A copy of a
conversation can be attacked, and the others stay as they are. Nothing here knows what an attack is.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import rasa_sdk

from tests.support.clock import now
from tests.support.dialogue import FORGET, SLOTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.security.servers import Servers

WITNESS, SESSION_START = "action_witness", "action_session_start"
STATUS, SEAL = "ps7_status", "ps7_context"
SESSION_METADATA, VERIFIED = "session_started_metadata", "verified"
WIRE = ("u_cpf", "u_id")
CUSTOMER_SLOTS = tuple(slot for slot in (*SLOTS, *WIRE) if slot not in (STATUS, SEAL))
DECLARED = (STATUS, SEAL, *CUSTOMER_SLOTS, SESSION_METADATA, VERIFIED)
SENDERS = "5511-planted"
"""How every sender id begins."""
_BORDERS = ("session_started", "session_ended", "restart")


class Conversation:
    """One user of a bot."""

    def __init__(self, servers: Servers, server: str) -> None:
        self.servers, self.server = servers, server
        """All servers, and the name of the one that runs the actions of this conversation."""
        self.sender_id = f"{SENDERS}-{uuid4().hex[:16]}"
        self.slots: dict[str, Any] = dict.fromkeys(DECLARED)
        self.events: list[dict[str, Any]] = []
        self.metadata: Mapping[str, Any] = {}
        self.carries_over = True
        self.shows: int | None = None
        """How many of the last events the host shows; None: all of the session."""
        self.brought: list[object] = []
        """What this session's messages, or what opened it, brought as a contextId."""
        self.logged_out: frozenset[str] = frozenset()
        """The customers who were known as a log-out ran."""
        self._now = 0.0
        self.seals: dict[str, dict[str, Any]] = {}
        """Every seal that was set, with the slots as they were then: an attacker may keep them."""
        self.next_session()

    def copy(self) -> Conversation:
        """Return the same conversation once more."""
        other = copy(self)
        other.slots, other.events = dict(self.slots), list(self.events)
        other.seals, other.brought = dict(self.seals), list(self.brought)
        return other

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The events that the host shows."""
        hidden = 0 if self.shows is None else max(0, len(self.events) - self.shows)
        return self.events[hidden:]

    @property
    def known(self) -> frozenset[str]:
        """The customers of the seals that the host shows, of any session."""
        shown = [event.get("value") for event in self.seen if event.get("name") == SEAL]
        texts = (text for text in (*shown, self.slots.get(SEAL)) if isinstance(text, str))
        found = (self.seals[text] for text in texts if text in self.seals)
        return frozenset(
            said["ps7_decoded_context_id"] for said in found if said.get(STATUS) == "ok"
        )

    @property
    def mark(self) -> str:
        """What tells this session from others, as an attacker reads it in the tracker."""
        opened = [event for event in self.events if event["event"] == "session_started"][-1]
        nonce = (opened.get("metadata") or {}).get("ps7_session")
        return str(nonce or opened["timestamp"])

    def next_session(self) -> None:
        """Start a session of Rasa's own, as after an hour without a message.

        From then on Rasa sends this session alone, and the slots that it carried over.
        """
        self.events, self.metadata = [], {}
        self.happens("action", name=SESSION_START)
        self.happens("session_started")
        for name, value in self.slots.items():
            if not self.carries_over:
                self.slots[name] = None
            elif value is not None:
                self.happens("slot", name=name, value=value)

    def says(self, metadata: Mapping[str, Any]) -> None:
        """Add a message of the user, with what the channel sends beside it."""
        # Rasa adds its own keys to what the channel sent.
        self.metadata = {**metadata, "model_id": "m", "assistant_id": "a"}
        self.happens("user", text="oi", metadata=self.metadata)

    def happens(self, event: str, **details: object) -> None:
        """Add an event to the tracker, later than all others unless it has a time of its own."""
        self._now = max(now(), self._now + 1e-6)
        self.events.append({"event": event, "timestamp": self._now, **details})
        if event in _BORDERS:
            self.brought = []
        elif event == "user":
            self._brings(details.get("metadata"))

    def _brings(self, metadata: object) -> None:
        if isinstance(metadata, dict):
            self.brought.append(metadata.get("contextId"))

    def writes(self, slot: str, value: object) -> None:
        """Set a slot, declared or not until now."""
        self.slots[slot] = value
        self.happens("slot", name=slot, value=value)

    async def run(self, action: str) -> None:
        """Run an action, and set the slots that it asks for."""
        answer = await self.servers.send(self.server, self._call(action))
        assert answer["responses"] == [], "an action of ours never speaks"
        if action == FORGET:
            self.logged_out |= self.known
        opening, note = self.brought[-1:], self.slots.get(SESSION_METADATA)
        if action == SESSION_START:
            self.slots = dict.fromkeys(self.slots)
        set_now = {e["name"]: e["value"] for e in answer["events"] if e["event"] == "slot"}
        assert set_now.keys() <= self.slots.keys(), "a slot that is not declared was set"
        self.slots |= set_now
        for event in answer["events"]:
            del event["timestamp"]  # Rasa writes its own
            self.happens(**event)
        if action == SESSION_START:
            self.brought = opening
            self._brings(note)
        if isinstance(set_now.get(SEAL), str):
            self.seals[set_now[SEAL]] = dict(self.slots)

    def _call(self, action: str) -> dict[str, Any]:
        """Return what the host sends to the action server."""
        return {
            "next_action": action,
            "sender_id": self.sender_id,
            "tracker": {
                "sender_id": self.sender_id,
                "slots": self.slots,
                "latest_message": {"text": "oi", "metadata": self.metadata},
                "events": self.seen,
                "paused": False,
                "active_loop": {},
                "latest_action_name": "action_listen",
            },
            "domain": {
                "slots": {name: {"type": "any"} for name in self.slots},
                "session_config": {"carry_over_slots_to_new_session": self.carries_over},
            },
            "version": rasa_sdk.__version__,
        }
