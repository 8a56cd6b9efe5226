"""Which bots the tests with a real Rasa run, by the name of their fixture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.conversation.harness import FRAGMENT, OSS_BOT, Bot
from tests.support.processes import ROOT

_TEST_BOTS = Path(__file__).parent / "bots"
_KIOSK = _TEST_BOTS / "kiosk"
_LOBBY = _TEST_BOTS / "lobby"
_OSS_BOT_RULE = ROOT / "examples" / "oss-bot-rule"

ARRIVAL_KEYS = ("made up, and this back-end's own", "made up, and on its way out: old")
"""What the back-end of a guarded bot signs with, newest first."""
_GUARDED = {"PS7_ARRIVAL_KEYS": json.dumps(ARRIVAL_KEYS)}

_GREETER = Bot(
    _KIOSK,
    domain_files=(_KIOSK / "greeter.yml",),
    actions_in=_KIOSK,
    actions="kiosk_actions",
    settings={**_GUARDED, "PS7_MAX_CONTEXTS": "21"},
)
_GUARDED_RULE_BOT = Bot(_OSS_BOT_RULE, actions_in=_OSS_BOT_RULE, settings=_GUARDED)

BOTS = {
    "oss_bot": Bot(OSS_BOT),
    "rule_bot": Bot(
        _OSS_BOT_RULE,
        actions_in=_OSS_BOT_RULE,
        settings={"PS7_METADATA_KEYS": '["channel.contextId"]'},
    ),
    "kiosk": Bot(
        _KIOSK,
        domain_files=(_KIOSK / "forgetful.yml",),
        actions_in=_KIOSK,
        actions="kiosk_actions",
    ),
    "greeter": _GREETER,
    "guarded_rule_bot": _GUARDED_RULE_BOT,
    "greeter_sql": replace(_GREETER, sql=True),
    "guarded_rule_bot_sql": replace(_GUARDED_RULE_BOT, sql=True),
    "lobby": Bot(_LOBBY, actions_in=_LOBBY, actions="lobby_actions"),
    "forgetful_lobby": Bot(
        _LOBBY,
        domain_files=(_LOBBY / "forgetful.yml",),
        actions_in=_LOBBY,
        actions="lobby_actions",
    ),
    "selective_lobby": Bot(
        _LOBBY,
        domain_files=(_LOBBY / "forgetful.yml",),
        actions_in=_LOBBY,
        actions="lobby_actions",
        endpoints=_LOBBY / "selective.yml",
    ),
    "story_bot": Bot(_TEST_BOTS / "stories"),
    "merged_story_bot": Bot(_TEST_BOTS / "stories", domain_files=(FRAGMENT,)),
    "guarded_bot": Bot(OSS_BOT, settings=_GUARDED),
}
