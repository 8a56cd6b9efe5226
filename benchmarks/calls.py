"""The users of the benchmarks: each brings one contextId, with every message."""

from __future__ import annotations

from typing import Any

from actions.ps7.testing.rasa_in_memory import load_domain
from tests.support.dialogue import LOOK_UP, Dialogue
from tests.support.processes import ROOT

SLOTS = tuple(load_domain([ROOT / "domain.yml"])["slots"])
"""What the plugin's domain file declares."""


class User(Dialogue):
    """Somebody who talks to the bot, with the slots that Rasa keeps for them."""

    def __init__(self, context_id: str) -> None:
        """Take what PS7 is asked about."""
        super().__init__(SLOTS)
        self.context_id = context_id

    def say(self) -> dict[str, Any]:
        """Return what Rasa sends when they say something. A tracker here remembers no turns."""
        del self.events[2:]
        return self.call(LOOK_UP, {"contextId": self.context_id})

    def apply(self, answer: dict[str, Any]) -> None:
        """Set the slots that an action answered with."""
        self.slots |= {event["name"]: event["value"] for event in answer["events"]}
