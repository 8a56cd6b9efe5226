"""Users of the bot that Compose runs: each asks for a balance, again and again."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections import Counter
from itertools import count, cycle, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from actions.ps7.conversation.arrival import sign

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from pathlib import Path

URL = "https://localhost:8443/webhooks/rest/webhook"
ACCOUNTS = {"ana": "00123456", "diego": "00900019"}
"""Whose account is whose. A balance names it."""
ANSWERED, WRONG, NOTHING = "answered", "WRONG", "nothing"
IN_TURN, TURNS = 4, 5
"""Messages of a customer until the next one comes to the same place, and of a conversation."""
LATE = 3.0
"""Seconds that a turn may take. A call that a server does not answer costs one more, or six."""


PLACES, APPS = ("kiosk-1", "kiosk-2"), ("app-1", "app-2")


class Turn(NamedTuple):
    """One message and what became of it."""

    sender: str
    began: float
    ended: float
    said: str
    """What `judged` says of it."""


def judged(said: str, customer: str) -> str:
    """Return `answered`, `WRONG` if it is another customer's, or what came instead."""
    named = [name for name, account in ACCOUNTS.items() if account in said]
    if named:
        return ANSWERED if named == [customer] else WRONG
    return said or NOTHING


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
        answered = [turn.ended for turn in turns if turn.said == ANSWERED]
        gaps = (after - before for before, after in pairwise(answered))
        told = Counter(turn.said for turn in turns)
        late = sum(each > limit for each in took)
        return cls(told, limit, late, max(took), max(gaps, default=0))

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
        self.numbers = count(int(time.time()))
        """Of conversations: no sender id comes again."""

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

    async def turn(self, sender: str, customer: str, *, brings: bool) -> str:
        """Ask as a customer, with the contextId or without; a second later, return what came."""
        began = time.monotonic()
        try:
            said = await self.ask(sender, self.token(customer, sender) if brings else None)
            told = judged(said, customer)
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            told = type(error).__name__
        self.turns.append(Turn(sender, began, time.monotonic(), told))
        await asyncio.sleep(1)
        return told

    async def in_turn(self, place: str) -> None:
        """Two customers in turn with one sender id: the contextId in every message."""
        while True:
            sender = f"{place}-{next(self.numbers)}"
            for customer in (*ACCOUNTS, *ACCOUNTS):
                for _ in range(IN_TURN):
                    await self.turn(sender, customer, brings=True)

    async def alone(self, place: str) -> None:
        """A sender id for each customer: the contextId comes first, and again after no answer."""
        for customer in cycle(ACCOUNTS):
            sender, told = f"{place}-{next(self.numbers)}", NOTHING
            for _ in range(TURNS):
                brings = told not in {ANSWERED, WRONG} and " " not in told
                told = await self.turn(sender, customer, brings=brings)

    def all(self) -> list[Coroutine[Any, Any, None]]:
        """Return all users, who talk until they are cancelled."""
        return [self.in_turn(place) for place in PLACES] + [self.alone(place) for place in APPS]
