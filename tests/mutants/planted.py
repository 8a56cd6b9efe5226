"""Bugs of one place, planted on purpose in a copy of the plugin: a walk must find each of them.

They break rules of a conversation, which mutmut's small changes seldom do. The random walks of
`tests/model` find them, the same ones each time.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from actions import ps7
from tests.model.conversation import violated
from tests.model.subject import playing
from tests.model.walks import LENGTH, walks
from tests.support.processes import ROOT, printed


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
    # Order, and what stays in the slot
    "the newest answer is the oldest one": Bug(
        "state",
        "in reversed(self.session_seals):\n            if seal.about ==",
        "in self.session_seals:\n            if seal.about ==",
    ),
    "the slot is left without a seal": Bug(
        "decision", "    if newest is None:", "    if seal is None:"
    ),
    # A seal is of one session, and about one contextId
    "a seal of any session counts": Bug(
        "state", "if seal.session == history.mark and history", "if history"
    ),
    "a customer's time is never over": Bug(
        "seal", "return now < self.customer.expires_at", "return True"
    ),
    "the nonce of PS7SessionStart is not read": Bug(
        "history",
        'str(event.get("timestamp")) if nonce is None else nonce',
        'str(event.get("timestamp"))',
    ),
    "verify goes by the seal in the slot": Bug(
        "decision",
        "else state.seal_about(arrival)\n    claimed",
        "else state.slot_seal\n    claimed",
    ),
    # Log-outs
    "the log-outs of older seals are not added up": Bug(
        "state",
        "seal.logged_out for seal in reversed(self.seals))",
        "seal.logged_out for seal in self.seals[-1:])",
    ),
    "a log-out logs out the contextId at hand only": Bug(
        "decision", "in reversed(state.seals) for name", "in state.seals[:0] for name"
    ),
    "verify does not know log-outs": Bug(
        "decision",
        "is_out = arrival is not None and state",
        "is_out = arrival is not None is state",
    ),
    "a seal that lacks a log-out stays": Bug(
        "decision", "and {*kept.logged_out}.issuperset(log_outs):", "and log_outs is not None:"
    ),
    # Signed arrival, and how many
    "the time of an arrival token is not verified": Bug(
        "state", "if found.refused or found.may_arrive_at(at):", "if found.refused or at:"
    ),
    "a session may ask about any number": Bug(
        "decision", "and arrival.fingerprint not in asked:", "and arrival.fingerprint in asked:"
    ),
    # What waits, and the bot's own slots
    "what PS7 refused does not wait": Bug(
        "state", "failed.sealed_at < REFUSED_FOR", "failed.sealed_at < timedelta(0)"
    ),
    "the bot's own slots stay when another customer comes": Bug(
        "decision",
        "state.says_ok and not changed and same_customer(before, customer)",
        "state.says_ok",
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
        path = {"PYTHONPATH": os.pathsep.join((folder, str(ROOT)))}
        command = (sys.executable, "-m", "tests.mutants.planted", folder)
        return printed(*command, cwd=Path(folder), variables=path)


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
