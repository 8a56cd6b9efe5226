"""Where sides meet: PS7's stub, an action server for each side, and the calls they are given.

A server is started when a comparison first needs it, and serves the later ones too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import sides
from benchmarks.calls import User, as_json
from benchmarks.load import Calls, Load, saturate
from benchmarks.report import Figure
from benchmarks.rounds import interleave
from benchmarks.stub import context_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.processes import Lab
    from benchmarks.report import Table
    from benchmarks.rounds import Plan
    from benchmarks.sides import Server, Side

AT_A_TIME = 32
_WARM_UP = 1

Job = tuple["Server", Calls]
"""A server, and what it is asked."""


class Arena:
    """One run of the benchmarks."""

    def __init__(self, lab: Lab, plan: Plan) -> None:
        """Take where processes are started, and how much of everything is wanted."""
        self.lab = lab
        self.plan = plan
        self.ps7_url = lab.url_of("stub")
        self._servers: dict[Side, Server] = {}

    def servers(self, some: Iterable[Side]) -> dict[Side, Server]:
        """Return the servers of these sides, started all at once, when they answer."""
        some = list(some)
        for side in some:
            if side not in self._servers:
                self._servers[side] = sides.launch(self.lab, side, self.ps7_url)
        servers = {side: self._servers[side] for side in some}
        for server in servers.values():
            server.wait()
        return servers

    def users(self, milliseconds: int = 0) -> list[User]:
        """Make up users for whom PS7 takes so long."""
        numbers = range(self.plan.users)
        return [User(context_id(number, milliseconds=milliseconds)) for number in numbers]

    def calls(self, calls: Iterable[bytes], expected: str) -> Calls:
        """Write calls down, to be posted in turn; the text stands in every answer."""
        return Calls.write(self.lab, calls, expected)

    def lookups(self, some: Iterable[Side], *, milliseconds: int = 0) -> dict[str, Job]:
        """Hand sides calls that are lookups, each of them."""
        asked = [as_json(user.call()) for user in self.users(milliseconds)]
        return {
            side.name: (server, self.calls(asked, side.expected))
            for side, server in self.servers(some).items()
        }

    def saturate(
        self, jobs: Mapping[str, Job], *, at_a_time: int = AT_A_TIME, slow: bool = False
    ) -> dict[str, list[Load]]:
        """Hand each server as much as it takes, after a warm-up, in turn."""
        plan = self.plan
        rounds, seconds = (
            (plan.long_rounds, plan.long_seconds) if slow else (plan.rounds, plan.seconds)
        )

        def one(name: str, seconds: int = seconds) -> Load:
            users = min(at_a_time, plan.many)
            return saturate(*jobs[name], at_a_time=users, seconds=seconds)

        for name in jobs:
            _believe(name, one(name, min(seconds, _WARM_UP)))
        return interleave(jobs, rounds, one)


def _believe(name: str, load: Load) -> None:
    """Make sure that a side does what it is measured for."""
    if load.wrong > load.answers / 2:
        raise RuntimeError(f"{name}: {load.wrong} of {load.answers} answers are not as expected")


def column(loads: Sequence[Load], name: str) -> Figure:
    """Bring one value of all rounds together."""
    return Figure.of([getattr(load, name) for load in loads])


def fill(table: Table, loads: Mapping[str, Sequence[Load]], base: str) -> None:
    """Make a row of each side, with its ratio to one of them."""
    for name, rounds in loads.items():
        bad = Figure.of([load.wrong + load.lost for load in rounds])
        table.add(
            name,
            {
                "answers/s": column(rounds, "rate"),
                f"over {base}": column(rounds, "rate").over(column(loads[base], "rate")),
                "p50 ms": column(rounds, "p50"),
                "p99 ms": column(rounds, "p99"),
                "CPU µs": column(rounds, "cpu"),
                "MiB above rest": column(rounds, "memory"),
                **({"wrong or lost": bad} if any(bad.values) else {}),
            },
        )
