"""How a test talks to a running bot, over Rasa's own HTTP interface.

It hands texts and slots to and fro, and knows neither the bots nor the plugin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import aiohttp


class Chat:
    """One user of one bot, over Rasa's REST channel."""

    def __init__(self, http: aiohttp.ClientSession, rasa_url: str) -> None:
        """Begin a conversation that nobody has had before."""
        self._http = http
        self._rasa_url = rasa_url
        self.sender = uuid4().hex

    async def say(self, text: str, metadata: Mapping[str, object] | None = None) -> list[str]:
        """Send one message and give the texts of the answers, in order."""
        message: dict[str, object] = {"sender": self.sender, "message": text}
        if metadata is not None:
            message["metadata"] = dict(metadata)
        url = f"{self._rasa_url}/webhooks/rest/webhook"
        async with self._http.post(url, json=message) as answer:
            answer.raise_for_status()
            return [part["text"] for part in await answer.json()]

    async def slots(self) -> dict[str, Any]:
        """Give every slot as the tracker has it now."""
        url = f"{self._rasa_url}/conversations/{self.sender}/tracker"
        async with self._http.get(url, params={"include_events": "NONE"}) as answer:
            answer.raise_for_status()
            tracker: dict[str, Any] = await answer.json()
        slots: dict[str, Any] = tracker["slots"]
        return slots

    async def write(self, slot: str, value: object) -> None:
        """Set a slot past the bot, as a form, another action or an attacker might."""
        url = f"{self._rasa_url}/conversations/{self.sender}/tracker/events"
        event = {"event": "slot", "name": slot, "value": value}
        async with self._http.post(url, json=event) as answer:
            answer.raise_for_status()

    async def let_pass(self, minutes: float) -> None:
        """Make everything said so far older, as if nobody had typed anything since."""
        url = f"{self._rasa_url}/conversations/{self.sender}/tracker"
        async with self._http.get(url, params={"include_events": "ALL"}) as answer:
            answer.raise_for_status()
            events = (await answer.json())["events"]
        aged = [event | {"timestamp": event["timestamp"] - minutes * 60} for event in events]
        async with self._http.put(f"{url}/events", json=aged) as answer:
            answer.raise_for_status()

    async def execute(self, action: str) -> list[str]:
        """Run an action that no rule asked for, and give what it says."""
        url = f"{self._rasa_url}/conversations/{self.sender}/execute"
        async with self._http.post(url, json={"name": action}) as answer:
            answer.raise_for_status()
            return [part["text"] for part in (await answer.json())["messages"]]


@dataclass(frozen=True)
class RunningBot:
    """A bot that answers."""

    http: aiohttp.ClientSession
    url: str
    model: Path

    def chat(self) -> Chat:
        """Let a new user in."""
        return Chat(self.http, self.url)

    async def domain(self) -> dict[str, Any]:
        """Give the domain as Rasa understood it."""
        headers = {"Accept": "application/json"}
        async with self.http.get(f"{self.url}/domain", headers=headers) as answer:
            answer.raise_for_status()
            domain: dict[str, Any] = await answer.json()
            return domain
