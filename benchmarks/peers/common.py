"""What the rivals share: the request that they send, and the slots that they set.

It expects PS7's answer to be there and to be as it should: whatever is not, raises.
"""

from __future__ import annotations

import os
from abc import ABC
from typing import TYPE_CHECKING, Any

from rasa_sdk import Action
from rasa_sdk.events import SlotSet

if TYPE_CHECKING:
    from rasa_sdk import Tracker

URL = f"{os.environ.get('PS7_BASE_URL')}/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
HEADERS = {"userName": "u", "password": "p"}
_SLOTS = {
    "cpf": "u_cpf",
    "agency": "u_ag",
    "account": "u_cc",
    "segment": "u_seg",
    "ivr_option": "u_dest",
    "identification": "u_id",
    "security_device": "u_dseg",
    "token_status": "u_dsok",
}


class Peer(Action, ABC):
    """Runs in the plugin's place."""

    def name(self) -> str:
        """Return the plugin's name."""
        return "action_ps7_context"


def request_body(tracker: Tracker) -> dict[str, str]:
    """Return the contextId that the request asks about."""
    return {"contextId": tracker.latest_message["metadata"]["contextId"]}


def slots(answer: dict[str, Any]) -> list[Any]:
    """Read the customer."""
    payload = answer["payload"]
    customer = [SlotSet(slot, payload[wire_name]) for slot, wire_name in _SLOTS.items()]
    return [SlotSet("ps7_status", "ok"), *customer]
