"""The action server alone: a lookup, and the turn of a known customer, beside other ways to do it.

Each side is `python -m rasa_sdk` with one worker on a core for itself. wrk makes the load on the
other core: so many connections, each of which sends the next call after the last answer.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import processor
from benchmarks.bot import environment
from benchmarks.calls import User
from benchmarks.figures import circumstances, shown, table
from benchmarks.stub import context_id
from tests.support.action_server import ActionServer

PLUGIN, NOTHING, BARE = "the plugin", "an action that does nothing", "bare aiohttp"
PER_CALL, REQUESTS = "aiohttp, a session per call", "`requests`"
SIDES = {
    PLUGIN: "actions",
    NOTHING: "benchmarks.peers.nothing",
    BARE: "benchmarks.peers.bare_aiohttp",
    PER_CALL: "benchmarks.peers.session_per_call",
    REQUESTS: "benchmarks.peers.with_requests",
}
LOOKUP, SLOW, KNOWN = "a lookup", "a lookup, PS7 takes 100 ms", "a turn of a known customer"
CASES = {LOOKUP: tuple(SIDES), SLOW: (PLUGIN, BARE, REQUESTS), KNOWN: (PLUGIN, NOTHING)}
"""Which sides are compared."""

_AT_A_TIME, _USERS = 32, 500
_SCRIPT = Path(__file__).with_name("post.lua")
_UNCHANGED, _KNOWN = '"events":[]', '"ok"'
_MOST_WRONG = 0.01
_SLOW_AT_LEAST = 5
"""Seconds: 32 calls of `requests`, one after the other, are answered all at once after 3.2."""


class Load(NamedTuple):
    """What came of a load."""

    rate: float
    """Answers a second."""
    cpu: float
    """Microseconds of the server's processes for each answer."""


async def load(server: ActionServer, calls: Path, expected: str, seconds: int) -> Load:
    """Give a server as much as it takes of calls; each right answer holds what is expected.

    Raises:
        RuntimeError: wrk failed, or answers are missing or not as expected.

    """
    before = processor.seconds(server.process.pid)
    wrk = await asyncio.create_subprocess_exec(
        *("wrk", "--threads=1", f"--connections={_AT_A_TIME}", f"--duration={seconds}s"),
        *("--timeout=30s", f"--script={_SCRIPT}", f"{server.url}/webhook", "--", calls, expected),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await wrk.communicate())[0].decode()
    if wrk.returncode:
        raise RuntimeError(output)
    found = json.loads(output.strip().rpartition("\n")[2])
    answers, wrong = found["answers"], found["wrong"] + found["lost"]
    if not answers or wrong > answers * _MOST_WRONG:
        raise RuntimeError(f"{wrong} of {answers} answers are missing or not as expected")
    used = processor.seconds(server.process.pid) - before
    return Load(answers / found["seconds"], used / answers * 1e6)


def users(milliseconds: int = 0) -> list[User]:
    """Make up users for whom PS7 takes so long."""
    return [User(context_id(number, milliseconds=milliseconds)) for number in range(_USERS)]


async def written(plugin: ActionServer, folder: Path) -> dict[str, Path]:
    """Write down the calls of each case, one a line."""
    known = users()
    async with plugin.connect() as connection:
        for user in known:
            user.apply(await connection.send(user.say()))
    files = {}
    for place, (case, some) in enumerate({LOOKUP: users(), SLOW: users(100), KNOWN: known}.items()):
        files[case] = folder / f"{place}.calls"
        calls = (json.dumps(user.say()) for user in some)
        files[case].write_text("\n".join(calls), encoding="utf-8")
    return files


async def measure(folder: Path, ps7_url: str, rounds: int, seconds: int) -> str:
    """Measure all sides in turn, every other round backwards; return the table."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk makes the load, and is not here: apt-get install wrk")
    servers: dict[str, ActionServer] = {}
    loads: defaultdict[tuple[str, str], list[Load]] = defaultdict(list)
    try:
        for place, (side, module) in enumerate(SIDES.items()):
            log = folder / f"actions{place}.log"
            settings: dict[str, Any] = environment(ps7_url)
            server = await ActionServer.start(Path(sys.executable), log, actions=module, **settings)
            servers[side] = server
            processor.keep_on(processor.FIRST, server.process.pid)
        files = await written(servers[PLUGIN], folder)
        jobs = [(case, side) for case, sides in CASES.items() for side in sides]
        for number in range(rounds + 1):
            for case, side in jobs[:: 1 if number % 2 else -1]:
                expected = _UNCHANGED if side == NOTHING or case == KNOWN else _KNOWN
                long = max(seconds, _SLOW_AT_LEAST) if case == SLOW else seconds
                found = await load(servers[side], files[case], expected, long)
                loads[case, side].append(found)
    finally:
        await asyncio.gather(*(server.process.kill() for server in servers.values()))
    return report({job: of_job[1:] for job, of_job in loads.items()})  # after a warm-up


def report(loads: dict[tuple[str, str], list[Load]]) -> str:
    """Lay out what the rounds gave."""
    rows = []
    for case, sides in CASES.items():
        for column, name in enumerate(("answers a second", "processor time, µs")):
            found = {side: shown([each[column] for each in loads[case, side]]) for side in sides}
            rows.append([f"{case}: {name}", *(found.get(side, "") for side in SIDES)])
    compared = table(("one worker, 32 calls at a time", *SIDES), rows)
    return f"{circumstances()}\n\n{compared}"
