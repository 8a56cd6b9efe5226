"""The planted bugs can be planted, also where they are not looked for: the code changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.planted import BUGS, ROOT, Bug, plant


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.does)
def test_a_bug_changes_one_line_of_its_module(bug: Bug, tmp_path: Path) -> None:
    """Which is there once, and Python still reads the module."""
    plant(bug, tmp_path)
    name = f"actions/ps7/dialogue/{bug.module}.py"
    before, after = ((root / name).read_text("utf-8") for root in (ROOT, tmp_path))
    lines = zip(before.split("\n"), after.split("\n"), strict=True)
    assert sum(one != other for one, other in lines) == 1
    compile(after, name, "exec")


@pytest.mark.parametrize("stands", ["no such line", "return True"])
def test_a_line_that_is_not_there_once_is_an_error(stands: str, tmp_path: Path) -> None:
    """Nothing would be planted, or one knows not where."""
    with pytest.raises(ValueError, match=r"situation\.py has this line"):
        plant(Bug("nothing", "situation", stands, "pass"), tmp_path)
