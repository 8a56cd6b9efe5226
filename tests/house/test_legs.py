"""`make test` runs all of its legs, and says at last which were red: here with false legs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.tree import Tree

pytestmark = pytest.mark.slow

CHECKS, TESTS = {"lint", "types", "imports", "secrets"}, ["plugin", "floor", "around"]
RASA, FLOOR = ".venv-rasa/ready", ".venv-floor/ready"
NOTED = "\n\t@echo $@ >>ran; test ! -e red/$(subst /,-,$@)\n"
EVERYTHING = "make test: everything passed: "
COMPLETE = {"PS7_TESTS_COMPLETE": "true"}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Make one whose legs note that they ran, and fail if a file says so."""
    legs = " ".join([*CHECKS, *TESTS, RASA, FLOOR])
    made = Tree(tmp_path, f".PHONY: {RASA} {FLOOR}\n{legs}:{NOTED}")
    (tmp_path / "red").mkdir()
    (tmp_path / ".pytest_cache").mkdir()
    for kept in ("legs", "skipped"):  # by an earlier run, which was red
        (tmp_path / ".pytest_cache" / kept).write_text("failed before\n")
    return made


def run_all(tree: Tree, *red: str, **variables: str) -> tuple[int, str, list[str]]:
    """Run them on a machine without Python 3.10; some fail."""
    for leg in red:
        (tree.folder / "red" / leg.replace("/", "-")).touch()
    without = ("WEBCHAT=", "BROWSER=", "BACKEND=", "PYTHON310=python-of-nowhere")
    return tree.make("test", *without, **variables)


def test_all_legs_are_run_and_named(tree: Tree) -> None:
    """The checks first, and then one after the other; environments are made meanwhile."""
    code, line, ran = run_all(tree, **COMPLETE)
    assert code == 0
    assert line.startswith(EVERYTHING)
    named = line.removeprefix(EVERYTHING).split(", ")
    assert (named[-3:], {*named}) == (TESTS, {*CHECKS, *TESTS})
    assert [each for each in ran if each in TESTS] == TESTS
    assert {*ran} == {*named, RASA, FLOOR}
    assert {*ran[: ran.index("plugin")]} >= CHECKS
    assert ran.index(FLOOR) < ran.index("floor")
    assert ran.index(RASA) < ran.index("around")


@pytest.mark.parametrize(
    ("broken", "red"),
    [
        (["lint"], {"lint"}),
        (["types", "plugin"], {"types", "plugin"}),
        (["around"], {"around"}),
        ([RASA], {RASA}),
        ([FLOOR], {FLOOR, "floor"}),
    ],
)
def test_a_red_leg_hides_no_other(tree: Tree, broken: list[str], red: set[str]) -> None:
    """All the others are run; the last line names it, and make fails."""
    code, line, ran = run_all(tree, *broken, **COMPLETE)
    assert {*ran} >= {*CHECKS, *TESTS, RASA, FLOOR} - (red - {*broken})
    assert code == 2
    failed, passed = re.findall(r"make test: failed: (.+); passed: (.+)", line)[0]
    assert {*failed.split(", ")} == red
    assert {*passed.split(", ")} == {*CHECKS, *TESTS} - red


def test_the_floor_is_no_leg_without_its_python(tree: Tree) -> None:
    """What a machine lacks fails nothing."""
    code, line, ran = run_all(tree)
    assert code == 0
    assert line.startswith(EVERYTHING)
    assert {*ran} == {*CHECKS, "plugin", "around"}
