"""How a test talks to a running bot, over Rasa's own HTTP interface.

It sends texts and reads slots, and knows neither the bots nor the plugin.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from actions.ps7.testing import Simulator

AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session
_AGE = """
    UPDATE events SET data = json_set(data, '$.timestamp', json_extract(data, '$.timestamp') - ?)
    WHERE sender_id = ? AND type_name != 'session_started'
"""
"""Rasa adds events to a database and replaces none, so `let_pass` has to. The column `timestamp`,
by which Rasa finds the newest session, stays as it is."""


class Chat:
    """One user of one bot, over Rasa's REST channel."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        rasa_url: str,
        sender: str | None = None,
        database: Path | None = None,
    ) -> None:
        """Begin a new conversation, or go on with that of a sender.

        The database is the one in which Rasa keeps it, if it is there: or it is in Rasa's memory.
        """
        self._http = http
        self._rasa_url = rasa_url
        self._database = database
        self.sender = sender or uuid4().hex

    async def say(self, text: str, metadata: Mapping[str, object] | None = None) -> list[str]:
        """Send one message and return the texts of the answers, in order."""
        answers = await self.answers(text, metadata)
        return [part["text"] for part in answers if "custom" not in part]

    async def answers(
        self, text: str, metadata: Mapping[str, object] | None = None
    ) -> list[dict[str, Any]]:
        """Send one message and return the answers as the channel has them."""
        message: dict[str, object] = {"sender": self.sender, "message": text}
        if metadata is not None:
            message["metadata"] = dict(metadata)
        url = f"{self._rasa_url}/webhooks/rest/webhook"
        async with self._http.post(url, json=message) as answer:
            answer.raise_for_status()
            parts: list[dict[str, Any]] = await answer.json()
            return parts

    async def slots(self) -> dict[str, Any]:
        """Return every slot as the tracker has it now."""
        url = f"{self._rasa_url}/conversations/{self.sender}/tracker"
        async with self._http.get(url, params={"include_events": "NONE"}) as answer:
            answer.raise_for_status()
            tracker: dict[str, Any] = await answer.json()
        slots: dict[str, Any] = tracker["slots"]
        return slots

    async def write(self, slot: str, value: object) -> None:
        """Set a slot past the bot, as a form, another action or an attacker might."""
        await self.post({"event": "slot", "name": slot, "value": value})

    async def post(self, *events: Mapping[str, object]) -> None:
        """Add events to the tracker, whatever they are."""
        url = f"{self._rasa_url}/conversations/{self.sender}/tracker/events"
        async with self._http.post(url, json=events) as answer:
            answer.raise_for_status()

    async def let_pass(self, minutes: float) -> None:
        """Make everything said so far older, as if nothing had been typed since.

        What opened a session keeps its time: that is what a session is known by.
        """
        if self._database is not None and self._database.exists():
            with closing(sqlite3.connect(self._database)) as database, database:
                database.execute(_AGE, (minutes * 60, self.sender))
            return
        url = f"{self._rasa_url}/conversations/{self.sender}/tracker"
        async with self._http.get(url, params={"include_events": "ALL"}) as answer:
            answer.raise_for_status()
            events = (await answer.json())["events"]
        aged = [
            event
            if event["event"] == "session_started"
            else event | {"timestamp": event["timestamp"] - minutes * 60}
            for event in events
        ]
        async with self._http.put(f"{url}/events", json=aged) as answer:
            answer.raise_for_status()

    async def execute(self, action: str) -> list[str]:
        """Run an action that no rule asked for, and return what it says."""
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
    database: Path | None = None

    def chat(self, sender: str | None = None) -> Chat:
        """Return the conversation of a new user, or of anyone who claims this sender id."""
        return Chat(self.http, self.url, sender, self.database)


@asynccontextmanager
async def down(ps7: Simulator) -> AsyncIterator[None]:
    """Let PS7 be unreachable for a while."""
    await ps7.stop()
    try:
        yield
    finally:
        await ps7.start()
