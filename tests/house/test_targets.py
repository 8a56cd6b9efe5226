"""What the Makefile and its callers name is there."""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.support.processes import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {*re.findall(r"(?m)^([a-z-]+):(?!=)", MAKEFILE)}
load = YAML(typ="safe").load


def run(*command: str) -> str:
    """Return what a command prints in the project's folder."""
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_a_target_names_files_and_modules_that_exist() -> None:
    """Tests, scripts, pins and programs of this project."""
    folders = "tests|examples|scripts|requirements|actions"
    paths = {*re.findall(rf"(?<![\w/.-])((?:{folders})/[\w/.-]*\w)(?![\w%/*$]|-\$)", MAKEFILE)}
    assert {"tests/unit", "scripts/release.py", "tests/faults/test_fuzz.py"} <= paths
    kept = {each.partition("/node_modules/")[0] for each in paths}
    assert [each for each in kept if not (ROOT / each).exists()] == []
    modules = re.findall(
        r"\$\(RUN\) -m ([\w.]+)|bin/python -m ((?:tests|benchmarks)[\w.]+)", MAKEFILE
    )
    assert [each for pair in modules for each in pair if each and find_spec(each) is None] == []


def test_help_lists_each_target_once() -> None:
    """And each is run whether a file of its name is there or not."""
    listed = re.findall(r"(?m)^  make (\S+) ", run("make", "--silent", "help"))
    assert len(listed) == len({*listed})
    assert {*listed} == TARGETS
    always = " ".join(re.findall(r"(?m)^\.PHONY: (.+)$", MAKEFILE)).split()
    assert sorted(always) == sorted(TARGETS)


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize(
    "file", [ROOT / ".pre-commit-config.yaml", *WORKFLOWS], ids=lambda path: path.name
)
def test_whoever_calls_make_names_a_target(file: Path) -> None:
    """A hook of git, and GitHub's workflows."""
    called = re.findall(r"(?m)\bmake (?:--\w+ )?([a-z]+)(?: \w+=\S+)?$", file.read_text())
    assert called
    assert {*called} <= TARGETS


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_it_names_and_no_more(file: Path) -> None:
    """Actions by their commits, with rights to read; only what publishes the site has others."""
    workflow = load(file)
    jobs = workflow["jobs"].items()
    assert workflow["permissions"] == {"contents": "read"}
    rights = {name: job["permissions"] for name, job in jobs if "permissions" in job}
    publishes = {"publish": {"pages": "write", "id-token": "write"}}
    assert rights == (publishes if file.stem == "site" else {})
    used = [each["uses"] for _, job in jobs for each in job["steps"] if "uses" in each]
    assert [each for each in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each)] == []


def test_the_fast_gate_runs_on_the_oldest_and_the_newest_python() -> None:
    """With the one that was set up, and without rights to push."""
    workflow = load(ROOT / ".github" / "workflows" / "check.yml")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest, *_, newest = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    assert workflow["jobs"]["check"]["strategy"]["matrix"]["python"] == [oldest, newest]
    steps = workflow["jobs"]["check"]["steps"]
    assert steps[0]["with"] == {"persist-credentials": False}
    assert steps[1]["with"] == {"python-version": "${{ matrix.python }}"}
    assert steps[-1]["run"].endswith(" PYTHON=python")


def test_each_path_of_the_owners_exists() -> None:
    """Else nobody is asked about it."""
    lines = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    paths = [line.split()[0].lstrip("/") for line in lines if line.startswith("/")]
    assert [each for each in paths if not [*ROOT.glob(each.rstrip("/"))]] == []


BOTS = sorted(each.parent.name for each in ROOT.glob("examples/*/actions"))


@pytest.mark.parametrize("bot", [*BOTS, "none"])
def test_the_types_of_each_bot_count(bot: str) -> None:
    """A mistake in one is not forgotten over the next: with a mypy that finds it there."""
    (loop,) = re.findall(r"(?m)^\t@(for bot in (?:.*\\\n)*.*)$", MAKEFILE)
    mypy = f'mypy() {{ test "$MYPYPATH" != examples/{bot}/tests; }}'
    script = loop.replace("$(RUN) -m ", "").replace("$$", "$")
    ended = subprocess.run(["sh", "-c", f"{mypy}\n{script}"], cwd=ROOT, check=False)
    assert ended.returncode == (bot != "none")


def test_the_fast_gate_is_chosen_by_marks_alone() -> None:
    """Not by a list of files: what it leaves out says so itself. Each mark is one of ours."""
    gate = re.search(r"(?m)^check: .*\n\t@(.+)$", MAKEFILE)
    assert gate
    command = re.fullmatch(r'\$\(RUN\) -m pytest -q -m "(.+)" \$\(SPREAD\)', gate[1])
    assert command, gate[1]
    known = re.findall(r'(?m)^    "(\w+): ', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert {*re.findall(r"not (\w+)", command[1])} == {*known} - {"versions"}
