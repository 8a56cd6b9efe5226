"""What Rasa sends to an action server, for users made up here, and how it keeps their slots.

Knows the shape of a tracker, and nothing of the plugin but the names of its slots.
"""

from __future__ import annotations

import json
import time
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import rasa_sdk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACTION = "action_ps7_context"
SLOTS = (
    *("ps7_status", "ps7_context", "cpf", "cpf_masked", "agency", "account", "segment"),
    *("ivr_option", "identification", "security_device", "token_status", "ps7_expires_at"),
)
"""What the plugin's domain file declares."""

_TURN: tuple[dict[str, Any], ...] = (
    {"event": "user", "text": "qual é o horário das agências?", "metadata": {}},
    {"event": "action", "name": ACTION, "policy": None, "confidence": None},
    {"event": "action", "name": "utter_hours", "policy": "RulePolicy", "confidence": 1.0},
    {"event": "bot", "text": "As agências atendem de segunda a sexta.", "metadata": {}},
    {"event": "slot", "name": "subject", "value": "horário"},
    {"event": "action", "name": "action_listen", "policy": "RulePolicy", "confidence": 1.0},
)


class User:
    """Somebody who talks to the bot, with the slots that Rasa keeps for them."""

    def __init__(self, context_id: str, *, events: int = 0) -> None:
        """Take what PS7 is asked about, and how many events there are already."""
        self.context_id = context_id
        self.slots: dict[str, Any] = dict.fromkeys(SLOTS)
        self.sender_id = uuid4().hex
        self._now = time.time()
        self._events: list[dict[str, Any]] = []
        self._keep(islice(cycle(_TURN), events))

    def call(self, *, silent: bool = False) -> dict[str, Any]:
        """Return what Rasa sends when they say something.

        `silent`: the message brings no contextId, as in a channel that sends it with the first one.
        """
        metadata = {} if silent else {"contextId": self.context_id}
        message = {"event": "user", "text": "oi", "metadata": metadata, "timestamp": self._now}
        tracker = {
            "sender_id": self.sender_id,
            "slots": self.slots,
            "latest_message": {"text": "oi", "metadata": metadata},
            "events": [*self._events, message],
        }
        return {
            "next_action": ACTION,
            "sender_id": self.sender_id,
            "tracker": tracker,
            "domain": {"slots": {name: {"type": "any"} for name in self.slots}},
            "version": rasa_sdk.__version__,
        }

    def apply(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Set the slots that an action answered with."""
        self.slots.update({event["name"]: event["value"] for event in events})

    def go_on(self) -> None:
        """Let the tracker keep what was said last, and a turn after it."""
        self._keep([self.call()["tracker"]["events"][-1], *_TURN])

    def _keep(self, events: Iterable[Mapping[str, Any]]) -> None:
        for event in events:
            self._now += 0.001
            self._events.append({"timestamp": self._now, **event})


def as_json(call: Mapping[str, Any]) -> bytes:
    """Write a call as Rasa does."""
    return json.dumps(call).encode()
