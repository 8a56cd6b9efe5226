"""`make test` runs all of its legs, and says at last which were red: here with false legs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

CHECKS, TESTS = {"lint", "types", "imports", "secrets"}, ["plugin", "floor", "around"]
RASA, FLOOR = ".venv-rasa/ready", ".venv-floor/ready"
NOTED = "\n\t@echo $@ >>ran; test ! -e red/$(subst /,-,$@)\n"
EVERYTHING = "make test: everything passed: "


class Tree:
    """A folder with the Makefile, whose legs note that they ran, and fail if a file says so."""

    def __init__(self, folder: Path) -> None:
        text = (ROOT / "Makefile").read_text("utf-8")
        for name in re.findall(r"[\w/]*requirements[\w/-]*\.txt", text):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        (folder / ".venv" / "bin").mkdir(parents=True)
        (folder / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (folder / ".venv" / "bin" / "python").chmod(0o755)
        (folder / "red").mkdir()
        (folder / ".pytest_cache").mkdir()
        for kept in ("legs", "skipped"):  # by an earlier run, which was red
            (folder / ".pytest_cache" / kept).write_text("failed before\n")
        (folder / "scripts").symlink_to(ROOT / "scripts")
        legs = " ".join([*CHECKS, *TESTS, RASA, FLOOR])
        (folder / "Makefile").write_text(f"{text}\n.venv/runtime .venv/dev: ;\n{legs}:{NOTED}")
        self._folder = folder

    def test(self, *red: str, lacks: str = "") -> tuple[int, str, list[str]]:
        """Run it; return the exit code, the last line, and what ran in which order."""
        for leg in red:
            (self._folder / "red" / leg.replace("/", "-")).touch()
        path = os.environ["PATH"] if lacks != "npm" else "/nowhere"
        told = {"PATH": f"{self._folder}:{path}", "PYTHONPATH": str(ROOT)}
        none = {} if lacks else {"PS7_TESTS_COMPLETE": "true"}
        made = subprocess.run(
            ("make", "test", "WEBCHAT=", "BROWSER=", "BACKEND=", "PYTHON310=python-of-nowhere"),
            cwd=self._folder,
            env=told | none,
            capture_output=True,
            text=True,
            check=False,
        )
        ran = (self._folder / "ran").read_text().split()
        assert made.stdout, made.stderr
        return made.returncode, made.stdout.splitlines()[-1], ran


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_all_legs_are_run_and_named(tree: Tree) -> None:
    """The checks first, and then one after the other; environments are made meanwhile."""
    code, line, ran = tree.test()
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
    code, line, ran = tree.test(*broken)
    assert {*ran} >= {*CHECKS, *TESTS, RASA, FLOOR} - (red - {*broken})
    assert code == 2
    failed, passed = re.findall(r"make test: failed: (.+); passed: (.+)", line)[0]
    assert {*failed.split(", ")} == red
    assert {*passed.split(", ")} == {*CHECKS, *TESTS} - red


def test_the_floor_is_no_leg_without_its_python(tree: Tree) -> None:
    """What a machine lacks fails nothing."""
    code, line, ran = tree.test(lacks="Python 3.10")
    assert code == 0
    assert line.startswith(EVERYTHING)
    assert {*ran} == {*CHECKS, "plugin", "around"}
