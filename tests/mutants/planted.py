"""Bugs of one line, planted on purpose in a copy of the plugin: the model must find each of them.

They break rules of a conversation, which mutmut's small changes seldom do. The random walks of
`tests/model` go first, the same ones each time; the known traces go after them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.model.books import Violation
from tests.model.conversation import play
from tests.model.drivers import tree
from tests.model.steps import Walk
from tests.model.traces import TRACES
from tests.model.walks import made_up

ROOT = Path(__file__).parents[2]
STEPS = int(os.environ.get("PS7_MODEL_STEPS", "20000"))


class Bug(NamedTuple):
    """A line of a module, as it stands and as it is planted."""

    does: str
    module: str
    stands: str
    planted: str


BUGS = (
    Bug(
        "a new seal has the number of the one before",
        "turn",
        '"number": 1 if highest is None else highest.number + 1,',
        '"number": 1 if highest is None else highest.number,',
    ),
    Bug(
        "the newest seal is the latest by its time",
        "situation",
        "return max(self.seals, key=lambda seal: seal.number, default=None)",
        "return max(self.seals, key=lambda seal: seal.sealed_at, default=None)",
    ),
    Bug(
        "the slot is left without a seal",
        "turn",
        "if situation.seals and not self._is_newest(seal):",
        "if seal and not self._is_newest(seal):",
    ),
    Bug(
        "an older seal about another contextId is held",
        "situation",
        "return newest if in_slot and in_slot.fingerprint == newest.fingerprint else None",
        "return in_slot",
    ),
    Bug(
        "a customer of any session counts",
        "situation",
        "if seal.session == session.mark:",
        "if seal.session is not None:",
    ),
    Bug(
        "a seal that is written at any time counts as carried over",
        "history",
        "if not self.session.begun:",
        "if self.session:",
    ),
    Bug(
        "nothing is verified in the session before",
        "situation",
        "if before is None:",
        "if before is before:",
    ),
    Bug(
        "what arrived last in the session before is not verified",
        "situation",
        "return belonged and (last is None or last[0].fingerprint == seal.fingerprint)",
        "return belonged",
    ),
    Bug(
        "a customer need not have counted in the session before",
        "situation",
        "return belonged and (last is None or last[0].fingerprint == seal.fingerprint)",
        "return last is None or last[0].fingerprint == seal.fingerprint",
    ),
    Bug(
        "the contextId of an earlier session is asked about again",
        "situation",
        "if seal is None or seal.context_id is None or seal.session != self.history.session.mark:",
        "if seal is None or seal.context_id is None:",
    ),
    Bug(
        "a rejection of an earlier session holds",
        "turn",
        "if not situation.of_this_session(held):",
        "if held is None:",
    ),
    Bug(
        "the time of an arrival token is not verified",
        "situation",
        "if found.refused or found.may_arrive_at(at):",
        "if found.refused or at:",
    ),
    Bug(
        "the limit lets one contextId more through",
        "situation",
        "return len(self._asked | {found.fingerprint}) <= limit",
        "return len(self._asked) <= limit",
    ),
    Bug(
        "the log-outs of older seals are not added up",
        "situation",
        "by_number = sorted(self.seals, key=lambda seal: seal.number, reverse=True)",
        "by_number = [seal for seal in [self.highest] if seal]",
    ),
    Bug(
        "a customer who is held is asked about before the log-outs",
        "turn",
        "if found.fingerprint in situation.logged_out:",
        "if found.fingerprint in situation.logged_out and not (held and held.customer):",
    ),
    Bug(
        "the contextId at hand is not logged out",
        "turn",
        "gone, about = [found.fingerprint, *gone], _about(found, None)",
        "about = _about(found, None)",
    ),
    Bug(
        "verify does not go by what arrived",
        "situation",
        "return held if self.found is None or self.same else None",
        "return held",
    ),
    Bug(
        "the bot's own slots stay when another customer comes",
        "turn",
        "return situation.says_ok and same_customer(*known) and not restored",
        "return situation.says_ok",
    ),
    Bug(
        "a seal from a clock that is ahead is good",
        "seal",
        "if self.customer is None or self.sealed_at > now + CLOCK_SKEW:",
        "if self.customer is None:",
    ),
    Bug(
        "a state in order is remembered without its seals",
        "situation",
        "list(self.history.seals),",
        "None,",
    ),
)


def plant(bug: Bug, root: Path) -> None:
    """Copy the plugin with one bug in it.

    Raises:
        ValueError: the line that it takes the place of does not stand there, or more than once.

    """
    shutil.copytree(ROOT / "actions", root / "actions")
    file = root / f"actions/ps7/dialogue/{bug.module}.py"
    lines = file.read_text("utf-8").split("\n")
    places = [at for at, line in enumerate(lines) if line.strip() == bug.stands]
    if len(places) != 1:
        raise ValueError(f"{bug.module}.py has this line {len(places)} times: {bug.stands}")
    (at,) = places
    lines[at] = lines[at].replace(bug.stands, bug.planted)
    file.write_text("\n".join(lines), "utf-8")


def found_by(bug: Bug) -> str | None:
    """Return what finds a bug; None where nothing does."""
    with tempfile.TemporaryDirectory() as folder:
        plant(bug, Path(folder))
        with tree(Path(folder)) as driver:
            for name, walk in _walks():
                try:
                    play(walk, driver)
                except Violation as violation:
                    return f"{name}: {violation}"
    return None


def _walks() -> Iterator[tuple[str, Walk]]:
    steps = 0
    for number in count():
        walk = made_up(Random(number))  # noqa: S311 - the same walks each time
        steps += len(walk.steps)
        if steps > STEPS:
            break
        yield f"walks, {steps:,} steps", walk
    yield from TRACES.items()


def main() -> int:
    """Print what finds each bug; return the exit code."""
    missed = 0
    sys.stdout.write(f"{len(BUGS)} planted bugs, and what finds them\n\n")
    with ProcessPoolExecutor() as pool:
        for bug, found in zip(BUGS, pool.map(found_by, BUGS), strict=True):
            sys.stdout.write(f"{bug.does}\n    {found or 'NOT FOUND'}\n")
            sys.stdout.flush()
            missed += found is None
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
