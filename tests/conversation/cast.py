"""Which bots the conversation tests run, by the name of their fixture."""

from __future__ import annotations

from pathlib import Path

from tests.conversation.harness import OSS_BOT, Bot
from tests.support.processes import ROOT

_TEST_BOTS = Path(__file__).parent / "bots"

BOTS = {
    "oss_bot": Bot(OSS_BOT),
    "rule_bot": Bot(
        ROOT / "examples" / "oss-bot-rule",
        actions_in=ROOT,
        settings={"PS7_METADATA_KEYS": '["channel.contextId"]'},
    ),
    "kiosk": Bot(_TEST_BOTS / "kiosk"),
    "story_bot": Bot(_TEST_BOTS / "stories"),
    "merged_story_bot": Bot(_TEST_BOTS / "stories", merged=True),
}
