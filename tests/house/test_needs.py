"""A machine that lacks something: `make test` passes there and says so, and `.ci/run` does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.support.needs import last_line
from tests.support.processes import ROOT

TEST = (
    "-q",
    "-n1",
    "-p",
    "no:cacheprovider",
    "-k",
    "program and node",
    "tests/examples/test_backend.py",
)


@pytest.mark.parametrize("complete", ["", "true"], ids=["make test", ".ci/run"])
def test_a_test_without_its_program_is_skipped_and_noted_or_fails(
    tmp_path: Path, complete: str
) -> None:
    """Node.js, on a PATH that has nothing."""
    noted = tmp_path / "a folder" / "noted"
    told = {"PS7_TESTS_SKIPPED": str(noted), "PS7_TESTS_COMPLETE": complete, "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *TEST], cwd=ROOT, env=told, check=False, text=True
    )
    assert done.returncode == bool(complete)
    expected = "make test: passed; tests skipped: 1. What they need: apt-get install npm\n"
    command = [sys.executable, "-m", "tests.support.needs", str(noted)]
    said = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout
    assert said == ("make test: everything passed\n" if complete else expected)


@pytest.mark.parametrize("only", ["", "command"], ids=["by default", "named on the command line"])
def test_a_python_that_does_not_run_is_replaced_unless_it_was_named(only: str) -> None:
    """`make test PYTHON=python3.12` tests 3.12, or says that it is not there."""
    find = (ROOT / "scripts" / "find-python", "3.10", "3.13")
    told = {**os.environ, "PYTHON": "python-of-nowhere", "ONLY": only}
    found = subprocess.run(find, env=told, capture_output=True, text=True, check=False)
    assert bool(found.stdout) is (found.returncode == 0) is not bool(only)
    assert ("python-of-nowhere does not run here" in found.stderr) is bool(only)


@pytest.mark.parametrize(("beside", "found"), [(-1, False), (0, True), (1, False)])
def test_a_python_of_another_version_is_not_taken(beside: int, found: bool) -> None:
    """The lowest and the highest are versions that are."""
    version = f"3.{sys.version_info[1] + beside}"
    find = (ROOT / "scripts" / "find-python", version, version)
    told = {**os.environ, "PYTHON": sys.executable, "ONLY": "command"}
    ran = subprocess.run(find, env=told, capture_output=True, text=True, check=False)
    assert bool(ran.stdout) is (ran.returncode == 0) is found


@pytest.mark.parametrize("target", ["test", "release-check"])
def test_ci_lets_no_test_be_skipped(tmp_path: Path, target: str) -> None:
    """It asks for completeness, whatever it has to install before."""
    for name, line in (("make", "echo $1 $CI $PS7_TESTS_COMPLETE"), ("sudo", ""), ("apt-get", "")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    told = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = (str(ROOT / ".ci" / "run"), *(target,) * (target != "test"))
    done = subprocess.run(command, env=told, check=True, text=True, stdout=subprocess.PIPE)
    assert done.stdout == f"{target} true true\n"


def test_the_last_line_names_each_package_once_and_then_other_ways() -> None:
    """In the order of the alphabet."""
    ways = ("apt-get install npm chromium", "pyenv install 3.10", "apt-get install chromium")
    line = last_line([f"needs this ({way})" for way in ways])
    assert line.endswith(": 3. What they need: apt-get install chromium npm; pyenv install 3.10")


def test_the_fast_gate_runs_on_the_oldest_and_the_newest_python() -> None:
    """In GitHub's workflow; pyproject.toml names them."""
    workflow = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "check.yml")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest, *_, newest = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    assert workflow["jobs"]["check"]["strategy"]["matrix"]["python"] == [oldest, newest]
