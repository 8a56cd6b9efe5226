"""A machine that lacks something: `make test` passes there and says so, and `.ci/run` does not."""

from __future__ import annotations

import os
import runpy
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import needs
from tests.support.processes import ROOT, printed, run

LACKS = """
import pytest
from tests.support.needs import lacking
def test_it(): lacking("Node.js", "apt-get install npm chromium")
def test_more(): lacking("a browser", "apt-get install chromium")
def test_another(): lacking("Python 3.10", "pyenv install 3.10")
def test_elsewhere(): pytest.skip("other systems have none")
"""


def test_the_last_line_of_a_run_names_what_skipped_tests_need(
    pytester: pytest.Pytester, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each package once, and then other ways; a test is counted once, not in its worker as well."""
    noted = pytester.path / "a folder" / "noted"
    monkeypatch.setattr(needs, "_FILE", str(noted))
    monkeypatch.setattr(needs, "_COMPLETE", False)
    pytester.makepyfile(LACKS)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    skipped = pytester.inline_run().getreports("pytest_runtest_logreport")
    ours = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    assert ours
    shown = SimpleNamespace(stats={"skipped": [each for each in skipped if each.skipped]})
    for config in (SimpleNamespace(workerinput={}), SimpleNamespace()):
        ours.pytest_terminal_summary(shown, config)
    line = needs.last_line(noted.read_text().splitlines(), ["passed lint", "passed types"])
    assert line == (
        "make test: passed: lint, types; tests skipped: 3. "
        "What they need: apt-get install chromium npm; pyenv install 3.10"
    )


def test_a_test_without_its_program_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `PS7_TESTS_COMPLETE`, which `.ci/run` sets."""
    monkeypatch.setenv("PS7_TESTS_COMPLETE", "true")
    lacking = runpy.run_path(needs.__file__)["lacking"]
    with pytest.raises((pytest.fail.Exception, pytest.skip.Exception)) as raised:
        lacking("Node.js", "apt-get install npm")
    assert raised.type is pytest.fail.Exception
    assert str(raised.value) == "needs Node.js (apt-get install npm)"


OLDER, OWN, NEWER = (f"3.{sys.version_info[1] + beside}" for beside in (-1, 0, 1))


@pytest.mark.parametrize(
    ("python", "only", "versions", "found"),
    [
        (sys.executable, "command", (OWN, OWN), True),
        (sys.executable, "command", (OLDER, OLDER), False),
        (sys.executable, "command", (NEWER, NEWER), False),
        ("python-without-ensurepip", "command", (OWN, OWN), False),
        ("python-of-nowhere", "command", ("3.10", "3.13"), False),
        ("python-of-nowhere", "", ("3.10", "3.13"), True),
    ],
)
def test_a_python_is_taken_that_makes_environments_and_has_the_version(
    python: str, only: str, versions: tuple[str, str], found: bool, tmp_path: Path
) -> None:
    """`make test PYTHON=python3.12` tests 3.12, or says that it is not there."""
    (tmp_path / "ensurepip.py").write_text("raise ImportError")  # Debian has it in python3-venv
    without = tmp_path / "python-without-ensurepip"
    without.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec "{sys.executable}" "$@"\n')
    without.chmod(0o755)
    told = os.environ | {"PYTHON": python, "ONLY": only, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ran = run(ROOT / "scripts" / "find-python", *versions, variables=told)
    assert bool(ran.stdout) is (ran.returncode == 0) is found
    assert (f"{python} does not run here" in ran.stderr) is not found


@pytest.mark.parametrize("name", ["python3", *(f"python3.{minor}" for minor in range(10, 14))])
def test_a_python_is_found_by_each_name_that_it_may_have(name: str, tmp_path: Path) -> None:
    """Also if the machine has no other."""
    (tmp_path / name).symlink_to(sys.executable)
    told = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    assert printed(ROOT / "scripts" / "find-python", OWN, OWN, variables=told)


LACKING = "default-jdk-headless docker-compose kustomize npm prometheus redis-server"
MORE = "buildah docker-cli docker.io iproute2 iptables mmdebstrap podman runc wrk"
BY_FILE = {"chromium", "libjose4j-java", "nginx", "postgresql"}
"""What CI installs where nothing is on the PATH, and what it looks for in another place."""


@pytest.mark.parametrize("fails", ["", "update", "install", ".venv/dev"])
@pytest.mark.parametrize(
    ("target", "lacking"), [("test", LACKING), ("release-check", f"{LACKING} {MORE}")]
)
def test_ci_lets_no_test_be_skipped(tmp_path: Path, target: str, lacking: str, fails: str) -> None:
    """It asks for completeness, and installs before what is not there, or ends.

    Of Python's packages too, which come meanwhile.
    """
    for name, line in {
        "make": 'echo $1 $CI $PS7_TESTS_COMPLETE; test "$1" != "$FAILS"',
        "sudo": 'exec "$@"' if os.geteuid() else "exit 1",
        "apt-get": f'echo "$@" >>{tmp_path}/told; test "$3" != "$FAILS"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("bash", "dirname", "env"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    command = (str(ROOT / ".ci" / "run"), *(target,) * (target != "test"))
    done = run(*command, variables={"PATH": str(tmp_path), "FAILS": fails})
    made = done.stdout.splitlines()
    assert (done.returncode == 0, f"{target} true true" in made) == (not fails, not fails)
    if not fails:
        assert made == [".venv/dev true true", f"{target} true true"]
        _, line = (tmp_path / "told").read_text().splitlines()
        packages = {*line.partition(" --no-install-recommends ")[2].split()}
        assert packages - BY_FILE == {*lacking.split()}
