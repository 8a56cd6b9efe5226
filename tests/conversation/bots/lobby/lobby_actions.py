"""The bot's own actions: one, and it is complete."""

from __future__ import annotations

from actions.ps7 import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    """Opens a session, and knows the customer before the first message is answered."""
