"""How a contextId comes through each channel of credentials.yml, one of a bot's own among them.

docs/channels.md says the same: tests compare it with this table, and this with Rasa's own code.
"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, NamedTuple

from ..bot.files import Reader
from ..bot.yaml import UnreadableError, table
from ..findings import Finding, finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ..bot.content import Bot


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
        return f"Derive a channel from {self.base} whose `{method}` reads {self.reads}"


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
_BEFORE_METADATA = 6
"""Arguments of Rasa's `UserMessage`."""
_BY_BASE = {channel.base: channel for channel in CHANNELS.values()}


def check(bot: Bot, metadata_keys: Sequence[str], folder: Path | None) -> Iterator[Finding]:
    """Check whether a contextId and an answer come through; classes are looked for in `folder`."""
    channels = table(bot.credentials)
    for name in channels:
        if name in CHANNELS:
            yield finding("channel-metadata", name=name, advice=CHANNELS[name].advice)
        elif name in _OF_PRO:
            yield finding("channel-metadata:pro", name=name)
        elif "." in name and folder is not None:
            yield from _own(name, folder)
    if any("cvg" in name.lower() for name in channels) and "cvg_body" not in str(metadata_keys):
        yield finding("channel-path")
    if table(channels.get("socketio")).get("session_persistence") is True and not bot.is_calm:
        yield finding("socketio-persistence")


def _own(path: str, folder: Path) -> Iterator[Finding]:
    """Check a channel that credentials.yml names by its class, by the class's source."""
    module, _, name = path.rpartition(".")
    try:
        source = Reader([folder]).text(folder.joinpath(*module.split(".")).with_suffix(".py"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes
            nodes = ast.parse(source).body
    except (UnreadableError, SyntaxError, ValueError, RecursionError, MemoryError):
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
        yield finding("channel-async", path=path)
    if channel is None or "blueprint" in methods:
        said = _messages(methods.values())
        if said and not any(map(_has_metadata, said)):
            yield finding("channel-metadata:base", path=path)
        return
    if metadata is None or not channel.asks:
        does = "has no get_metadata" if channel.asks else f"{channel.base} calls no get_metadata"
        yield finding("channel-metadata:own", path=path, does=does, advice=channel.advice)
    elif channel.base == "SlackInput" and "super(" not in ast.unparse(metadata):
        yield finding("channel-metadata:slack", path=path, advice=channel.advice)
    if not channel.authenticates:
        yield finding("channel-unsigned", path=path, base=channel.base)


def _methods(made: ast.ClassDef) -> dict[str, ast.AST]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {each.name: each for each in made.body if isinstance(each, kinds)}


def _messages(methods: Iterable[ast.AST]) -> list[ast.Call]:
    """Return where a class hands Rasa a message."""
    every = (node for method in methods for node in ast.walk(method))
    calls = (node for node in every if isinstance(node, ast.Call))
    return [call for call in calls if ast.unparse(call.func).endswith("UserMessage")]


def _has_metadata(call: ast.Call) -> bool:
    """Whether a message gets metadata: the seventh argument, or by its name, or by a dictionary."""
    by_name = any(each.arg in {"metadata", None} for each in call.keywords)
    starred = any(isinstance(each, ast.Starred) for each in call.args)
    return by_name or starred or len(call.args) > _BEFORE_METADATA
