"""What happens in a run: users talk, and on the way an action server is killed and comes back.

Twice, with one action server each: first with nginx as it comes, then with nginx repeating action
calls whose server died.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from benchmarks.scale.users import User

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actions.ps7.testing import Simulator
    from benchmarks.scale.proxy import Call
    from benchmarks.scale.topology import Server, Topology

_AT_A_TIME = 8
_CUT_OFF = 3
"""How many calls are to be under way on a server when it is killed: one, in the middle of which it
freezes, and those that come to it after that."""
_PATIENCE = 5.0
"""Seconds to wait for them at most."""


@dataclass(frozen=True)
class Round:
    """One half of a run: its users, and the death of one action server among them."""

    users: Sequence[User]
    seconds: float
    """That somebody talked."""
    killed: str
    """Host and port of the action server that was killed."""
    killed_between: tuple[float, float]
    """The kill began and was over (monotonic clock)."""
    calls: Sequence[Call]
    """All action calls of the round."""
    back: int
    """How many of them had ended when the killed server was back."""


@dataclass
class Run:
    """All that a run gave."""

    rounds: list[Round] = field(default_factory=list)
    slots: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By the user's number, as the Rasa server has them that did not answer last."""
    lookups: int = 0
    """Requests that reached PS7."""

    @property
    def users(self) -> list[User]:
        """Everybody."""
        return [user for each in self.rounds for user in each.users]


async def play(topology: Topology, ps7: Simulator, conversations: int) -> Run:
    """Let so many users talk."""
    run = Run()
    half = conversations // 2
    users = [User(number) for number in range(conversations)]
    for user in users:
        for customer in user.customers:
            # It takes a moment, so that lookups are under way when a server is killed.
            ps7.answer(customer.context_id, body=customer.answer, delivery="late")
    run.rounds.append(await _round(topology, users[:half], topology.actions[0]))
    await topology.proxy.repeat_calls()
    run.rounds.append(await _round(topology, users[half:], topology.actions[1]))
    run.lookups = len(ps7.requests)
    async with aiohttp.ClientSession() as http:
        for user in users:
            other = next(each for each in topology.rasa if each.address != user.turns[-1].server)
            run.slots[user.number] = await topology.slots(http, other, user.sender)
    return run


async def _round(topology: Topology, users: Sequence[User], victim: Server) -> Round:
    """Let a third of the users talk with both servers, a third with one, and the last with both."""
    before = len(topology.proxy.calls())
    third = len(users) // 3
    async with aiohttp.ClientSession() as http:
        url = topology.proxy.rasa_url
        seconds = await _talk(http, url, users[:third])
        talking = asyncio.create_task(_talk(http, url, users[third : 2 * third]))
        await _until_it_is_busy(victim, calls=1)
        victim.freeze()
        await _until_it_is_busy(victim, calls=_CUT_OFF)
        killed = time.monotonic()
        await victim.kill()
        dead = time.monotonic()
        seconds += await talking
        await topology.start_actions(victim)
        back = len(topology.proxy.calls())
        seconds += await _talk(http, url, users[2 * third :])
    calls = topology.proxy.calls()[before:]
    return Round(users, seconds, victim.address, (killed, dead), calls, back - before)


async def _talk(http: aiohttp.ClientSession, url: str, users: Sequence[User]) -> float:
    """Let users talk, so many at a time; give how many seconds it took."""
    begun = time.monotonic()
    waiting = iter(users)
    await asyncio.gather(*(_one_after_another(http, url, waiting) for _ in range(_AT_A_TIME)))
    return time.monotonic() - begun


async def _one_after_another(
    http: aiohttp.ClientSession, url: str, waiting: Iterator[User]
) -> None:
    for user in waiting:
        await user.talk(http, url)


async def _until_it_is_busy(server: Server, calls: int) -> None:
    """Wait until so many calls are under way on a server."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if server.calls_under_way() >= calls:
            return
        await asyncio.sleep(0.001)
