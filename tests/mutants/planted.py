"""Bugs of one place, planted on purpose in a copy of the plugin: a walk must find each of them.

They break rules of a conversation, which mutmut's small changes seldom do. The random walks of
`tests/model` find them, the same ones each time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from actions import ps7
from tests.model.conversation import violated
from tests.model.subject import playing
from tests.model.walks import LENGTH, walks

ROOT = Path(__file__).parents[2]


class Bug(NamedTuple):
    """A piece of a module that is there once, and what takes its place."""

    module: str
    stands: str
    planted: str

    @property
    def file(self) -> Path:
        """Where the module is, from the root."""
        return Path(f"actions/ps7/conversation/{self.module}.py")


BUGS = {
    # The newest seal, by its number
    "a new seal has the number of the one before": Bug(
        "decision", "else newest.number + 1,", "else newest.number,"
    ),
    "the newest seal is the latest by its time": Bug(
        "seal", 'attrgetter("number")', 'attrgetter("sealed_at")'
    ),
    "the slot is left without a seal": Bug(
        "decision",
        "(seal is None or seal.number < newest.number)",
        "(seal is not None and seal.number < newest.number)",
    ),
    "the log-outs of older seals are not added up": Bug(
        "reading", "LogOuts.of(know)", "LogOuts.of(know[:1])"
    ),
    # A seal is of one session
    "a seal of any session is held": Bug(
        "reading", "self.in_slot is not None and self.is_current", "self.in_slot is not None"
    ),
    "the nonce of PS7SessionStart is not read": Bug(
        "reading", "return str(metadata[NONCE])", 'return str(opening.get("timestamp"))'
    ),
    # Held, and found
    "only the newest seal knows what PS7 refused": Bug(
        "reading",
        "for seal in self.here:\n            if seal.fingerprint",
        "for seal in self.here[:1]:\n            if seal.fingerprint",
    ),
    "verify does not go by what arrived": Bug(
        "rules", '"another-found", (NAMED, ANOTHER)', '"another-found", (NAMED, REFUSED)'
    ),
    # Log-outs
    "a log-out logs out the contextId at hand only": Bug(
        "decision", "    for seal in reading.seals:", "    for seal in reading.seals[:0]:"
    ),
    # Signed arrival, and how many
    "the time of an arrival token is not verified": Bug(
        "reading", "if found.refused or found.may_arrive_at(at):", "if found.refused or at:"
    ),
    "a contextId that was refused for the limit may be asked about": Bug(
        "decision",
        "about.context_id if about.fingerprint in reading.asked else None",
        "about.context_id",
    ),
    # The bot's own slots, and what stays said
    "the bot's own slots stay when another customer comes": Bug(
        "decision", "reading.says_ok and same_customer(*known) and not restored", "reading.says_ok"
    ),
}
"""By what the plugin then does; for each thing that the books check, one that breaks it."""


def planted_in(bug: Bug) -> str:
    """Return the text of its module with the bug in it."""
    before, *after = (ROOT / bug.file).read_text("utf-8").split(bug.stands)
    assert len(after) == 1, f"{bug.module}.py has this {len(after)} times: {bug.stands}"
    return f"{before}{bug.planted}{after[0]}"


def found_by(bug: Bug) -> str:
    """Return what finds a bug in a copy of the plugin; nothing if nothing does."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "actions", Path(folder) / "actions")
        (folder / bug.file).write_text(planted_in(bug), "utf-8")
        path = os.pathsep.join((folder, str(ROOT)))
        return subprocess.run(
            (sys.executable, "-m", "tests.mutants.planted", folder),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


def seek(folder: str) -> str:
    """Return what finds a bug in the plugin of this process, which is that of a folder."""
    assert Path(str(ps7.__file__)).is_relative_to(folder), ps7.__file__
    with playing() as subject:
        for number, walk in enumerate(walks(), start=1):
            if violation := violated(walk, subject):
                return f"{number * LENGTH:,} steps: {violation}"
    return ""


def main() -> int:
    """Print what finds each bug, and that nothing is found without one; return the exit code."""
    sound = next(iter(BUGS.values()))
    planted = {"no bug": sound._replace(planted=sound.stands), **BUGS}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(planted, pool.map(found_by, planted.values()), strict=True))
    for does, by in found.items():
        sys.stdout.write(f"{does}\n    {by or 'NOT FOUND'}\n")
    return 0 if [does for does, by in found.items() if not by] == ["no bug"] else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(seek(sys.argv[1]))
    else:
        sys.exit(main())
