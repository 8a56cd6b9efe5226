"""What `make check` leaves out is said by the tests themselves."""

from __future__ import annotations

import re

import pytest

from tests.support.processes import ROOT

LISTED = """
pytestmark = [
    pytest.mark.versions,
    pytest.mark.slow,
]
"""
LATER = """
pytestmark = pytest.mark.versions

@pytest.mark.slow
def test_it(): [
]
"""


@pytest.mark.parametrize(
    ("source", "markexpr", "left"),
    [
        ("pytestmark = pytest.mark.slow", "not slow", True),
        ("pytestmark = pytest.mark.slow\n", "not release and not slow and not floor", True),
        ("pytestmark = [pytest.mark.versions, pytest.mark.slow]\n", "not slow", True),
        (LISTED, "not slow", True),
        (LISTED, "not release", False),
        (LATER, "not slow", False),
        ("", "not slow", False),
        ("pytestmark = pytest.mark.slow", "slow", False),
        ("pytestmark = pytest.mark.slow", "not slow or not release", False),
        ("pytestmark = pytest.mark.slow", "not (slow and release)", False),
        ("pytestmark = pytest.mark.slowest", "not slow", False),
    ],
)
def test_a_file_that_is_left_out_is_not_imported(
    source: str, markexpr: str, left: bool, pytestconfig: pytest.Config
) -> None:
    """If its mark is of the whole file, and the expression is as plain as the Makefile's."""
    ours = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    assert ours
    assert ours.left_out(source, markexpr) is left


def test_the_fast_gate_is_chosen_by_marks_alone() -> None:
    """Not by a list of files; every mark is one that pytest knows."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    gate = re.search(r"(?m)^check: .*\n\t@(.+)$", makefile)
    assert gate
    command = re.fullmatch(r'\$\(RUN\) -m pytest -q -m "(.+)" \$\(SPREAD\)', gate[1])
    assert command
    known = re.findall(r'(?m)^    "(\w+): ', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert {*re.findall(r"not (\w+)", command[1])} == {*known} - {"versions"}
