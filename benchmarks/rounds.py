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

    rounds: int = 7
    seconds: float = 3
    """Of load on each side in each round."""
    long_rounds: int = 3
    long_seconds: float = 10
    """… where PS7 takes its time, or calls come at a steady rate."""
    users: int = 500
    """Different calls that are posted in turn."""
    strangers: int = 6000
    """… where they are to be more than a worker remembers."""
    many: int = 1000
    """Calls at a time, at most."""
    wrk: bool = True
    """Whether wrk makes the load, or a generator of our own that is slower but always there."""


FULL = Plan()
QUICK = Plan(
    rounds=1, seconds=0.2, long_rounds=1, long_seconds=0.2, users=3, strangers=5, many=4, wrk=False
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
