"""The turn that has nothing to do: the context is held, and every slot is right.

It is most turns of a conversation. The action that does nothing gets the same calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import sides
from benchmarks.arena import column, fill
from benchmarks.calls import as_json
from benchmarks.report import Report

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.calls import User

OURS, EMPTY = sides.OURS.name, sides.EMPTY.name
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
        report.aim(what, rate[name].over(rate[EMPTY]), "at least", 0.9)
    return report


def known(arena: Arena, users: list[User]) -> list[User]:
    """Let users say something once, so that the plugin holds their contexts."""
    server = arena.servers([sides.OURS])[sides.OURS]
    for user in users:
        user.apply(server.post(as_json(user.call()))["events"])
        user.go_on()
    return users
