"""The planted bugs can be planted, also when they are not looked for: the code changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.planted import BUGS, Bug, plant


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_bug_changes_one_place_of_its_module(bug: Bug, tmp_path: Path) -> None:
    """Which is there once, and Python still reads the module."""
    plant(bug, tmp_path)
    file = tmp_path / f"actions/ps7/conversation/{bug.module}.py"
    compile(file.read_text("utf-8"), file, "exec")
