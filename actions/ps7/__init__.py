"""The customer of a bank's chat, from a contextId: PS7 (`chat_itau_contextos`) for Rasa.

Importing this package registers three actions. Nothing is read or opened before an action server
registers them.
"""

from .api.client import PS7Client
from .context import CustomerContext, Identification, Outcome, SecurityDevice, TokenStatus
from .dialogue.actions import (
    ActionPS7Context,
    ActionPS7Forget,
    ActionPS7Verify,
    PS7SessionStart,
    verified_context,
)
from .dialogue.handover import handover
from .errors import (
    AccessDenied,
    CircuitOpen,
    ConnectionFailed,
    ContextRejected,
    DeadlineExceeded,
    InvalidContextId,
    LookupFailed,
    PS7Error,
    PS7Unavailable,
    Reason,
    SettingsError,
    UnexpectedStatus,
    UnreadableAnswer,
)
from .settings import PS7Settings

__all__ = [
    "AccessDenied",
    "ActionPS7Context",
    "ActionPS7Forget",
    "ActionPS7Verify",
    "CircuitOpen",
    "ConnectionFailed",
    "ContextRejected",
    "CustomerContext",
    "DeadlineExceeded",
    "Identification",
    "InvalidContextId",
    "LookupFailed",
    "Outcome",
    "PS7Client",
    "PS7Error",
    "PS7SessionStart",
    "PS7Settings",
    "PS7Unavailable",
    "Reason",
    "SecurityDevice",
    "SettingsError",
    "TokenStatus",
    "UnexpectedStatus",
    "UnreadableAnswer",
    "handover",
    "verified_context",
]
