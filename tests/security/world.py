"""Where attacks happen: three action servers, a stand-in for PS7, and other customers.

open       PS7_ARRIVAL_KEYS is not set: every contextId counts
door       it is set: a contextId counts inside a signed token only; seals of `open` open here
rotated    the seal keys of the two others were retired here
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.secrets import found
from tests.security import planted
from tests.security.planted import CONTEXT_IDS, CUSTOMERS
from tests.security.scenes import SCENES, arrives
from tests.security.talk import Talk
from tests.security.tokens import LONGEST, token
from tests.support.action_server import ActionServer
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from actions.ps7.testing import Simulator
    from tests.security.scenes import Step
    from tests.support.action_server import Connection

OPEN, DOOR, ROTATED = "open", "door", "rotated"
_SETTINGS: dict[str, dict[str, list[str]]] = {
    OPEN: {"PS7_SEAL_KEYS": [planted.OLDER_SEAL_KEY]},
    DOOR: {
        "PS7_SEAL_KEYS": [planted.SEAL_KEY, planted.OLDER_SEAL_KEY],
        "PS7_ARRIVAL_KEYS": [planted.ARRIVAL_KEY, planted.OLDER_ARRIVAL_KEY],
    },
    ROTATED: {"PS7_SEAL_KEYS": [planted.ROTATED_SEAL_KEY]},
}
_BRIEF = 2
"""Seconds for which Bruno's first context holds."""
_CONNECTIONS = 4
_WITNESS = Path(__file__).parent / "data"


@dataclass(repr=False)
class World:
    """The servers, the conversations that attacks begin with, and those of other customers."""

    ps7: Simulator
    scratch: Path
    servers: dict[str, ActionServer] = field(default_factory=dict)
    elsewhere: dict[str, Talk] = field(default_factory=dict)
    """A conversation of each customer, at `open`, that no attack begins with."""
    _scenes: dict[tuple[str, str], Talk] = field(default_factory=dict)
    _connections: dict[str, Iterator[Connection]] = field(default_factory=dict)
    _kept: AsyncExitStack = field(default_factory=AsyncExitStack)
    _read: dict[str, int] = field(default_factory=dict)

    async def begin(self) -> None:
        """Start the servers and play every scene."""
        for who, customer in CUSTOMERS.items():
            brief = {"expireIn": _BRIEF} if who == "bruno" else {}
            self.ps7.answer(CONTEXT_IDS[who], body={**customer.answer, **brief})
        self.ps7.answer(CONTEXT_IDS["nobody"], status=400)
        await asyncio.gather(*(self._start(name) for name in _SETTINGS))
        for who in CUSTOMERS:
            self.elsewhere[who] = await self._played(OPEN, [arrives(who)])
        for server in (OPEN, DOOR):
            for name in SCENES:
                self._scenes[server, name] = await self.played(server, name)
        await asyncio.sleep(_BRIEF)
        self.ps7.answer(CONTEXT_IDS["bruno"], body=CUSTOMERS["bruno"].answer)

    async def end(self) -> None:
        """Stop everything that was started."""
        await self._kept.aclose()
        await asyncio.gather(*(server.process.kill() for server in self.servers.values()))

    def scene(self, server: str, name: str) -> Talk:
        """Give a conversation to attack."""
        return self._scenes[server, name].copy()

    async def played(self, server: str, name: str) -> Talk:
        """Give the same with a user whom nobody has met before."""
        return await self._played(server, SCENES[name].steps)

    def channel_sends(self, talk: Talk, server: str, who: str) -> object:
        """Give what a channel that means no harm sends for a customer of this conversation."""
        # Bruno's token is over with his context, so that both can be attacked.
        made = _BRIEF - LONGEST if who == "bruno" else 0.0
        return token(who, made=made)(talk, self) if server == DOOR else CONTEXT_IDS[who]

    async def run(self, talk: Talk, server: str, action: str) -> dict[str, Any]:
        """Run an action, over one of the connections that are kept open; give the slots it set."""
        return await talk.run(next(self._connections[server]).send, action)

    def leaks(self) -> list[str]:
        """Give what the servers said since the last time and should not have."""
        said = ""
        for name, server in self.servers.items():
            with server.process.log.open(errors="replace") as log:
                log.seek(self._read.get(name, 0))
                said += log.read()
                self._read[name] = log.tell()
        return found(planted.SECRETS, said)

    async def _start(self, name: str) -> None:
        keys = {variable: json.dumps(value) for variable, value in _SETTINGS[name].items()}
        settings: dict[str, Any] = {**self.ps7.environment, **keys}
        server = self.servers[name] = await ActionServer.start(
            Path(sys.executable),
            self.scratch / f"{name}.log",
            actions="witness",
            PYTHONPATH=f"{ROOT}:{_WITNESS}",
            **settings,
        )
        kept = [await self._kept.enter_async_context(server.connect()) for _ in range(_CONNECTIONS)]
        self._connections[name] = cycle(kept)

    async def _played(self, server: str, steps: Iterable[Step]) -> Talk:
        talk = Talk()
        for step in steps:
            await step(talk, self, server)
        return talk
