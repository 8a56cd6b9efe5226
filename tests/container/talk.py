"""Users of the bot that Compose runs: each asks for a balance, again and again."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from actions.ps7.conversation.arrival import sign

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://localhost:8443/webhooks/rest/webhook"
ANSWER = "O saldo da conta"


class Turn(NamedTuple):
    """One message and what became of it."""

    sender: str
    seconds: float
    said: str
    """`answered`, or what came instead of an answer."""


class Talk:
    """Users who ask over https and the proxy."""

    def __init__(self, deploy: Path) -> None:
        self._trust = ssl.create_default_context(cafile=deploy / "secrets" / "tls" / "ca.crt")
        self._keys = deploy / "secrets" / "ps7" / "PS7_ARRIVAL_KEYS"
        self.turns: list[Turn] = []

    def token(self, context_id: str, sender: str) -> str:
        """Sign a contextId, as the back-end does."""
        return sign(json.loads(self._keys.read_text())[0], context_id, sender)

    async def ask(self, sender: str, token: str | None) -> str:
        """Send one message; return all that the bot says."""
        metadata = {"metadata": {"contextId": token}} if token else {}
        message: dict[str, Any] = {"sender": sender, "message": "qual meu saldo", **metadata}
        limit = aiohttp.ClientTimeout(total=60)
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.post(URL, json=message, ssl=self._trust) as answer,
        ):
            said = await answer.json(content_type=None) if answer.ok else answer.status
        return (
            " ".join(each.get("text", "") for each in said) if isinstance(said, list) else str(said)
        )

    async def go_on(self, sender: str) -> None:
        """Ask again and again, one turn a second: the token once, and then without."""
        token: str | None = self.token("ana", sender)
        while True:
            began = time.monotonic()
            try:
                said = await self.ask(sender, token)
            except (aiohttp.ClientError, asyncio.TimeoutError) as error:
                said = type(error).__name__
            told = "answered" if ANSWER in said else said or "nothing"
            self.turns.append(Turn(sender, time.monotonic() - began, told))
            token = None
            await asyncio.sleep(1)
