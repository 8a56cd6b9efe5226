"""Users of the bot that Compose runs: each asks for a balance, again and again."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from actions.ps7.conversation.arrival import sign

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

URL = "https://localhost:8443/webhooks/rest/webhook"
ANSWER = "O saldo da conta"
LATE = 3.0
"""Seconds that a turn may take. A call that a server does not answer costs one more, or six."""


class Turn(NamedTuple):
    """One message and what became of it."""

    sender: str
    began: float
    ended: float
    said: str
    """`answered`, or what came instead of an answer."""


class Summary(NamedTuple):
    """What users noticed in some time."""

    told: Counter[str]
    limit: float
    late: int
    longest: float
    silence: float
    """Seconds: the longest time in which nobody was answered."""

    @classmethod
    def of(cls, turns: Iterable[Turn], limit: float = LATE) -> Summary:
        """Count turns, and those that took longer than some seconds."""
        turns = sorted(turns, key=lambda turn: turn.ended)
        took = [turn.ended - turn.began for turn in turns]
        answered = [turn.ended for turn in turns if turn.said == "answered"]
        gaps = (after - before for before, after in pairwise(answered))
        told = Counter(turn.said for turn in turns)
        late = sum(each > limit for each in took)
        return cls(told, limit, late, max(took), max(gaps))

    def __str__(self) -> str:
        return (
            f"{dict(self.told)}, {self.late} over {self.limit:.1f} s, "
            f"the longest {self.longest:.1f} s; "
            f"nobody was answered for {self.silence:.1f} s"
        )


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
            self.turns.append(Turn(sender, began, time.monotonic(), told))
            token = None
            await asyncio.sleep(1)
