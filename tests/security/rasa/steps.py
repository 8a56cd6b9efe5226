"""An attack on a bot in a real Rasa: a victim whom it knows, an attacker, and what each can do."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from actions.ps7.dialogue.arrival import sign
from actions.ps7.testing import PERSONAS
from tests.conversation.cast import ARRIVAL_KEYS
from tests.conversation.talking import Chat, RunningBot

_AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session


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

    @property
    def asks(self) -> str:
        """What the bot answers to the right person only."""
        return "quem sou eu" if self.name == "kiosk" else "qual meu saldo"

    def arrival(self, who: str, chat: Chat) -> dict[str, object]:
        """Return the metadata by which the bank's own channel brings a customer."""
        context_id, signed = PERSONAS[who].context_id, self.name == "guarded_bot"
        key = ARRIVAL_KEYS[0]
        return {"contextId": sign(key, context_id, chat.sender) if signed else context_id}

    async def victim(self) -> Chat:
        """Begin the victim's own conversation."""
        chat = self.bot.chat()
        await chat.say("oi", self.arrival("ana", chat))
        return chat


Step = Callable[[Attempt], Awaitable[object]]


def arrives(who: str) -> Step:
    """Let the bank's own channel bring a customer into the attacker's conversation."""
    return lambda attempt: attempt.chat.say("oi", attempt.arrival(who, attempt.chat))


async def arrives_again(attempt: Attempt) -> None:
    """Let it bring the victim, and the attacker read what the bot says."""
    attempt.heard += await attempt.chat.say("oi", attempt.arrival("ana", attempt.chat))


async def copies_the_token(attempt: Attempt) -> None:
    """Send what brought the victim, seen on its way."""
    stolen = attempt.arrival("ana", await attempt.victim())
    attempt.heard += await attempt.chat.say("tchau", stolen)


def says(text: str, **metadata: object) -> Step:
    """Write a message, with any metadata."""

    async def step(attempt: Attempt) -> None:
        attempt.heard += await attempt.chat.say(text, metadata or None)

    return step


def means(intent: str, **entities: object) -> Step:
    """Write a message that names its intent and entities itself."""
    return says(f"/{intent}{json.dumps(entities) if entities else ''}")


def executes(action: str) -> Step:
    """Run an action that no rule asked for."""

    async def step(attempt: Attempt) -> None:
        attempt.heard += await attempt.chat.execute(action)

    return step


def posts(*events: Mapping[str, object]) -> Step:
    """Add events to the tracker."""
    return lambda attempt: attempt.chat.post(*events)


def slot_events(**slots: object) -> tuple[dict[str, object], ...]:
    """Return the events that set these slots."""
    return tuple({"event": "slot", "name": name, "value": slots[name]} for name in slots)


def restores_the_slots_after(tried: Step) -> Step:
    """Write them as they were before, the seal included."""

    async def step(attempt: Attempt) -> None:
        before = await attempt.chat.slots()
        await tried(attempt)
        await attempt.chat.post(*slot_events(**before))

    return step


async def pauses(attempt: Attempt) -> None:
    """Write nothing for so long that the next message opens a session."""
    await attempt.chat.let_pass(_AN_HOUR)


async def takes_the_victims_place(attempt: Attempt) -> None:
    """Write under the victim's sender id, in her conversation that goes on."""
    attempt.chat = attempt.bot.chat((await attempt.victim()).sender)
