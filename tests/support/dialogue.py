"""A conversation as Rasa keeps it, for tests that call an action server themselves.

It makes the payload that Rasa sends and applies the slots that come back. How the payload travels
is the caller's: over HTTP, gRPC, or straight into an executor.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

import rasa_sdk

from actions.ps7.customer import CONTEXT, CUSTOMER_SLOTS, STATUS
from tests.support.clock import now

Send = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

LOOK_UP, VERIFY, FORGET = "action_ps7_context", "action_ps7_verify", "action_ps7_forget"

SLOTS = (STATUS, CONTEXT, *CUSTOMER_SLOTS)
"""Every slot that the plugin knows, fields of the wire excepted."""


class Dialogue:
    """One user of a bot that declares `declared`, who is new."""

    def __init__(self, declared: Iterable[str] = SLOTS) -> None:
        self.sender_id = uuid4().hex
        self.slots: dict[str, Any] = dict.fromkeys(declared)
        self.events: list[dict[str, Any]] = [
            {"event": "action", "name": "action_session_start", "timestamp": now()},
            {"event": "session_started", "timestamp": now()},
        ]
        # From 3.21 on the SDK wants a domain that is not empty.
        self.domain: object = {"slots": {name: {"type": "any"} for name in self.slots}}

    def call(self, action: str, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Let the user say something with this metadata; return what Rasa then sends."""
        # Rasa adds its own keys to what the channel sent.
        full = {**(metadata or {}), "model_id": "m", "assistant_id": "a"}
        message = {"event": "user", "text": "oi", "metadata": full, "timestamp": now()}
        self.events.append(message)
        tracker = {
            "sender_id": self.sender_id,
            "slots": self.slots,
            "latest_message": {"text": "oi", "intent": {"name": "greet"}, "metadata": full},
            "events": self.events,
            "paused": False,
            "active_loop": {},
            "latest_action_name": "action_listen",
        }
        return {
            "next_action": action,
            "sender_id": self.sender_id,
            "tracker": tracker,
            "domain": self.domain,
            "version": rasa_sdk.__version__,
        }

    async def turn(
        self, send: Send, action: str = LOOK_UP, metadata: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run an action after a message; return the slots that it set, which are kept."""
        answer = await send(self.call(action, metadata))
        assert answer["responses"] == [], "an action of ours never speaks"
        assert all(event["event"] == "slot" for event in answer["events"])
        changes = {event["name"]: event["value"] for event in answer["events"]}
        assert len(changes) == len(answer["events"]), "a slot was set twice"
        assert changes.keys() <= self.slots.keys(), "a slot that is not declared was set"
        self.slots |= changes
        self.events += answer["events"]
        return changes
