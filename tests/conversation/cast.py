"""Which bots the tests with a real Rasa run, by the name of their fixture."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from actions.ps7.dialogue.arrival import MAX_SECONDS, sign
from tests.channels import services
from tests.conversation.harness import FRAGMENT, OSS_BOT, Bot
from tests.conversation.talking import Chat
from tests.support.processes import ROOT

_TEST_BOTS = Path(__file__).parent / "bots"
_KIOSK, _START_BOT = _TEST_BOTS / "kiosk", ROOT / "examples" / "oss-bot-session-start"
_kiosk = partial(Bot, _KIOSK, actions_in=_KIOSK, actions="kiosk_actions")
_start_bot = partial(Bot, _START_BOT, actions_in=_START_BOT)
_FORGETFUL, _MORE_SLOTS = _TEST_BOTS / "forgetful.yml", _TEST_BOTS / "more_slots.yml"

ARRIVAL_KEYS = (services.ARRIVAL_KEY, "made up, and on its way out: old")
"""What the back-end of a bot with signed arrival signs with, newest first."""
_CLEARED = {"PS7_CLEAR_SLOTS": '["balance_offered"]'}
"""As examples/oss-bot/servers.py sets it."""
_SIGNED = {"PS7_ARRIVAL_KEYS": json.dumps(ARRIVAL_KEYS)}
_NESTED = {**_SIGNED, "PS7_METADATA_KEYS": '["channel.contextId"]'}

BOTS = {
    # The example bot that looks up on every turn, without and with signed arrival.
    "oss_bot": Bot(OSS_BOT, settings=_CLEARED),
    "guarded_bot": Bot(OSS_BOT, settings={**_CLEARED, **_SIGNED}),
    # The latter behind the channels of examples/channels.
    "channel_bot": Bot(
        OSS_BOT,
        settings={**_CLEARED, **_SIGNED},
        credentials=ROOT / "tests" / "channels" / "credentials.yml",
        rasa_variables={"PYTHONPATH": str(ROOT / "examples"), **services.VARIABLES},
    ),
    # The example bot that looks up where a session starts, and from a rule; and the same without
    # carry-over, in a Rasa that sends the domain to those actions alone that ask for it.
    "start_bot": _start_bot(domain_files=(_MORE_SLOTS,)),
    "forgetful_start_bot": _start_bot(
        domain_files=(_MORE_SLOTS, _FORGETFUL, _TEST_BOTS / "asks_for_the_domain.yml"),
        endpoints=_TEST_BOTS / "selective.yml",
    ),
    # One that looks up from a rule alone, with Rasa's own session start.
    "rule_bot": Bot(_TEST_BOTS / "rule", settings=_NESTED),
    # One with Rasa's own fallback, a form that asks for `cpf`, and no carry-over.
    "kiosk": _kiosk(domain_files=(_FORGETFUL,)),
    # The same, but it greets where a session starts, looks up there and on every turn, and carries
    # slots over.
    "greeter": _kiosk(
        domain_files=(_KIOSK / "greeter.yml",), settings={**_NESTED, "PS7_MAX_CONTEXTS": "21"}
    ),
    # One that knows stories only, with the plugin's domain file merged into its own.
    "story_bot": Bot(_TEST_BOTS / "stories", domain_files=(FRAGMENT,)),
}
BOTS |= {
    f"{name}_sql": replace(BOTS[name], sql=True) for name in ("rule_bot", "greeter", "start_bot")
}


def signed_arrival(chat: Chat, context_id: str, seconds: int = MAX_SECONDS) -> dict[str, Any]:
    """Return what a channel sends to the rule bot or the greeter: a token, under a nested key."""
    token = sign(ARRIVAL_KEYS[0], context_id, chat.sender, seconds=seconds)
    return {"channel": {"name": "app", "contextId": token}}
