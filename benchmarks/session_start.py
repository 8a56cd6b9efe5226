"""The actions of a bot that looks up at session start: the least that such a bot has."""

from __future__ import annotations

from actions.ps7 import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    """Opens a session, and knows the customer before the first message is answered."""
