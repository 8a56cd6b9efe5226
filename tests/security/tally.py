"""The attacks of a test run that wrote themselves down one by one, and what became of them."""

from __future__ import annotations

from typing import NamedTuple


class _Attack(NamedTuple):
    name: str
    in_scope: bool
    accepted: bool


class Figures(NamedTuple):
    """What they add up to."""

    tried: int
    """In scope: attacks that must not succeed."""
    accepted: int
    """How many of those did."""
    succeeded: tuple[str, ...]
    """Attacks out of scope that succeeded, by name."""
    failed: tuple[str, ...]
    """Attacks out of scope that did not: something stops them after all."""


_recorded: list[_Attack] = []


def record(name: str, *, in_scope: bool, accepted: bool) -> None:
    """Write down one attack, and whether it got what it wanted."""
    _recorded.append(_Attack(name, in_scope, accepted))


def figures() -> Figures:
    """Add up what was recorded so far."""
    inside = [attack for attack in _recorded if attack.in_scope]
    outside = [attack for attack in _recorded if not attack.in_scope]
    return Figures(
        tried=len(inside),
        accepted=sum(attack.accepted for attack in inside),
        succeeded=tuple(attack.name for attack in outside if attack.accepted),
        failed=tuple(attack.name for attack in outside if not attack.accepted),
    )
