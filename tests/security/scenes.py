"""The conversations that attacks begin with, and how they would go on if nobody attacked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.security.talk import SEAL, SESSION_METADATA, SESSION_START, STATUS, Talk
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

if TYPE_CHECKING:
    from tests.security.world import World

Step = Callable[[Talk, "World", str], Awaitable[None]]


async def _goes_on(talk: Talk, world: World, server: str) -> None:
    """Let the bot run what it always runs, so that the server may remember to have seen it."""
    for action in (LOOK_UP, VERIFY):
        await world.run(talk.copy(), server, action)


def arrives(who: str) -> Step:
    """Let the channel bring a customer's contextId, and look it up."""

    async def step(talk: Talk, world: World, server: str) -> None:
        talk.says({"contextId": world.channel_sends(talk, server, who)})
        await world.run(talk, server, LOOK_UP)
        assert talk.slots[STATUS] == ("invalid" if who == "nobody" else "ok")
        await _goes_on(talk, world, server)

    return step


def runs(action: str) -> Step:
    """Let the bot run an action."""

    async def step(talk: Talk, world: World, server: str) -> None:
        await world.run(talk, server, action)

    return step


def opens_a_session(who: str) -> Step:
    """Let a session start with a customer's contextId, which no message of it brings."""

    async def step(talk: Talk, world: World, server: str) -> None:
        talk.writes(SESSION_METADATA, {"contextId": world.channel_sends(talk, server, who)})
        before = len(talk.events)
        await world.run(talk, server, SESSION_START)
        talk.events = talk.events[before:]  # a tracker store loads no more than this session
        assert talk.slots[STATUS] == "ok"
        await _goes_on(talk, world, server)

    return step


async def ana_opened_the_session(talk: Talk, world: World, server: str) -> None:
    """Let what opened an earlier session stand there still."""
    talk.writes(SESSION_METADATA, {"contextId": world.channel_sends(talk, server, "ana")})
    await _goes_on(talk, world, server)


async def comes_back(talk: Talk, _: World, __: str) -> None:
    """Let the user come back in another session, without a contextId."""
    talk.next_session()


async def breaks_the_seal(talk: Talk, _: World, __: str) -> None:
    """Let somebody write into its slot."""
    talk.writes(SEAL, "broken")


@dataclass(frozen=True)
class Scene:
    """A conversation as far as it has come."""

    steps: tuple[Step, ...] = ()
    truth: str | None = None
    """Whom PS7 names for the contextId that counts here."""
    at_hand: str | None = None
    """Whose contextId arrived in this session, in a message of it or as what opened it."""
    verify: str | None = None
    """The status after `action_ps7_verify`."""
    look_up: str = "missing"
    """The status after `action_ps7_context`."""
    asks: str | None = None
    """Whose contextId that asks PS7 about."""


LEFT_OVER = "diego is back, ana left over"
SCENES = {
    "stranger": Scene(),
    "ana": Scene((arrives("ana"),), "ana", "ana", "ok", "ok"),
    "ana is back": Scene((arrives("ana"), comes_back), "ana", None, "ok", "ok"),
    "diego after ana": Scene((arrives("ana"), arrives("diego")), "diego", "diego", "ok", "ok"),
    "diego is back": Scene(
        (arrives("ana"), arrives("diego"), comes_back), "diego", None, "ok", "ok"
    ),
    LEFT_OVER: Scene(
        (arrives("ana"), arrives("diego"), comes_back, ana_opened_the_session),
        *("diego", None, "ok", "ok"),
    ),
    "diego after ana, unsaid": Scene(
        (opens_a_session("ana"), opens_a_session("diego")), "diego", "diego", "ok", "ok"
    ),
    "refused": Scene((arrives("nobody"),), None, "nobody", "invalid", "invalid"),
    "diego after a log out": Scene(
        (arrives("ana"), runs(FORGET), arrives("diego")), "diego", "diego", "ok", "ok"
    ),
    "forgotten": Scene((arrives("ana"), runs(FORGET)), None, "ana", "missing", "missing"),
    "cleared": Scene(
        (arrives("ana"), comes_back, breaks_the_seal, runs(VERIFY)),
        *(None, None, "tampered", "tampered"),
    ),
    "run out": Scene((arrives("bruno"), comes_back), None, None, "expired", "expired"),
    "run out, at hand": Scene((arrives("bruno"),), "bruno", "bruno", "expired", "ok", "bruno"),
}
"""Bruno's first context is over when the attacks begin; what PS7 says of him later is not."""
