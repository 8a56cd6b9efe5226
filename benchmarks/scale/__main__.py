"""The command: `python -m benchmarks.scale`.

Exit code 1: a customer was mixed up, a tracker is wrong, more was lost than what was under way on a
server that was killed, or a new version or a new key cost a lookup. Exit code 2: a program is
missing.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from actions.ps7.testing import Simulator
from benchmarks.figures import circumstances, of_one_run, options, publish, table
from benchmarks.scale import verdict
from benchmarks.scale.acts import PLANS, release_before
from benchmarks.scale.authority import Authority
from benchmarks.scale.crew import Crew
from benchmarks.scale.programs import Programs
from benchmarks.scale.scenario import play
from benchmarks.scale.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scale.acts import Plan
    from benchmarks.scale.scenario import Run

USERS = 15
"""Who talk at least whenever something happens."""


async def scale(
    programs: Programs, model: Path | None, users: int, plans: Sequence[Plan] = PLANS
) -> Run:
    """Let all of it happen."""
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
                return await play(topology, ps7, plans, users)
        finally:
            await crew.end()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = options(".scale", __doc__)
    parser.add_argument("--users", type=int, default=USERS, help="who talk at least, each time")
    parser.add_argument("--model", type=Path, help="of examples/oss-bot, if it is trained already")
    parser.add_argument("--before", type=Path, help="another tree: its plugin and this, by turns")
    chosen = parser.parse_args(arguments)
    before = chosen.before and chosen.before.resolve()
    plans = (*PLANS, release_before(before)) if before else PLANS
    programs = Programs.find()
    if programs.missing:
        sys.stderr.write(f"{programs.missing}\n")
        return 2
    run = asyncio.run(scale(programs, chosen.model, chosen.users, plans))
    acts = {act.plan.name: verdict.of_act(act, run) for act in run.acts}
    header = ("what happens", *next(iter(acts.values())))
    of_acts = table(header, [(name, *found.values()) for name, found in acts.items()])
    whole = of_one_run("the whole run", verdict.figures(run))
    about = circumstances(**programs.versions())
    publish("scale", f"{about}\n\n{whole}\n\n{of_acts}", write=chosen.write)
    problems = verdict.problems(run)
    for problem in problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
