"""How many attacks were tried and accepted, and which ones that are out of scope succeeded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.security.attack import Attacker


@dataclass(repr=False)
class Ledger:
    """What a run of the suite adds up to."""

    _tried: Counter[str] = field(default_factory=Counter)
    _accepted: Counter[str] = field(default_factory=Counter)
    _succeeded: dict[str, list[str]] = field(default_factory=dict)

    def tried(self, family: str, count: int, accepted: int) -> None:
        """Note attacks that must not succeed, and how many of them did."""
        self._tried[family] += count
        self._accepted[family] += accepted

    def succeeded(self, attacker: Attacker, name: str, takes: str) -> None:
        """Note an attack that is out of scope, and that it succeeds as it was said to."""
        self._succeeded.setdefault(attacker.value, []).append(f"{name}. It takes {takes}.")

    def plain(self) -> dict[str, Any]:
        """Give it as plain values, to be added to the ledger of another process."""
        return {
            "tried": dict(self._tried),
            "accepted": dict(self._accepted),
            "succeeded": self._succeeded,
        }

    def add(self, plain: Mapping[str, Any]) -> None:
        """Add what another process noted."""
        self._tried.update(plain["tried"])
        self._accepted.update(plain["accepted"])
        for attacker, names in plain["succeeded"].items():
            self._succeeded.setdefault(attacker, []).extend(names)

    def lines(self) -> Iterator[str]:
        """Write it down, with families sorted: workers end in any order."""
        if self._tried:
            yield f"{'attacks in scope':<54}{'tried':>8}{'accepted':>10}"
            for family, count in sorted(self._tried.items()):
                yield f"  {family:<52}{count:>8}{self._accepted[family]:>10}"
            yield f"  {'all':<52}{self._tried.total():>8}{self._accepted.total():>10}"
        if self._succeeded:
            count = sum(map(len, self._succeeded.values()))
            yield f"attacks out of scope: {count}, which succeed"
        for attacker, names in self._succeeded.items():
            yield f"  {attacker}"
            yield from (f"    - {name}" for name in names)
