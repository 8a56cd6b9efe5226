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


async def user(number: int, server: ActionServer, outcomes: dict[str, str]) -> None:
    """Send one turn after another, each over a connection of its own, until none is taken.

    Over a connection that is kept open the host goes on to serve whatever comes, for 15 s.
    """
    for turn in itertools.count():
        context_id, dialogue = f"user-{number}-turn-{turn}", Dialogue()
        try:
            async with server.connect() as connection:
                call = dialogue.call(LOOK_UP, {"contextId": context_id})
                status, answer = await connection.post(call)
        except aiohttp.ClientError:
            return
        slots = {event["name"]: event["value"] for event in answer.get("events", ())}
        outcomes[context_id] = f"{status} {slots.get('ps7_status')}"


async def test_no_turn_is_lost(tmp_path: Path) -> None:
    """SIGTERM comes while PS7 takes its time: every lookup that reached PS7 ends in an answer.

    What the host has not read yet when it stops listening is the host's to drop: Rasa sends such a
    call again, or says that it failed. No lookup had begun for it.
    """
    outcomes: dict[str, str] = {}
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
        users = [asyncio.create_task(user(each, server, outcomes)) for each in range(USERS)]
        try:
            for _ in range(2000):
                await asyncio.sleep(0.01)
                # Every user was answered once, and others wait for PS7.
                if USERS <= len(outcomes) < len(ps7.heard):
                    break
            exit_code = await server.stop()
            await asyncio.wait_for(asyncio.gather(*users), 20)
        finally:
            await server.process.kill()

        bodies = [request.partition(b"\r\n\r\n")[2] for request in ps7.heard]
    reached = [json.loads(body)["contextId"] for body in bodies]
    assert (exit_code, server.process.complaints) == (0, [])
    assert len(reached) > USERS
    assert {each: outcomes.get(each) for each in reached} == dict.fromkeys(reached, "200 ok")
