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
    # 1: the newest seal, by its number
    Bug(
        "a new seal has the number of the one before",
        "rules",
        "number=1 if newest is None else newest.number + 1,",
        "number=1 if newest is None else newest.number,",
    ),
    Bug(
        "the newest seal is the latest by its time",
        "situation",
        "self.by_number = sorted(self.seals.values(), key=lambda seal: -seal.number)",
        "self.by_number = sorted(self.seals.values(), key=lambda it: -it.sealed_at.timestamp())",
    ),
    Bug(
        "the slot is left without a seal",
        "rules",
        "if seal is None or seal.number < newest.number:",
        "if seal is not None and seal.number < newest.number:",
    ),
    Bug(
        "the log-outs of older seals are not added up",
        "situation",
        "self.log_outs = dict.fromkeys(out for seal in self.by_number for out in seal.logged_out)",
        "self.log_outs = dict.fromkeys(self.newest.logged_out if self.newest else ())",
    ),
    # 2: a seal is of one session
    Bug(
        "a seal of any session is held",
        "situation",
        "if newest is None or in_slot is None or newest.session != self.history.mark:",
        "if newest is None or in_slot is None:",
    ),
    Bug(
        "the contextId of an earlier session is asked about again",
        "situation",
        "if seal is None or seal.context_id is None or seal.session != self.history.mark:",
        "if seal is None or seal.context_id is None:",
    ),
    # 3: held
    Bug(
        "an older seal about another contextId is held",
        "situation",
        "return newest if newest.fingerprint == in_slot.fingerprint else None",
        "return in_slot",
    ),
    # 4: found
    Bug(
        "what arrived in an earlier session is at hand",
        "history",
        "self.mark, self.messages = mark, []",
        "self.mark = mark",
    ),
    Bug(
        "the newest seal is not asked what arrived",
        "situation",
        "if found is None:",
        "if found is None and not self.seals:",
    ),
    # 5: log-outs
    Bug(
        "a log-out logs out the contextId at hand only",
        "rules",
        "names = [fingerprint(text) for text in texts if text is not None]",
        "names = [fingerprint(text) for text in texts[:1] if text is not None]",
    ),
    Bug(
        "a log-out goes by the newest seal only",
        "rules",
        "about = (situation.found, *situation.by_number)",
        "about = (situation.found, *situation.by_number[:1])",
    ),
    Bug(
        "a log-out goes by text and `encoded`",
        "situation",
        "bool(self.log_outs) and usable is not None and fingerprint(usable) in self.log_outs",
        "bool(self.log_outs) and found is not None and found.fingerprint in self.log_outs",
    ),
    Bug(
        "a customer who is held is asked about before the log-outs",
        "rules",
        'Rule("logged-out", ("logged_out",), Effect.REFUSE, Outcome.MISSING, Reason.FORGOTTEN),',
        'Rule("logged-out", ("logged_out", "another"), Effect.REFUSE, Outcome.MISSING),',
    ),
    # 6: signed arrival
    Bug(
        "the time of an arrival token is not verified",
        "situation",
        "if found.refused or found.may_arrive_at(at):",
        "if found.refused or at:",
    ),
    Bug(
        "a token that is over arrives behind another contextId",
        "situation",
        "elif other.context_id is not None:",
        "elif other.context_id is None:",
    ),
    Bug(
        "a refused arrival has the fingerprint of its contextId",
        "arrival",
        "return Found(None, unusable(found.value), value=found.value, refused=reason)",
        "return Found(None, found.fingerprint, value=found.value, refused=reason)",
    ),
    # 7: how many
    Bug(
        "the limit lets one contextId more through",
        "situation",
        "full = len(self.asked) >= self._runtime.settings.max_contexts",
        "full = len(self.asked) > self._runtime.settings.max_contexts",
    ),
    Bug(
        "a contextId that was refused for the limit may be asked about",
        "rules",
        "context_id=about.context_id if asked else None,",
        "context_id=about.context_id,",
    ),
    # 8: the bot's own slots
    Bug(
        "the bot's own slots stay when another customer comes",
        "rules",
        "return situation.says_ok and same_customer(*known) and not restored",
        "return situation.says_ok",
    ),
    # 9: what stays said
    Bug(
        "`tampered` does not stay said until the next message",
        "rules",
        'Rule("still-tampered", ("said_tampered",), Effect.STATUS, Outcome.TAMPERED),',
        "",
    ),
    # 10: the mark of a session
    Bug(
        "the nonce of PS7SessionStart is not read",
        "history",
        'return nonce if isinstance(nonce, str) else str(opening.get("timestamp"))',
        'return str(opening.get("timestamp"))',
    ),
    Bug(
        "a failure is looked up again in the same turn",
        "situation",
        "return self._of_this_turn(held)  # a turn costs one deadline, however many runs it has",
        "return False",
    ),
    Bug(
        "verify does not go by what arrived",
        "rules",
        'Rule("another-found", ("known", "another"), Effect.CLEAR, Outcome.MISSING),',
        "",
    ),
    Bug(
        "a seal from a clock that is ahead is good",
        "seal",
        "if self.customer is None or self.sealed_at > now + CLOCK_SKEW:",
        "if self.customer is None:",
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
