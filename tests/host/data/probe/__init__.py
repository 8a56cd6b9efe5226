"""A bot's own action beside ours: which process answers, and whom a seal vouches for there."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet

from actions.ps7 import verified_context

if TYPE_CHECKING:
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict


class ActionProbe(Action):
    """Says what an action of a bot can know."""

    def name(self) -> str:
        """Return the name that a domain lists."""
        return "action_probe"

    async def run(
        self, _dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Set the number of this process, and the account of the customer if there is one."""
        time.sleep(0.02)  # noqa: ASYNC251 - busy, so that the other worker takes the next call
        customer = verified_context(tracker)
        return [SlotSet("pid", os.getpid()), SlotSet("vouched", customer and customer.account)]
