"""How a comparison is made: all sides in one go, in turn, several times over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Side = TypeVar("_Side")
_Sample = TypeVar("_Sample")


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    rounds: int = 5
    seconds: int = 2
    """Of load on each side in each round."""
    long_rounds: int = 3
    long_seconds: int = 5
    """… where PS7 takes its time."""
    users: int = 500
    """Different calls that are posted in turn."""
    many: int = 1000
    """Calls at a time, at most."""
    conversations: int = 12
    """With each bot in each round, where turns are timed one at a time."""
    far: int = 200
    """Turns of a long conversation."""


FULL = Plan()
QUICK = Plan(
    rounds=1,
    seconds=1,
    long_rounds=1,
    long_seconds=1,
    users=3,
    many=4,
    conversations=1,
    far=9,
)


def interleave(
    sides: Iterable[_Side], rounds: int, measure: Callable[[_Side], _Sample]
) -> dict[_Side, list[_Sample]]:
    """Measure each side once a round; every other round goes backwards.

    What changes slowly, such as the temperature of the machine, so falls on all of them alike.
    """
    samples: dict[_Side, list[_Sample]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in samples if number % 2 == 0 else reversed(samples):
            samples[side].append(measure(side))
    return samples
