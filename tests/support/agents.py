"""The agents' desk before a Rasa, and two agents at it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from examples.desk import CHANNELS, SIGNALS, Desk, Rasa

JOINED, RETURNED, _ = (text.format(agent="Caio") for text in SIGNALS.values())
CAIO, LIA = ({"Agent": each, "Idempotency-Key": f"of {each}"} for each in ("Caio", "Lia"))
DELIVERED = {"delivered": True}


class Opened(TestClient[web.Request, web.Application]):
    """A desk, whose way back is to a bot."""

    def __init__(self, rasa: str, patience: float = 60, *channels: str, token: str = "") -> None:
        self.rasa = Rasa(rasa, token)
        desk = Desk("made up", self.rasa, patience, channels or CHANNELS, shown=False)
        self.tickets = desk.tickets
        authorized = {"Authorization": "Bearer made up"}
        super().__init__(TestServer(desk.application(), host="127.0.0.1"), headers=authorized)

    async def takes(self, ticket: dict[str, Any]) -> None:
        """Take it once the turn is over that handed it over: only then is Rasa paused."""
        for _ in range(100):
            if await self.rasa.since_pause(ticket["conversation"]) is not None:
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("waited 10 s: the conversation is paused")
        assert await self.gets(ticket) == 201

    async def gets(self, ticket: object, key: str = "k") -> int:
        """Let the bot hand over."""
        answer = await self.post("/handovers", json=ticket, headers={"Idempotency-Key": key})
        return answer.status

    async def does(
        self, verb: str, agent: dict[str, str], what: str = "", text: str = "", at: str = "k"
    ) -> Any:  # noqa: ANN401 - JSON
        """Return the answer, or the status of one that is none; of a failure, both."""
        body = {"text": text} if text else None
        answer = await self.request(verb, f"/handovers/{at}{what}", json=body, headers=agent)
        if answer.content_type != "application/json":
            return answer.status
        return await answer.json() if answer.ok else await answer.json() | {"status": answer.status}
