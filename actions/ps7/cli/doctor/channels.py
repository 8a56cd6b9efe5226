"""How a contextId comes through each channel of credentials.yml, one of a bot's own among them.

The table is that of docs/integration.md, which a test drives every channel of Rasa for.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from .bot import table
from .report import Finding, caution, error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .bot import Bot


class Channel(NamedTuple):
    """A channel of Rasa Open Source that hands a bot no metadata, or none but its own."""

    base: str
    """Its class."""
    reads: str
    """What one derived from it reads the contextId from."""
    authenticates: bool = False
    """Whether it refuses a post that is not of its service."""
    asks: bool = True
    """Whether it calls `get_metadata`."""

    @property
    def advice(self) -> str:
        """What makes a lookup `ok`."""
        method = "get_metadata" if self.asks else "blueprint"
        return f"derive a channel from {self.base} whose `{method}` reads {self.reads}"


CHANNELS = {
    "botframework": Channel("BotFrameworkInput", "`channelData`", authenticates=True),
    "callback": Channel("CallbackInput", "`metadata`", asks=False),
    "facebook": Channel("FacebookInput", "the `ref` of a link", authenticates=True),
    "hangouts": Channel("HangoutsInput", "the post", asks=False),
    "mattermost": Channel("MattermostInput", "the post"),
    "rocketchat": Channel("RocketChatInput", "the post"),
    "slack": Channel("SlackInput", "the post, beside what `super()` returns", authenticates=True),
    "telegram": Channel("TelegramInput", "`/start <code>`"),
    "twilio": Channel("TwilioInput", "`From` or `ButtonPayload`"),
    "twilio_voice": Channel("TwilioVoiceInput", "`From` or a SIP header", asks=False),
    "webexteams": Channel("WebexTeamsInput", "the post"),
}
_OF_PRO = {"audiocodes", "audiocodes_stream", "genesys", "jambonz", "twilio_media_streams"}
"""Rasa Pro's channels for voice, as its documentation of 3.16 has them: none lets metadata in."""
_BY_BASE = {channel.base: channel for channel in CHANNELS.values()}
_VERIFIED = "; examples/channels has verified ones for WhatsApp, Twilio, Telegram and Messenger"


def check(bot: Bot, metadata_keys: Sequence[str], folder: Path | None) -> Iterator[Finding]:
    """Check whether a contextId and an answer come through; classes are looked for in `folder`."""
    channels = table(bot.credentials)
    for name in channels:
        if name in CHANNELS:
            found = f"in credentials.yml, {name} lets no metadata of yours through to the bot: no "
            found += "contextId arrives there"
            yield caution("channel-metadata", found, CHANNELS[name].advice + _VERIFIED)
        elif name in _OF_PRO:
            found = f"in credentials.yml, {name} lets no metadata of yours through to the bot: no "
            how = "derive a channel of your own from it: docs/integration.md#a-channel-of-your-own"
            yield caution("channel-metadata", f"{found}contextId arrives there", how)
        elif "." in name and folder is not None:
            yield from _own(name, folder)
    if any("cvg" in name.lower() for name in channels) and "cvg_body" not in str(metadata_keys):
        found = "VIER's channel puts metadata under cvg_body, and PS7_METADATA_KEYS names no path "
        found += "there"
        how = "set PS7_METADATA_KEYS='[\"cvg_body.contextId\"]', or where it is in that body"
        yield caution("channel-path", found, how)
    if table(channels.get("socketio")).get("session_persistence") is True and not bot.is_calm:
        found = "socketio has `session_persistence: true`: with python-socketio 5.10 or newer, "
        found += "which Rasa 3.6.21 brings, no answer arrives"
        how = "install python-socketio<5.10 where Rasa runs, or set it to false"
        yield caution("socketio-persistence", found, how)


def _own(path: str, folder: Path) -> Iterator[Finding]:
    """Check a channel that credentials.yml names by its class, by the class's source."""
    module, _, name = path.rpartition(".")
    try:
        source = folder.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
        nodes = ast.parse(source).body
    except (OSError, SyntaxError, ValueError):
        return  # installed, or for Rasa to complain of
    classes = {each.name: each for each in nodes if isinstance(each, ast.ClassDef)}
    methods: dict[str, ast.AST] = {}
    while (made := classes.pop(name, None)) is not None:
        methods = {**_methods(made), **methods}
        bases = [ast.unparse(base).rpartition(".")[2] for base in made.bases]
        name = next((base for base in bases if base in classes or base in _BY_BASE), "")
    channel = _BY_BASE.get(name)
    metadata = methods.get("get_metadata")
    if isinstance(metadata, ast.AsyncFunctionDef):
        found = f"{path}: Rasa does not await get_metadata, so that no message is answered"
        how = "make it a plain method; what has to wait belongs into `blueprint`"
        yield error("channel-async", found, how)
    if channel is None or "blueprint" in methods:
        return
    if metadata is None or not channel.asks:
        does = "has no get_metadata" if channel.asks else f"{channel.base} calls no get_metadata"
        yield caution("channel-metadata", f"{path}: {does}: no contextId arrives", channel.advice)
    if (
        metadata is not None
        and channel.base == "SlackInput"
        and "super(" not in ast.unparse(metadata)
    ):
        found = f"{path}: get_metadata leaves out what Slack's own returns: Rasa answers HTTP 500"
        yield caution("channel-metadata", found, channel.advice)
    if not channel.authenticates:
        found = f"{path}: {channel.base} takes posts of anybody, who then is any customer"
        how = "override `blueprint` and verify the service's signature, or let the metadata be a "
        yield caution(
            "channel-unsigned", found, f"{how}signed arrival: PS7_ARRIVAL_KEYS{_VERIFIED}"
        )


def _methods(made: ast.ClassDef) -> dict[str, ast.AST]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {each.name: each for each in made.body if isinstance(each, kinds)}
