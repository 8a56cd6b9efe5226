"""How a run goes: one act after the other, and in each of them users talk while something happens.

What happens stands in `acts`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import aiohttp

from actions.ps7.conversation.arrival import sign
from benchmarks.scale.users import User

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence

    from actions.ps7.testing import Simulator
    from benchmarks.scale.acts import Plan
    from benchmarks.scale.proxy import Call
    from benchmarks.scale.servers import Server
    from benchmarks.scale.topology import Topology

_AT_A_TIME = 8
_UNDER_WAY, _CUT_OFF = 2, 3
"""How many calls are to be under way on a server when it freezes, and when it is killed after that:
some more come to it meanwhile, and wait."""
_PATIENCE = 5.0
"""Seconds to wait for them at most."""


@dataclass
class Act:
    """A part of a run: its users, and what happened to the action servers among them."""

    plan: Plan
    users: list[User] = field(default_factory=list)
    seconds: float = 0.0
    """That somebody talked."""
    calls: Sequence[Call] = ()
    dying: tuple[float, float] = (0.0, 0.0)
    """The kill began and was over (monotonic clock)."""


@dataclass
class Run:
    """All that a run gave."""

    acts: list[Act] = field(default_factory=list)
    trackers: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By the user's number, as the Rasa server has them that did not answer last."""
    lookups: Counter[str] = field(default_factory=Counter)
    """Requests that reached PS7, by contextId."""

    @property
    def users(self) -> list[User]:
        """Everybody."""
        return [user for act in self.acts for user in act.users]


class Stage:
    """What an act has: the servers, and users for as long as it takes."""

    def __init__(
        self, topology: Topology, ps7: Simulator, http: aiohttp.ClientSession, fewest: int
    ) -> None:
        """Take the servers, PS7, a way to them, and how few users may talk."""
        self.servers, self.proxy = topology.actions, topology.proxy
        self.act: Act
        self.signs_with = self.servers.keys["PS7_ARRIVAL_KEYS"][0]
        """The key of the back-end that signs contextIds."""
        self._ps7, self._http, self._fewest = ps7, http, fewest
        self._numbers = count()

    async def play(self, plan: Plan) -> Act:
        """Let an act happen."""
        self.act = Act(plan)
        before = len(self.proxy.calls())
        if plan.repeats:
            await self.proxy.repeat_calls()
        await plan.happens(self)
        self.act.calls = self.proxy.calls()[before:]
        return self.act

    async def talk(self, meanwhile: Coroutine[Any, Any, None] | None = None) -> None:
        """Let users talk: as many as there must be, and more of them until `meanwhile` is over."""
        begun = time.monotonic()
        step = None if meanwhile is None else asyncio.create_task(meanwhile)
        arriving = self._arriving(step)
        await asyncio.gather(*(self._one_after_another(arriving) for _ in range(_AT_A_TIME)))
        if step is not None:
            await step
        self.act.seconds += time.monotonic() - begun

    async def kill(self, victim: Server) -> None:
        """Kill an action server while calls are under way on it."""
        await _until_it_is_busy(victim, _UNDER_WAY)
        victim.freeze()
        await _until_it_is_busy(victim, _CUT_OFF)
        begun = time.monotonic()
        await victim.kill()
        self.act.dying = (begun, time.monotonic())

    def _arriving(self, step: asyncio.Task[None] | None) -> Iterator[User]:
        for arrived in count():
            if arrived >= self._fewest * self.act.plan.crowd and (step is None or step.done()):
                return
            user = User(next(self._numbers))
            for customer in user.customers:
                # It takes a moment, so that lookups are under way when a server is killed.
                self._ps7.answer(customer.context_id, body=customer.answer, delivery="late")
            self.act.users.append(user)
            yield user

    async def _one_after_another(self, arriving: Iterator[User]) -> None:
        for user in arriving:
            await user.talk(self._http, self.proxy.rasa_url, partial(sign, self.signs_with))


async def play(topology: Topology, ps7: Simulator, plans: Sequence[Plan], users: int) -> Run:
    """Let all of it happen; whenever users talk, let it be so many at least."""
    run = Run()
    connector = aiohttp.TCPConnector(ssl=topology.authority.trust)
    async with aiohttp.ClientSession(connector=connector) as http:
        stage = Stage(topology, ps7, http, users)
        for plan in plans:
            run.acts.append(await stage.play(plan))
        run.lookups = Counter(request.json["contextId"] for request in ps7.requests)
        for user in run.users:
            other = next(each for each in topology.rasa if each.address != user.turns[-1].server)
            run.trackers[user.number] = await topology.tracker(http, other, user.sender)
    return run


async def _until_it_is_busy(server: Server, calls: int) -> None:
    """Wait until so many calls are under way on a server."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if server.calls_under_way() >= calls:
            return
        await asyncio.sleep(0.001)
