"""Which bots the tests with a real Rasa run, by the name of their fixture."""

from __future__ import annotations

import json
from collections import ChainMap
from pathlib import Path
from typing import Any

from actions.ps7.conversation.arrival import sign
from tests.channels import services
from tests.conversation.harness import OSS_BOT, Bot
from tests.conversation.talking import Chat
from tests.support.processes import ROOT

_KIOSK = Path(__file__).parent / "bots" / "kiosk"

_CLEARED = {"PS7_CLEAR_SLOTS": '["balance_offered"]'}
"""As examples/oss-bot/servers.py sets it."""
_SIGNED = {"PS7_ARRIVAL_KEYS": json.dumps([services.ARRIVAL_KEY])}

WEBCHAT_KEY = "made up, and as long as the channel demands"
_CHANNELS = {"PYTHONPATH": str(ROOT / "examples")}

BOTS = {
    # The example bot that looks up on every turn, behind the web chat's channel as well.
    "oss_bot": Bot(
        OSS_BOT,
        settings=_CLEARED,
        credentials=ROOT / "tests" / "webchat" / "credentials.yml",
        rasa_variables={**_CHANNELS, "WEBCHAT_KEY": WEBCHAT_KEY},
    ),
    # The same with signed arrival, behind the channels of examples/channels.
    "channel_bot": Bot(
        OSS_BOT,
        settings={**_CLEARED, **_SIGNED},
        credentials=ROOT / "tests" / "channels" / "credentials.yml",
        rasa_variables=ChainMap(_CHANNELS, services.VARIABLES),
    ),
    # One with Rasa's own fallback, a form that asks for `cpf`, and a greeting as a session starts.
    # It keeps its conversations in a database, sends the domain to those actions alone that ask for
    # it, and its actions run in Rasa's own environment.
    "kiosk": Bot(
        _KIOSK,
        actions_in=_KIOSK,
        actions="kiosk_actions",
        settings={**_SIGNED, "PS7_METADATA_KEYS": '["channel.contextId"]'},
        endpoints=_KIOSK / "endpoints.yml",
        in_rasa=True,
    ),
}


def signed_arrival(chat: Chat, context_id: str) -> dict[str, Any]:
    """Return what a channel sends to the kiosk: a token, under a nested key."""
    token = sign(services.ARRIVAL_KEY, context_id, chat.sender)
    return {"channel": {"name": "app", "contextId": token}}
