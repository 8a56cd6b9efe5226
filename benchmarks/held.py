"""The turn that has nothing to do: the context is held, and every slot is right.

It is most turns of a conversation. The action that does nothing gets the same calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import sides
from benchmarks.arena import column, fill
from benchmarks.calls import User, as_json
from benchmarks.report import Report
from benchmarks.stub import context_id

if TYPE_CHECKING:
    from benchmarks.arena import Arena

OURS, EMPTY = sides.OURS.name, sides.EMPTY.name
_OLDER = 10_000
_LONG_ONES, _AT_A_TIME = 10, 8
"""Calls of two megabytes: more at a time would only wait longer."""
SILENT = "… contextId with the first message alone"


def measure(arena: Arena) -> Report:
    """Measure it."""
    report = Report()
    servers = arena.servers((sides.OURS, sides.EMPTY))
    users = known(arena, arena.users())
    calls = arena.calls([as_json(user.call()) for user in users], sides.NOTHING)
    silent = arena.calls([as_json(user.call(silent=True)) for user in users], sides.NOTHING)
    ours, empty = servers[sides.OURS], servers[sides.EMPTY]
    jobs = {
        OURS: (ours, calls),
        SILENT: (ours, silent),
        EMPTY: (empty, calls),
    }
    loads = arena.saturate(jobs)
    fill(report.table("A turn whose context is held, 32 at a time"), loads, EMPTY)
    rate = {name: column(rounds, "rate") for name, rounds in loads.items()}
    for name, what in ((OURS, "nothing to do, over the empty action"), (SILENT, SILENT)):
        report.aim(what, rate[name].over(rate[EMPTY]), "at least", 0.75)
    long(report, arena)
    return report


def long(report: Report, arena: Arena) -> None:
    """Let the tracker be long when the turn comes: the action server reads all of it anyway."""
    users = [User(context_id(number), events=_OLDER) for number in range(_LONG_ONES)]
    asked = [as_json(user.call(silent=True)) for user in known(arena, users)]
    calls = arena.calls(asked, sides.NOTHING)
    servers = arena.servers((sides.OURS, sides.EMPTY))
    jobs = {side.name: (server, calls) for side, server in servers.items()}
    loads = arena.saturate(jobs, at_a_time=_AT_A_TIME)
    fill(report.table(f"… with {_OLDER:,} older events, {_AT_A_TIME} at a time"), loads, EMPTY)
    over = column(loads[OURS], "rate").over(column(loads[EMPTY], "rate"))
    report.aim(f"… with {_OLDER:,} older events", over, "at least", 0.85)


def known(arena: Arena, users: list[User]) -> list[User]:
    """Let users say something once, so that the plugin holds their contexts."""
    server = arena.servers([sides.OURS])[sides.OURS]
    for user in users:
        user.apply(server.post(as_json(user.call()))["events"])
        user.go_on()
    return users
