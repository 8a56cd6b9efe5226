"""Bugs of one place, planted on purpose in a copy of the plugin: the model must find each of them.

They break rules of a conversation, which mutmut's small changes seldom do. The random walks of
`tests/model` go first, the same ones each time; the known traces go after them.
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
from tests.model.steps import Walk
from tests.model.subject import playing
from tests.model.traces import TRACES
from tests.model.walks import LENGTH, made_up

ROOT = Path(__file__).parents[2]
STEPS = int(os.environ.get("PS7_MODEL_STEPS", "20000"))


class Bug(NamedTuple):
    """A piece of a module of conversation/ that stands there once, and what takes its place."""

    module: str
    stands: str
    planted: str


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
    "the contextId of an earlier session is asked about again": Bug(
        "reading", "not newest.asked or not self.is_current", "not newest.asked"
    ),
    "the nonce of PS7SessionStart is not read": Bug(
        "reading", "return str(metadata[NONCE])", 'return str(opening.get("timestamp"))'
    ),
    # Held, and found
    "an older seal about another contextId is held": Bug(
        "reading",
        "newest if newest.fingerprint == self.in_slot.fingerprint else None",
        "self.in_slot",
    ),
    "a seal from a clock that is ahead is valid": Bug(
        "seal", "is None or self.sealed_at > now + CLOCK_SKEW:", "is None:"
    ),
    "what arrived in an earlier session is at hand": Bug(
        "reading", "self.messages, opening = [], event", "opening = event"
    ),
    "the newest seal is not asked what arrived": Bug(
        "reading", "        if found is None:", "        if found is None and not self.seals:"
    ),
    "a failure is looked up again in the same turn": Bug(
        "reading", "return self._of_this_turn(seal)  #", "return False  #"
    ),
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
    "a log-out goes by the newest seal only": Bug(
        "decision", "    for seal in reading.seals:", "    for seal in reading.seals[:1]:"
    ),
    "a log-out goes by text and `encoded`": Bug(
        "reading", "map(fingerprint, alike)", "(found.fingerprint,)"
    ),
    "a log-out goes by the text only": Bug(
        "reading", "map(fingerprint, alike)", "[fingerprint(next(alike))]"
    ),
    "a contextId that named nobody makes a customer's log-out forgotten": Bug(
        "decision", "(customers if seal.named else others)", "others"
    ),
    "a customer who is held is asked about before the log-outs": Bug(
        "rules", "(LOGGED_OUT,), Effect.REFUSE", "(LOGGED_OUT, ANOTHER), Effect.REFUSE"
    ),
    # Signed arrival, and how many
    "the time of an arrival token is not verified": Bug(
        "reading", "if found.refused or found.may_arrive_at(at):", "if found.refused or at:"
    ),
    "a token that is over arrives behind another contextId": Bug(
        "reading", "elif other.context_id is not None:", "elif other.context_id is None:"
    ),
    "a refused arrival has the fingerprint of its contextId": Bug(
        "reading",
        "return found if arrived else refused(found.value, Reason.ARRIVAL_TIME)",
        "return found if arrived else Found(None, found.fingerprint, refused=Reason.ARRIVAL_TIME)",
    ),
    "the limit lets one contextId more through": Bug(
        "reading", "full = len(self.asked) >=", "full = len(self.asked) >"
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
    "`tampered` does not stay said until the next message": Bug(
        "rules", '"still-tampered", (SAID_TAMPERED,)', '"still-tampered", (SAID_EXPIRED,)'
    ),
}
"""By what the plugin then does."""


def plant(bug: Bug, root: Path) -> None:
    """Copy the plugin with one bug in it."""
    shutil.copytree(ROOT / "actions", root / "actions")
    file = root / f"actions/ps7/conversation/{bug.module}.py"
    before, *after = file.read_text("utf-8").split(bug.stands)
    assert len(after) == 1, f"{bug.module}.py has this {len(after)} times: {bug.stands}"
    file.write_text(f"{before}{bug.planted}{after[0]}", "utf-8")


def found_by(bug: Bug) -> str:
    """Return what finds a bug; nothing if nothing does."""
    with tempfile.TemporaryDirectory() as folder:
        plant(bug, Path(folder))
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
    walks: dict[str, Walk] = {}
    for number in range(STEPS // LENGTH):
        walks[f"walks, {(number + 1) * LENGTH:,} steps"] = made_up(number)
    with playing() as subject:
        for name, walk in (walks | TRACES).items():
            if violation := violated(walk, subject):
                return f"{name}: {violation}"
    return ""


def main() -> int:
    """Print what finds each bug; return the exit code."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(BUGS, pool.map(found_by, BUGS.values()), strict=True))
    for does, by in found.items():
        sys.stdout.write(f"{does}\n    {by or 'NOT FOUND'}\n")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(seek(sys.argv[1]))
    else:
        sys.exit(main())
