"""How a test talks to a running bot, over Rasa's own HTTP interface.

It sends texts and reads slots, and knows neither the bots nor the plugin. What the test kit does
too has the kit's name here; `say` is the kit's `user`, of whom only the texts come back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from actions.ps7.testing import Simulator

_OVER = 61 * 60.0
"""Seconds: after an hour of silence, Rasa opens a new session."""
_ALL = "tracker?include_events=ALL"
_AGE = """
    UPDATE events SET data = json_set(data, '$.timestamp', json_extract(data, '$.timestamp') - ?)
    WHERE sender_id = ? AND type_name != 'session_started'
"""
"""Rasa adds events to a database and replaces none, so this has to. The column `timestamp`, by
which Rasa finds the newest session, stays as it is."""


@dataclass(frozen=True)
class Chat:
    """One user of one bot, over Rasa's REST channel: a new one, or the sender who is named."""

    _http: aiohttp.ClientSession
    _rasa_url: str
    sender: str = field(default_factory=lambda: uuid4().hex)
    _database: Path | None = None
    """Where Rasa keeps the conversation, if the file is there: or it is in Rasa's memory."""

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
        parts: list[dict[str, Any]] = await self._ask("POST", "/webhooks/rest/webhook", message)
        return parts

    async def slots(self) -> dict[str, Any]:
        """Return every slot as the tracker has it now."""
        tracker = await self._of_mine("GET", "tracker?include_events=NONE")
        slots: dict[str, Any] = tracker["slots"]
        return slots

    async def events(self) -> list[dict[str, Any]]:
        """Return all events of the tracker."""
        events: list[dict[str, Any]] = (await self._of_mine("GET", _ALL))["events"]
        return events

    async def write(self, event: Mapping[str, object], over: str = "latest") -> tuple[int, str]:
        """Let a desk write over a channel; return the status, and why it is not 200."""
        url = f"{self._rasa_url}/conversations/{self.sender}/tracker/events"
        query = {"output_channel": over, "execute_side_effects": "true"}
        said = {"event": "bot", "data": {}, "metadata": {}, **event}
        async with self._http.post(url, params=query, json=said) as answer:
            return answer.status, (await answer.json()).get("message", "").partition("Error: ")[2]

    async def happens(self, *events: Mapping[str, object]) -> None:
        """Add events to the tracker, as a form, another action or an attacker might."""
        await self._of_mine("POST", "tracker/events", events)

    async def expire_session(self) -> None:
        """Make everything said so far older, as if nothing had been typed since.

        What opened a session keeps its time: that is what a session is known by.
        """
        if self._database is not None and self._database.exists():
            with closing(sqlite3.connect(self._database)) as database, database:
                database.execute(_AGE, (_OVER, self.sender))
            return
        events = await self.events()
        for event in events:
            if event["event"] != "session_started":
                event["timestamp"] -= _OVER
        await self._of_mine("PUT", "tracker/events", events)

    async def run(self, action: str) -> list[str]:
        """Run an action that no rule asked for, and return what it says."""
        said = await self._of_mine("POST", "execute", {"name": action})
        return [part["text"] for part in said["messages"]]

    async def _of_mine(self, method: str, what: str, sent: object = None) -> Any:  # noqa: ANN401 - JSON
        return await self._ask(method, f"/conversations/{self.sender}/{what}", sent)

    async def _ask(self, method: str, page: str, sent: object) -> Any:  # noqa: ANN401 - JSON
        async with self._http.request(method, f"{self._rasa_url}{page}", json=sent) as answer:
            answer.raise_for_status()
            return await answer.json()


@dataclass(frozen=True)
class RunningBot:
    """A bot that answers."""

    http: aiohttp.ClientSession
    url: str
    model: Path
    database: Path | None = None

    def chat(self, sender: str | None = None) -> Chat:
        """Return the conversation of a new user, or of anyone who claims this sender id."""
        return Chat(self.http, self.url, sender or uuid4().hex, self.database)


@asynccontextmanager
async def down(ps7: Simulator) -> AsyncIterator[None]:
    """Let PS7 be unreachable for a while."""
    await ps7.stop()
    try:
        yield
    finally:
        await ps7.start()
