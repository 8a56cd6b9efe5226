"""The planted bugs can be planted, also when they are not looked for: the code changes."""

from __future__ import annotations

import pytest

from tests.mutants.planted import BUGS, Bug, planted_in
from tests.mutants.run import TESTS_OF_HTTP
from tests.support.processes import ROOT


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_bug_changes_one_place_of_its_module(bug: Bug) -> None:
    """Which is there once, and Python still reads the module."""
    compile(planted_in(bug), bug.file, "exec")


def test_what_opens_a_socket_is_tried_with_tests_that_exist() -> None:
    """Mutation testing stops at a name that was changed, after it has tried all else."""
    for selected in TESTS_OF_HTTP:
        file, _, name = selected.partition("::")
        assert (
            f"def {name}(" in (ROOT / file).read_text("utf-8") if name else (ROOT / file).exists()
        )
