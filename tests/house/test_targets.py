"""What the Makefile and its callers name is there."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.house.tree import MAKEFILE, Tree
from tests.support.processes import ROOT, printed

TARGETS = {*re.findall(r"(?m)^([a-z-]+):(?!=)", MAKEFILE)}
load = YAML(typ="safe").load


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


SPREAD = "-n 1 --dist loadgroup --no-loadscope-reorder"
LINT = ["-m ruff check", "-m ruff format --check"]
BOTS = ["oss-bot", "oss-bot-session-start", "calm-bot"]
TYPES = ["-m mypy", *["-m mypy --cache-dir .mypy_cache/bots"] * len(BOTS)]
INSTALL = "-m pip install --quiet --no-compile --use-pep517 --requirement"
IMAGE_PINS = " ".join(
    f"--requirement requirements/{each}.txt" for each in ("container", "telemetry")
)
FAST = "not slow and not conversation and not release and not floor"
RUNS = {
    "check": [*LINT, *TYPES, "--no-logo", f"-m pytest -q -m {FAST} {SPREAD}"],
    "plugin": [f"-m pytest -m not release and not floor tests/unit tests/host --cov {SPREAD}"],
    "around": [f"-m pytest --ignore tests/unit --ignore tests/host {SPREAD}"],
    "floor": [f"-m pytest -m versions tests/unit tests/host {SPREAD}"],
    "conversation": ["-m pytest tests/conversation tests/security/rasa"],
    "attacks": ["-m pytest tests/security --ignore=tests/security/rasa"],
    "mutants": ["-m tests.mutants.planted", "-m tests.mutants.run"],
    "release-check": [
        "-m nox",
        f"-m pytest -m release {SPREAD}",
        "-m tests.container images compose",
    ],
    "audit": [f"--strict --disable-pip --require-hashes {IMAGE_PINS}"],
    "site": ["build --strict --config-file docs/site/mkdocs.yml"],
    "pins": [
        "scripts/hash_pins.py requirements/runtime.txt",
        "scripts/hash_pins.py requirements/rasa.txt 3.10 x86_64",
        "scripts/hash_pins.py examples/monitoring/requirements.txt",
    ],
    ".venv-mutants/ready": ["-m venv --clear .venv-mutants", f"{INSTALL} requirements/mutants.txt"],
    ".venv-rasa/ready": [
        "-m venv --clear .venv-rasa",
        f"{INSTALL} requirements/rasa.txt",
        f"{INSTALL} requirements/in-rasa.txt --no-warn-conflicts",
        f"{INSTALL} examples/channels/requirements.txt --no-warn-conflicts",
    ],
}
"""What the programs of a target are told, one after the other."""


def make(tree: Tree, target: str, fails: int = 0) -> tuple[bool, list[str]]:
    """Make a target: whether that went well, and what was run; of them, one may fail."""
    found = ("find_python=echo ./program", "find_python310=echo ./program")
    code, _, ran = tree.make(target, "WORKERS=1", "JOBS=1", *found, FAILS=str(fails))
    return code == 0, [each.strip() for each in ran]


@pytest.mark.parametrize("target", RUNS)
def test_a_target_runs_all_that_it_names_and_ends_with_the_first_that_fails(
    target: str, tmp_path: Path
) -> None:
    """It says so, and nothing is taken for installed or overwritten then."""
    tree, runs = Tree(tmp_path), RUNS[target]
    made, pins = tmp_path / target, tmp_path / "requirements" / "container.txt"
    for fails in range(1, len(runs) + 1):
        if target.startswith(".venv"):
            made.unlink(missing_ok=True)
        assert make(tree, target, fails) == (False, runs[:fails])
        assert not target.startswith(".venv") or not made.exists()
        assert fails > 1 or pins.read_text() == "as it was\n"
    assert make(tree, target) == (True, runs)


def test_an_environment_of_another_tree_is_left_alone(tmp_path: Path) -> None:
    """A link leads to it: `venv --clear` would empty it."""
    tree, there = Tree(tmp_path), tmp_path / "another"
    (tmp_path / ".venv-mutants").rename(there)
    (tmp_path / ".venv-mutants").symlink_to(there)
    (there / "ready").unlink()
    assert make(tree, ".venv-mutants/ready") == (False, [])


def test_clean_leaves_the_environments(tmp_path: Path) -> None:
    """And takes what Python compiled elsewhere."""
    tree = Tree(tmp_path)
    kept, gone = (tmp_path / each / "__pycache__" for each in (".venv/bin", "tests"))
    for each in (kept, gone):
        each.mkdir(parents=True)
    assert make(tree, "clean") == (True, [])
    assert (kept.exists(), gone.exists()) == (True, False)


def test_help_lists_each_target_once() -> None:
    """And what switches it. Each is run whether a file of its name is there or not."""
    listed = re.findall(r"(?m)^  make (\S+) ", printed("make", "--silent", "help"))
    assert len(listed) == len({*listed})
    assert {*listed} == TARGETS
    switches = {*re.findall(r"\$\(if \$\((\w+)\),--", MAKEFILE)}
    assert switches == {*re.findall(r"##.* ([A-Z]+)=(?:1|path): ", MAKEFILE)}
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
    assert all(job["timeout-minutes"] <= 15 for _, job in jobs)
    needs = {name: job["needs"] for name, job in jobs if "needs" in job}
    assert needs == ({"publish": "build"} if file.stem == "site" else {})
    steps = [each for _, job in jobs for each in job["steps"]]
    for each in steps:
        if each.get("uses", "").startswith("actions/checkout@"):
            assert each["with"] == {"persist-credentials": False}
    used = [each["uses"] for each in steps if "uses" in each]
    assert [each for each in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each)] == []


def test_the_fast_gate_runs_on_the_oldest_and_the_newest_python() -> None:
    """With the one that was set up, at each push and for others' changes; the site with one."""
    workflow = load(ROOT / ".github" / "workflows" / "check.yml")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest, *_, newest = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    assert workflow["jobs"]["check"]["strategy"]["matrix"]["python"] == [oldest, newest]
    assert workflow["on"] == ["push", "pull_request"]
    assert workflow["jobs"]["site"]["steps"][1]["with"] == {"python-version": newest}
    steps = workflow["jobs"]["check"]["steps"]
    assert steps[1]["with"] == {"python-version": "${{ matrix.python }}"}
    assert steps[-1]["run"].endswith(" PYTHON=python")


def test_each_path_of_the_owners_exists() -> None:
    """Else nobody is asked about it."""
    lines = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    paths = [line.split()[0].lstrip("/") for line in lines if line.startswith("/")]
    assert [each for each in paths if not [*ROOT.glob(each.rstrip("/"))]] == []
