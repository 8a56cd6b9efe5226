"""Three action servers, the simulator of PS7, and the conversations that attacks begin with.

unsigned   PS7_ARRIVAL_KEYS is not set: every contextId counts
signed     it is set: a contextId counts inside an arrival token only; seals of `unsigned` count
rotated    the seal keys of the two others were retired here
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

from actions.ps7.testing import Simulator
from tests.faults.secrets import found
from tests.security import planted
from tests.security.conversation import Conversation
from tests.security.planted import CONTEXT_IDS, CUSTOMERS
from tests.security.setups import SETUPS, arrives
from tests.security.steps import Step
from tests.security.values import BRIEF, SIGNED, UNSIGNED
from tests.support.action_server import ActionServer, Connection
from tests.support.processes import ROOT

ROTATED = "rotated"
_SETTINGS: dict[str, dict[str, list[str]]] = {
    UNSIGNED: {"PS7_SEAL_KEYS": [planted.OLDER_SEAL_KEY]},
    SIGNED: {
        "PS7_SEAL_KEYS": [planted.SEAL_KEY, planted.OLDER_SEAL_KEY],
        "PS7_ARRIVAL_KEYS": [planted.ARRIVAL_KEY, planted.OLDER_ARRIVAL_KEY],
    },
    ROTATED: {"PS7_SEAL_KEYS": [planted.ROTATED_SEAL_KEY]},
}
_CONNECTIONS = 4
_WITNESS = Path(__file__).parent / "data"


class Servers:
    """The servers, the conversations that attacks begin with, and those of other customers."""

    def __init__(self, ps7: Simulator, scratch: Path) -> None:
        """Take the simulator, and a folder for logs."""
        self.ps7 = ps7
        self.elsewhere: dict[str, Conversation] = {}
        """A conversation of each customer, at `unsigned`, that no attack begins with."""
        self._scratch = scratch
        self._servers: dict[str, ActionServer] = {}
        self._connections: dict[str, Iterator[Connection]] = {}
        self._kept = AsyncExitStack()
        self._setups: dict[tuple[str, str], Conversation] = {}
        self._read = dict.fromkeys(_SETTINGS, 0)

    async def start(self) -> None:
        """Start the servers, and play every setup."""
        for who, customer in CUSTOMERS.items():
            brief = {"expireIn": BRIEF} if who == "bruno" else {}
            self.ps7.answer(CONTEXT_IDS[who], body={**customer.answer, **brief})
        self.ps7.answer(CONTEXT_IDS["refused"], status=400)
        await asyncio.gather(*map(self._start, _SETTINGS))
        for who in CUSTOMERS:
            self.elsewhere[who] = await self._played(UNSIGNED, [arrives(who)])
        for server in (UNSIGNED, SIGNED):
            for name, setup in SETUPS.items():
                self._setups[server, name] = await self._played(server, setup.steps)
        await asyncio.sleep(BRIEF)
        self.ps7.answer(CONTEXT_IDS["bruno"], body=CUSTOMERS["bruno"].answer)

    async def stop(self) -> None:
        """Stop everything that was started."""
        await self._kept.aclose()
        await asyncio.gather(*(server.process.kill() for server in self._servers.values()))
        complaints = [server.process.complaints for server in self._servers.values()]
        assert not any(complaints), complaints

    def set_up(self, name: str, server: str, set_up_on: str = "") -> Conversation:
        """Return a conversation to attack. It may have been set up on another server."""
        conversation = self._setups[set_up_on or server, name].copy()
        conversation.server = server
        return conversation

    async def send(self, server: str, call: dict[str, Any]) -> dict[str, Any]:
        """Call a server over one of the connections that are kept open."""
        return await next(self._connections[server]).send(call)

    def leaks(self) -> list[str]:
        """Return the secrets that the servers logged since the last time."""
        said = ""
        for name, server in self._servers.items():
            with server.process.log.open(errors="replace") as log:
                log.seek(self._read[name])
                said += log.read()
                self._read[name] = log.tell()
        return found(planted.SECRETS, said)

    async def _start(self, name: str) -> None:
        keys: dict[str, Any] = {key: json.dumps(value) for key, value in _SETTINGS[name].items()}
        server = self._servers[name] = await ActionServer.start(
            Path(sys.executable),
            self._scratch / f"{name}.log",
            actions="witness",
            **{**self.ps7.environment, **keys, "PYTHONPATH": f"{ROOT}:{_WITNESS}"},
        )
        kept = [await self._kept.enter_async_context(server.connect()) for _ in range(_CONNECTIONS)]
        self._connections[name] = cycle(kept)

    async def _played(self, server: str, steps: Iterable[Step]) -> Conversation:
        conversation = Conversation(self, server)
        for step in steps:
            await step(conversation)
        return conversation
