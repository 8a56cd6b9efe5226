"""The customer of a bank's chat, from a contextId: PS7 (`chat_itau_contextos`) for Rasa.

Importing this package registers three actions. Nothing is read or opened before an action server
registers them.
"""

from .actions import (
    ActionPS7Context,
    ActionPS7Forget,
    ActionPS7Verify,
    PS7SessionStart,
    handover,
    verified_context,
)
from .customer import CustomerContext, Identification, SecurityDevice, TokenStatus
from .lookup.client import PS7Client
from .outcomes import LookupFailed, Outcome, PS7Error, Reason, SettingsError
from .settings import PS7Settings

__all__ = [
    "ActionPS7Context",
    "ActionPS7Forget",
    "ActionPS7Verify",
    "CustomerContext",
    "Identification",
    "LookupFailed",
    "Outcome",
    "PS7Client",
    "PS7Error",
    "PS7SessionStart",
    "PS7Settings",
    "Reason",
    "SecurityDevice",
    "SettingsError",
    "TokenStatus",
    "handover",
    "verified_context",
]
