"""How a session starts: with the customer already looked up.

In CALM the first message is understood before any action of its turn runs. A session that starts
with the lookup lets that message find the customer, as every later one does.
"""

from __future__ import annotations

from rasa_ps7 import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    """Rasa's `action_session_start`, with the context of what opened the session in the slots."""
