"""An action that sets the slots of a lookup, with no lookup: what these slots cost Rasa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa_sdk.events import SlotSet

from benchmarks.rivals.common import Rival

if TYPE_CHECKING:
    from rasa_sdk import Tracker

_SEAL_LENGTH = 1356
_SLOTS = {
    "ps7_status": "ok",
    "ps7_context": "x" * _SEAL_LENGTH,
    "cpf": "52998224725",
    "cpf_masked": "***.982.247-**",
    "agency": "0341",
    "account": "1234567",
    "segment": "Personnalité",
    "ivr_option": "saldo",
    "identification": "authenticated",
    "security_device": "token",
    "token_status": "valid",
    "ps7_expires_at": "2026-11-26T15:18:11+00:00",
}


class Once(Rival):
    """Is called on every turn, and has something to do on the first."""

    async def run(self, dispatcher: object, tracker: Tracker, domain: object) -> list[Any]:  # noqa: ARG002
        """Set every slot that the plugin sets, to a value of that length."""
        if tracker.get_slot("ps7_status") is not None:
            return []
        return [SlotSet(name, value) for name, value in _SLOTS.items()]
