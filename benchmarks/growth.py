"""What grows with a conversation, a domain, an answer, and the number of workers.

A growing tracker makes every call dearer, since the action server reads it whatever the action
does. So the plugin's share is what a turn costs above that of the empty action, for the same call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks import sides
from benchmarks.arena import column, fill
from benchmarks.calls import User, as_json
from benchmarks.held import known
from benchmarks.report import Report
from benchmarks.stub import context_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.arena import Arena, Job
    from benchmarks.load import Load
    from benchmarks.report import Table

_EVENTS = (10, 1_000, 10_000)
_SLOTS = (10, 500)
_KIB = (1, 16, 64)
_AT_A_TIME = 8
"""Large calls: more at a time would only wait longer."""
_BYTES = 20_000_000
"""Of calls that are written down for one case."""


def measure(arena: Arena) -> Report:
    """Measure all of it."""
    report = Report()
    trackers(report, arena)
    domains(report, arena)
    answers(report, arena)
    workers(report, arena)
    return report


def trackers(report: Report, arena: Arena) -> None:
    """Let the tracker grow before the lookup; the context is held when the turn comes."""
    table = report.table("A held turn, with events from before the lookup")
    for events in _EVENTS:
        _held(table, arena, f"{events:,} events", {"events": events})


def domains(report: Report, arena: Arena) -> None:
    """Let the bot have slots of its own."""
    table = report.table("A held turn, with slots of the bot's own")
    for slots in _SLOTS:
        _held(table, arena, f"{slots:,} slots", {"own_slots": slots})


def _held(table: Table, arena: Arena, title: str, size: Mapping[str, int]) -> None:
    size_of_one = len(as_json(User("x", **size).call()))
    number = max(1, min(arena.plan.users, _BYTES // size_of_one))
    users = known(arena, [User(context_id(each), **size) for each in range(number)])
    servers = arena.servers((sides.OURS, sides.EMPTY))
    calls = arena.calls([as_json(user.call(silent=True)) for user in users], sides.NOTHING)
    jobs: dict[str, Job] = {side.name: (server, calls) for side, server in servers.items()}
    loads = arena.saturate(jobs, at_a_time=_AT_A_TIME)
    _share(table, title, loads, sides.EMPTY.name)


def answers(report: Report, arena: Arena) -> None:
    """Let PS7 say more."""
    table = report.table("A lookup, with a larger answer")
    for kib in _KIB:
        jobs = arena.lookups((sides.OURS, sides.BARE), kib=kib)
        loads = arena.saturate(jobs, at_a_time=_AT_A_TIME)
        _share(table, f"{kib} KiB", loads, sides.BARE.name)


def workers(report: Report, arena: Arena) -> None:
    """Let two workers answer instead of one, on all cores with the load beside them."""
    one = replace(sides.OURS, name="1 worker", pinned=False)
    two = replace(one, name="2 workers", workers=2)
    loads = arena.saturate(arena.lookups((one, two)))
    fill(report.table("Lookups with more workers, 32 at a time"), loads, one.name)
    cpu = column(loads[two.name], "cpu").over(column(loads[one.name], "cpu"))
    report.aim("2 workers over 1: CPU of a turn", cpu, "at most", 1.05)


def _share(table: Table, title: str, loads: Mapping[str, list[Load]], base: str) -> None:
    ours, other = loads[sides.OURS.name], loads[base]
    table.add(
        title,
        {
            f"over {base}": column(ours, "rate").over(column(other, "rate")),
            "ours, CPU µs": column(ours, "cpu"),
            f"{base}, CPU µs": column(other, "cpu"),
            "more, CPU µs": column(ours, "cpu").minus(column(other, "cpu")),
        },
    )
