"""What the channels of credentials.yml let through. Pure: a bot in, findings out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bot import table
from .report import Finding, caution, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .bot import Bot

_DROP_METADATA = {
    *("botframework", "callback", "facebook", "hangouts", "mattermost", "rocketchat", "slack"),
    *("telegram", "twilio", "twilio_voice", "webexteams"),
}
"""Channels of Rasa that hand a bot no metadata, or none but their own."""


_CVG, _CVG_BODY = "cvg", "cvg_body"
"""VIER's channel puts all metadata below one key."""


def check(bot: Bot, metadata_keys: Sequence[str]) -> Iterator[Finding]:
    """Check whether a contextId and an answer come through."""
    channels = table(bot.credentials)
    without = [name for name in channels if name in _DROP_METADATA]
    if without:
        found = f"in credentials.yml, {listed(without)} let no metadata of yours through to the "
        found += "bot: no contextId arrives there"
        how = "derive a channel of your own from it, with `get_metadata`: docs/integration.md"
        yield caution("channel-metadata", found, how)
    if any(_CVG in name.lower() for name in channels) and _CVG_BODY not in str(metadata_keys):
        found = f"VIER's channel puts metadata under {_CVG_BODY}, and PS7_METADATA_KEYS names no "
        found += "path there"
        how = f"set PS7_METADATA_KEYS='[\"{_CVG_BODY}.contextId\"]', or where it is in that body"
        yield caution("channel-path", found, how)
    if table(channels.get("socketio")).get("session_persistence") is True and not bot.is_calm:
        found = "socketio has `session_persistence: true`: with python-socketio 5.10 or newer, "
        found += "which Rasa 3.6.21 brings, no answer arrives"
        how = "install python-socketio<5.10 where Rasa runs, or set it to false"
        yield caution("socketio-persistence", found, how)
