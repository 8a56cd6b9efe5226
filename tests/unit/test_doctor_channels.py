"""The doctor's advice for a channel of a bot's own, which credentials.yml names by its class."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.ps7.cli.doctor import channels
from tests.support.doctor import assert_found, bot_of, sound, wrong
from tests.support.init_bots import lay_out

GETS = "def get_metadata(self, request): ..."
MERGES = "def get_metadata(self, request): return super().get_metadata(request)"
AWAITS = "async def get_metadata(self, request): ..."
POSTS = "def blueprint(self, on_new_message): ..."
UNSIGNED = "warning channel-unsigned: channels.own.Own: {} takes unauthenticated posts"
TWILIO, CALLBACK = UNSIGNED.format("TwilioInput"), UNSIGNED.format("CallbackInput")
BELOW = "...\n\nclass Mapped(TwilioInput):\n    "
REPLACED = f"{GETS}\n\nclass Mapped(TwilioInput):\n    {AWAITS}"
HANDS = "def blueprint(self, on_new_message):\n        await_(on_new_message(UserMessage({})))"
GIVEN = ("'hi', metadata=self.get(request)", "'hi', out, s, None, c, i, {}", "*all", "**all")
NEXT_TO_ONE_GIVEN = "'hi')), await_(UserMessage('hi', metadata=7"
NOT_GIVEN = ("'hi', out, sender", "'hi', out, s, None, c, i", "'hi', sender_id=metadata")
BASES = ("InputChannel", "channel.InputChannel", "TwilioInput")
BASE = "warning channel-metadata: channels.own.Own hands Rasa a `UserMessage` without metadata"
METADATA = "warning channel-metadata: channels.own.Own: "


def found(tmp_path: Path, source: str) -> list[str]:
    """Return what is wrong with a channel whose module has this source."""
    lay_out(tmp_path, {"channels/own.py": source})
    credentials = {"channels.own.Own": None, "not.there.Own": None}
    return wrong(channels.check(bot_of(sound(), credentials=credentials), (), tmp_path))


@pytest.mark.parametrize(
    ("base", "body", "expected"),
    [
        ("RestInput", GETS, []),
        ("InputChannel", POSTS, []),
        *(("InputChannel", HANDS.format(each), []) for each in GIVEN),
        *(("RestInput", HANDS.format(each), []) for each in (*GIVEN, NEXT_TO_ONE_GIVEN)),
        *((base, HANDS.format(each), [BASE]) for each in NOT_GIVEN for base in BASES),
        ("Mapped", BELOW.replace("Twilio", "Rest") + HANDS.format("'hi'"), [BASE]),
        *((base, GETS, [TWILIO]) for base in ("TwilioInput", "Mixin, TwilioInput")),
        ("Mapped", BELOW + GETS, [TWILIO]),
        ("Mapped", REPLACED, [TWILIO]),
        ("twilio.TwilioInput", POSTS, []),
        ("TwilioInput", "...", [f"{METADATA}has no get_metadata: no contextId arrives", TWILIO]),
        ("FacebookInput", GETS, []),
        ("CallbackInput", GETS, [f"{METADATA}CallbackInput calls no get_metadata", CALLBACK]),
        ("SlackInput", MERGES, []),
        ("SlackInput", GETS, [f"{METADATA}get_metadata leaves out what Slack's own returns"]),
        ("RestInput", AWAITS, ["error channel-async: channels.own.Own: Rasa does not await"]),
    ],
)
def test_each_class_gets_its_own_advice(
    tmp_path: Path, base: str, body: str, expected: list[str]
) -> None:
    """By what it derives from, by way of others too, and by what it defines itself."""
    assert_found(found(tmp_path, f"class Own({base}):\n    {body}\n"), expected)


@pytest.mark.parametrize("source", ["class Own(", "class Own: ...", "Own = 1"])
def test_what_cannot_be_read_or_is_of_no_known_kind_is_left_to_rasa(
    tmp_path: Path, source: str
) -> None:
    """Like a package that is installed."""
    assert found(tmp_path, source) == []


def test_a_channel_of_rasas_gets_the_advice_for_it() -> None:
    """Three of them never call `get_metadata`."""
    credentials = dict.fromkeys(("twilio", "callback"))
    asks, never = channels.check(bot_of(sound(), credentials=credentials), (), None)
    assert asks.do.startswith("Derive a channel from TwilioInput whose `get_metadata` reads `From`")
    assert never.do.startswith("Derive a channel from CallbackInput whose `blueprint` reads `meta")
