"""What a bot's own tests and a demo use: PS7 on this machine, its customers, a conversation.

`Simulator` is PS7 itself, with `PERSONAS` who arrive and `FAULTS` that happen. `Conversation` runs
actions as Rasa would, without Rasa. `pytest_plugin` has fixtures around both; they give
`CustomerConversation` and `BackgroundSimulator`. `sign_arrival` makes the token that lets a
contextId in if `PS7_ARRIVAL_KEYS` is set. Of the plugin, only the command imports this package.
"""

from __future__ import annotations

from ..conversation.arrival import sign as sign_arrival
from .conversation import Conversation
from .customer_conversation import CustomerConversation
from .faults import FAULTS, Fault
from .personas import PERSONAS, Persona
from .simulator import BackgroundSimulator, RecordedRequest, Simulator

__all__ = [
    "FAULTS",
    "PERSONAS",
    "BackgroundSimulator",
    "Conversation",
    "CustomerConversation",
    "Fault",
    "Persona",
    "RecordedRequest",
    "Simulator",
    "sign_arrival",
]
