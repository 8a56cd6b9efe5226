"""An attack on a bot in a real Rasa: a victim whom it knows, an attacker, and what each can do.

It knows how they act, and not what is tried.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from actions.ps7.dialogue.arrival import sign
from actions.ps7.testing import PERSONAS
from tests.conversation.cast import ARRIVAL_KEYS
from tests.conversation.talking import Chat, RunningBot

Step = Callable[["Attempt"], Awaitable[None]]
Brings = Callable[["Attempt"], Awaitable[Mapping[str, object]]]

VICTIM = PERSONAS["ana"]
"""Authenticated, with a valid token: a customer who may see a balance."""


_AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session


class Words(NamedTuple):
    """What one says to a bot."""

    hello: str
    sensitive: str
    """What it answers to the right person alone."""


_AT_THE_BANK = Words("oi", "qual meu saldo")
WORDS = {
    "oss_bot": _AT_THE_BANK,
    "guarded_bot": _AT_THE_BANK,
    "start_bot": _AT_THE_BANK,
    "forgetful_start_bot": _AT_THE_BANK,
    "kiosk": Words("quem sou eu", "quem sou eu"),
}
"""By the name of the bot."""


@dataclass
class Attempt:
    """One attack under way."""

    name: str
    """Of the bot."""
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
        """Return the victim's own conversation, which has begun."""
        if self._victim is None:
            self._victim = self.bot.chat()
            await self._victim.say(self.words.hello, self.arrival(VICTIM.name, self._victim))
        return self._victim

    def arrival(self, who: str, chat: Chat) -> dict[str, object]:
        """Return the metadata by which the bank's own channel brings a customer."""
        context_id = PERSONAS[who].context_id
        if self.name != "guarded_bot":
            return {"contextId": context_id}
        return {"contextId": sign(ARRIVAL_KEYS[0], context_id, chat.sender)}


# -- what an attacker brings along ----------------------------------------------------------------


def carries(**metadata: object) -> Brings:
    """Return metadata, as they stand here."""

    async def bring(_: Attempt) -> Mapping[str, object]:
        return metadata

    return bring


async def what_the_victim_brought(attempt: Attempt) -> Mapping[str, object]:
    """Return the token that brought the victim, seen on its way."""
    return attempt.arrival(VICTIM.name, await attempt.victim())


async def what_brought_her_here(attempt: Attempt) -> Mapping[str, object]:
    """Return what the bank's own channel sends for the victim in this conversation."""
    return attempt.arrival(VICTIM.name, attempt.chat)


# -- what is done ---------------------------------------------------------------------------------


def arrives(who: str) -> Step:
    """Let the bank's own channel bring a customer into the attacker's conversation."""

    async def step(attempt: Attempt) -> None:
        await attempt.chat.say(attempt.words.hello, attempt.arrival(who, attempt.chat))

    return step


def says(text: str, brings: Brings | None = None) -> Step:
    """Write a message, with any metadata."""

    async def step(attempt: Attempt) -> None:
        metadata = await brings(attempt) if brings else None
        attempt.heard += await attempt.chat.say(text, metadata)

    return step


def means(intent: str, **entities: object) -> Step:
    """Write a message that names its intent and entities itself."""
    return says(f"/{intent}{json.dumps(entities) if entities else ''}")


def executes(action: str) -> Step:
    """Run an action that no rule asked for."""

    async def step(attempt: Attempt) -> None:
        attempt.heard += await attempt.chat.execute(action)

    return step


def triggers(intent: str, **entities: object) -> Step:
    """Let Rasa go on as if the user had said so."""

    async def step(attempt: Attempt) -> None:
        attempt.heard += await attempt.chat.trigger(intent, entities)

    return step


def posts(*events: Mapping[str, object]) -> Step:
    """Add events to the tracker."""

    async def step(attempt: Attempt) -> None:
        await attempt.chat.post(*events)

    return step


def slot_events(**slots: object) -> tuple[dict[str, object], ...]:
    """Return the events that set these slots."""
    return tuple({"event": "slot", "name": name, "value": slots[name]} for name in slots)


def restores_the_slots_after(*tried: Step) -> Step:
    """Write them as they were before, the seal included."""

    async def step(attempt: Attempt) -> None:
        before = await attempt.chat.slots()
        for one in tried:
            await one(attempt)
        await attempt.chat.post(*slot_events(**before))

    return step


async def pauses(attempt: Attempt) -> None:
    """Write nothing for so long that the next message opens a session."""
    await attempt.chat.let_pass(_AN_HOUR)


async def takes_the_victims_place(attempt: Attempt) -> None:
    """Write under the victim's sender id, in her conversation that goes on."""
    attempt.chat = attempt.bot.chat((await attempt.victim()).sender)
