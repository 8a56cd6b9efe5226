"""The place of an attack: a bot in a real Rasa, a victim whom it knows, and an attacker.

It knows how each of them acts, and not what is tried.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import jwt

from actions.ps7.testing import PERSONAS
from tests.conversation.cast import ARRIVAL_KEYS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.conversation.talking import Chat, RunningBot

    Step = Callable[["Scene"], Awaitable[None]]
    Brings = Callable[["Scene"], Awaitable[Mapping[str, object]]]

VICTIM = PERSONAS["ana"]
"""Authenticated, with a valid token: a customer who may see a balance."""


class Words(NamedTuple):
    """What one says to a bot."""

    hello: str
    sensitive: str
    """What it answers to the right person alone."""


_AT_THE_BANK = Words("oi", "qual meu saldo")
WORDS = {
    "oss_bot": _AT_THE_BANK,
    "guarded_bot": _AT_THE_BANK,
    "kiosk": Words("quem sou eu", "quem sou eu"),
}
"""By the name of the bot."""


@dataclass
class Scene:
    """One attack under way."""

    name: str
    bot: RunningBot
    chat: Chat
    """The conversation of the attacker, or the one they got into."""
    heard: list[str] = field(default_factory=list)
    """All that the attacker was told."""
    _victim: Chat | None = None

    @property
    def words(self) -> Words:
        """What one says to this bot."""
        return WORDS[self.name]

    async def victim(self) -> Chat:
        """Give the victim's own conversation, which has begun."""
        if self._victim is None:
            self._victim = self.bot.chat()
            await self._victim.say(self.words.hello, self.arrival(VICTIM.name, self._victim))
        return self._victim

    def arrival(self, who: str, chat: Chat) -> dict[str, object]:
        """Give the metadata with which the bank's own channel lets somebody into a conversation."""
        context_id = PERSONAS[who].context_id
        has_door = self.name == "guarded_bot"
        return {"contextId": token(context_id, chat.sender) if has_door else context_id}


def token(
    context_id: str,
    sender_id: str,
    *,
    key: str = ARRIVAL_KEYS[0],
    algorithm: str = "HS256",
    made: int = 0,
    seconds: int = 60,
) -> str:
    """Make an arrival token, as the bank's back-end does; `made` is in seconds from now."""
    made += int(time.time())
    claims = {"contextId": context_id, "sub": sender_id, "iat": made, "exp": made + seconds}
    return jwt.encode(claims, key, algorithm)


# -- what an attacker brings along ----------------------------------------------------------------


def carries(**metadata: object) -> Brings:
    """Metadata, as they stand here."""

    async def bring(_: Scene) -> Mapping[str, object]:
        return metadata

    return bring


def forges(**how: object) -> Brings:
    """A token for this conversation, made in a way of the attacker's own."""

    async def bring(scene: Scene) -> Mapping[str, object]:
        made = token(VICTIM.context_id, scene.chat.sender, **how)  # type: ignore[arg-type] # any way
        return {"contextId": made}

    return bring


async def what_the_victim_brought(scene: Scene) -> Mapping[str, object]:
    """The token that let the victim in, seen on its way."""
    return scene.arrival(VICTIM.name, await scene.victim())


# -- what is done ---------------------------------------------------------------------------------


def arrives(who: str) -> Step:
    """Let the bank's own channel bring somebody into the attacker's conversation."""

    async def step(scene: Scene) -> None:
        await scene.chat.say(scene.words.hello, scene.arrival(who, scene.chat))

    return step


def says(text: str, brings: Brings | None = None) -> Step:
    """Write a message, with whatever metadata."""

    async def step(scene: Scene) -> None:
        metadata = await brings(scene) if brings else None
        scene.heard += await scene.chat.say(text, metadata)

    return step


def means(intent: str, **entities: object) -> Step:
    """Write a message that names its intent and entities itself."""
    return says(f"/{intent}{json.dumps(entities) if entities else ''}")


def executes(action: str) -> Step:
    """Have an action run that no rule asked for."""

    async def step(scene: Scene) -> None:
        scene.heard += await scene.chat.execute(action)

    return step


def triggers(intent: str, **entities: object) -> Step:
    """Have Rasa go on as if the user had said so."""

    async def step(scene: Scene) -> None:
        scene.heard += await scene.chat.trigger(intent, entities)

    return step


def posts(*events: Mapping[str, object]) -> Step:
    """Add events to the tracker."""

    async def step(scene: Scene) -> None:
        await scene.chat.post(*events)

    return step


def sets(**slots: object) -> tuple[dict[str, object], ...]:
    """Name the events that set these slots."""
    return tuple({"event": "slot", "name": name, "value": slots[name]} for name in slots)


def copies(*names: str) -> Step:
    """Set slots to what they are in the victim's conversation."""

    async def step(scene: Scene) -> None:
        slots = await (await scene.victim()).slots()
        await scene.chat.post(*sets(**{name: slots[name] for name in names}))

    return step


def restores_the_slots_after(*tried: Step) -> Step:
    """Write them as they were before, the seal included."""

    async def step(scene: Scene) -> None:
        before = await scene.chat.slots()
        for one in tried:
            await one(scene)
        await scene.chat.post(*sets(**before))

    return step


async def lets_an_hour_pass(scene: Scene) -> None:
    """Come back when Rasa opens a new session."""
    await scene.chat.let_pass(61)


async def takes_the_victims_place(scene: Scene) -> None:
    """Write under the victim's sender id, in her conversation that goes on."""
    scene.chat = scene.bot.chat((await scene.victim()).sender)
