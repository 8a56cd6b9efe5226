"""An action server that is stopped under load: every lookup that reached PS7 is answered."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from pathlib import Path

import aiohttp

from actions.ps7.testing import PERSONAS
from tests.host.conftest import seal_keys
from tests.host.loopback import Server, http
from tests.support.action_server import ActionServer
from tests.support.dialogue import LOOK_UP, Dialogue

USERS = 24
SLOWLY = 0.6
"""Seconds that PS7 takes for an answer: long enough that the signal comes in the middle."""


class Load:
    """Users who send turn after turn, each with a contextId of its own."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        """What came back, by contextId; a call that was not answered is not in it."""

    async def user(self, number: int, server: ActionServer) -> None:
        """Send one turn after another, each over a connection of its own, until none is taken.

        Over a connection that is kept open the host goes on to serve whatever comes, for 15 s.
        """
        for turn in itertools.count():
            context_id, dialogue = f"user-{number}-turn-{turn}", Dialogue()
            try:
                async with server.connect() as connection:
                    status, answer = await connection.post(
                        dialogue.call(LOOK_UP, {"contextId": context_id})
                    )
            except aiohttp.ClientError:
                return
            slots = {event["name"]: event["value"] for event in answer.get("events", ())}
            self.outcomes[context_id] = f"{status} {slots.get('ps7_status')}"

    def is_on(self, ps7: Server) -> bool:
        """Whether every user was answered once and others wait for PS7."""
        return len(self.outcomes) >= USERS and len(ps7.heard) > len(self.outcomes)


def looked_up(ps7: Server) -> list[str]:
    """Return the contextIds of the lookups that reached PS7."""
    return [json.loads(request.partition(b"\r\n\r\n")[2])["contextId"] for request in ps7.heard]


async def test_no_turn_is_lost(tmp_path: Path) -> None:
    """SIGTERM comes while PS7 takes its time: every lookup that reached PS7 ends in an answer.

    What the host has not read yet when it stops listening is the host's to drop: Rasa sends such a
    call again, or says that it failed. No lookup of ours had begun for it.
    """
    answer = http(json.dumps(PERSONAS["ana"].answer).encode())
    async with Server([b"", answer], pause=SLOWLY) as ps7:
        server = await ActionServer.start(
            Path(sys.executable),
            tmp_path / "server.log",
            PS7_BASE_URL=ps7.url,
            PS7_USERNAME="u",
            PS7_PASSWORD="p",
            PS7_SEAL_KEYS=seal_keys(),
        )
        load = Load()
        users = [asyncio.create_task(load.user(number, server)) for number in range(USERS)]
        try:
            for _ in range(2000):
                await asyncio.sleep(0.01)
                if load.is_on(ps7):
                    break
            exit_code = await server.stop()
            await asyncio.wait_for(asyncio.gather(*users), 20)
        finally:
            await server.process.kill()

        reached = looked_up(ps7)
    assert exit_code == 0
    assert len(reached) > USERS
    assert {context_id: load.outcomes.get(context_id) for context_id in reached} == dict.fromkeys(
        reached, "200 ok"
    )
    assert server.process.complaints == []
