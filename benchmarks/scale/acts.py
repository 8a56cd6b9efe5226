"""The acts of a run: an action server is killed, another version is rolled out, keys are rotated.

Each change happens as the documentation has it: docs/operations.md for keys, CONTRIBUTING.md for
the format of seals. What takes a day there, until conversations are over, takes no time here: those
that talked before have ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scale.servers import ARRIVAL_KEYS, SEAL_KEYS
from benchmarks.scale.versions import FURTHER_FIELD, NEXT_FORMAT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from benchmarks.scale.scenario import Stage


@dataclass(frozen=True)
class Plan:
    """An act that has not happened yet."""

    name: str
    happens: Callable[[Stage], Awaitable[None]]
    repeats: bool = True
    """Whether nginx repeats action calls whose server died."""
    crowd: int = 1
    """How many times as many users talk as in other acts."""
    lookups: int | None = 1
    """For how many lookups a contextId accounts; None: nobody counts them."""


def _dies(place: int) -> Callable[[Stage], Awaitable[None]]:
    async def happens(stage: Stage) -> None:
        """Kill a server and start it again, with users before, meanwhile and afterwards."""
        victim = stage.servers.each[place]
        await stage.talk()
        await stage.talk(stage.kill(victim))
        await stage.servers.start(victim)
        await stage.talk()

    return happens


def _released(*versions: str | Path | None) -> Callable[[Stage], Awaitable[None]]:
    async def happens(stage: Stage) -> None:
        """Roll versions out, one after the other; half-way users talk with two of them."""
        one, other = stage.servers.each
        for version in versions:
            stage.servers.release(version)
            await stage.talk(stage.servers.replace(one))
            await stage.talk()
            await stage.talk(stage.servers.replace(other))

    return happens


async def _seal_keys(stage: Stage) -> None:
    """Let all open what the new key seals, then let it seal, then drop the old one."""
    known, sealing = await stage.servers.rotated(SEAL_KEYS)
    for keys in (known, sealing, sealing[:1]):
        await _with_keys(stage, SEAL_KEYS, keys)


async def _arrival_keys(stage: Stage) -> None:
    """Let all verify with the new key, then let the back-end sign with it, then drop the old."""
    known, signing = await stage.servers.rotated(ARRIVAL_KEYS)
    await _with_keys(stage, ARRIVAL_KEYS, known)
    stage.signs_with = signing[0]
    await stage.talk()
    await _with_keys(stage, ARRIVAL_KEYS, signing[:1])


async def _with_keys(stage: Stage, variable: str, keys: list[str]) -> None:
    stage.servers.keys[variable] = keys
    for server in stage.servers.each:
        await stage.talk(stage.servers.replace(server))


AS_IT_COMES, REPEATING = "nginx as it comes", "nginx repeats action calls"
PLANS = (
    Plan(AS_IT_COMES, _dies(0), repeats=False, crowd=3),
    Plan(REPEATING, _dies(1), crowd=3),
    Plan("a further field in seals, and back", _released(FURTHER_FIELD, None)),
    Plan("another format of seals, and back", _released(NEXT_FORMAT, None), lookups=2),
    Plan("seal keys are rotated", _seal_keys),
    Plan("arrival keys are rotated", _arrival_keys),
)


def release_before(tree: Path) -> Plan:
    """Roll the plugin of another tree out, and back: its release and this one, side by side."""
    return Plan("the release before, and back", _released(tree, None), lookups=None)
