"""What a test needs of the machine beside Python: without it the test is skipped.

If the environment has `PS7_TESTS_COMPLETE`, as in `.ci/run`, the test fails instead. `make test`
lets each run add what was skipped to a file, and each leg how it ended to another, and prints
`python -m tests.support.needs FILE FILE` last.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest

PYTHON_3_10 = "pyenv install 3.10, or uv python install 3.10; then make test"
_COMPLETE = bool(os.environ.get("PS7_TESTS_COMPLETE"))
_FILE = os.environ.get("PS7_TESTS_SKIPPED")
_APT = "apt-get install "
_REASON = re.compile(r"Skipped: (needs .+)")


def lacking(what: str, how: str) -> NoReturn:
    """Skip the test that runs, or fail it if no test may be skipped.

    `how` is what brings it: `apt-get install` with Debian's packages, or another command.
    """
    reason = f"needs {what} ({how})"
    if _COMPLETE:
        pytest.fail(reason)
    pytest.skip(reason)


def note(skipped: Iterable[pytest.TestReport]) -> None:
    """Add the reasons of a run to the file, one line for each test that lacked something."""
    reasons = [_REASON.fullmatch(str(report.longrepr[2])) for report in skipped]  # type: ignore[index]
    if _FILE and (lines := [f"{reason[1]}\n" for reason in reasons if reason]):
        Path(_FILE).parent.mkdir(exist_ok=True)
        with Path(_FILE).open("a", encoding="utf-8") as file:
            file.writelines(lines)


def last_line(reasons: list[str], ended: list[str]) -> str:
    """Return how the legs ended, how many tests were skipped, and what brings what they need."""
    passed, failed = (
        ", ".join(leg for how, leg in map(str.split, ended) if how == wanted)
        for wanted in ("passed", "failed")
    )
    if failed or not passed:
        return f"make test: failed: {failed or 'to run'}; passed: {passed or 'nothing'}"
    if not reasons:
        return f"make test: everything passed: {passed}"
    ways = {reason.partition(" (")[2].removesuffix(")") for reason in reasons}
    packages = {name for way in ways if way.startswith(_APT) for name in way.split()[2:]}
    others = sorted(way for way in ways if not way.startswith(_APT))
    apt = [_APT + " ".join(sorted(packages))] if packages else []
    need = "; ".join([*apt, *others])
    skipped = f"tests skipped: {len(reasons)}. What they need: {need}"
    return f"make test: passed: {passed}; {skipped}"


if __name__ == "__main__":
    notes = (Path(name) for name in sys.argv[1:])
    skips, legs = (note.read_text("utf-8").splitlines() if note.exists() else [] for note in notes)
    line = last_line(skips, legs)
    sys.stdout.write(f"{line}\n")
    sys.exit(": failed: " in line)
