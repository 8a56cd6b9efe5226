"""The command: `python -m benchmarks.scale`.

Exit code 1: a customer was mixed up, a tracker is wrong, more was lost than what was under way on a
server that was killed, or a new version or a new key cost a lookup. Exit code 2: a program is
missing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import re
import signal
import sys
import tempfile
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actions.ps7.testing import Simulator
from benchmarks.report import RESULTS, keep, rows
from benchmarks.scale import verdict
from benchmarks.scale.acts import PLANS
from benchmarks.scale.authority import Authority
from benchmarks.scale.crew import Crew
from benchmarks.scale.programs import Programs
from benchmarks.scale.scenario import play
from benchmarks.scale.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USERS, FEWEST = 15, 8
"""Who talk at least whenever something happens. No fewer: as many talk at a time."""


async def scale(programs: Programs, model: Path | None, users: int, results: Path) -> int:
    """Let all of it happen, write the figures down, and give the exit code."""
    begun = time.monotonic()
    this = asyncio.current_task()
    if this is not None:  # a SIGTERM ends the processes too
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    with tempfile.TemporaryDirectory(prefix="ps7-scale-") as folder:
        crew = Crew(Path(folder))
        try:
            authority = Authority(crew.folder / "tls")
            async with Simulator() as ps7:
                topology = Topology(programs, crew, authority, ps7)
                await topology.start(model)
                started = time.monotonic()
                run = await play(topology, ps7, PLANS, users)
        finally:
            await crew.end()
    found = verdict.figures(run)
    about = {
        **_about(programs),
        "seconds until all servers answered": round(started - begun, 1),
        "seconds in all": round(time.monotonic() - begun, 1),
    }
    _show({"scale": {**found, **about}})
    keep("scale", {**found, **about}, results)
    problems = verdict.problems(found)
    for problem in problems:
        sys.stdout.write(f"  PROBLEM: {problem}\n")
    return 1 if problems else 0


def _about(programs: Programs) -> dict[str, str]:
    """Return where and when this was."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {processor[1] if processor else platform.machine()}",
        "Python": platform.python_version(),
        "rasa-sdk": version("rasa-sdk"),
        **programs.versions(),
    }


def _show(sections: Mapping[str, Mapping[str, Any]]) -> None:
    """Lay out figures for a person; figures within figures come after the others."""
    for name, found in sections.items():
        plain = {key: value for key, value in found.items() if not isinstance(value, dict)}
        sys.stdout.write(f"{name}\n{rows(plain)}\n")
        _show({key: value for key, value in found.items() if isinstance(value, dict)})


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--users", type=int, default=USERS, help="who talk at least, each time")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder")
    parser.add_argument("--model", type=Path, help="of examples/oss-bot, if it is trained already")
    options = parser.parse_args(arguments)
    if options.users < FEWEST:
        parser.error(f"there must be at least {FEWEST} users")
    programs = Programs.find()
    if programs.missing:
        sys.stderr.write(f"{programs.missing}\n")
        return 2
    return asyncio.run(scale(programs, options.model, options.users, options.results))


if __name__ == "__main__":
    sys.exit(main())
