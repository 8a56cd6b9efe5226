"""CONTRIBUTING.md is true: every folder is on its map, every target and every rule is named."""

from __future__ import annotations

import re
import subprocess

import tomli

from tests.support.processes import ROOT

CONTRIBUTING, RELEASING, README, MAKEFILE = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("CONTRIBUTING.md", "RELEASING.md", "README.md", "Makefile")
)
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def on_the_map() -> set[str]:
    """Read the paths on the map: two blanks for each level, then a name, then what it is."""
    drawn = CONTRIBUTING.partition("## The map\n\n```text\n")[2].partition("\n```")[0]
    found: set[str] = set()
    above: list[str] = []
    for indent, name in re.findall(r"^( *)([\w.-]+/?)  +\S", drawn, re.MULTILINE):
        if name.endswith("/") or not indent:
            above[len(indent) // 2 :] = [name]
            found.add("".join(above))
    return found


def folders(depth: int, under: str = "") -> set[str]:
    """Return the folders of this depth that hold a file of the project."""
    paths = [file.split("/") for file in TRACKED if file.startswith(under)]
    return {"/".join(path[:depth]) + "/" for path in paths if len(path) > depth}


def test_every_folder_is_on_the_map() -> None:
    """A room that is not on it is one that a newcomer does not find."""
    packages = {
        file.removesuffix("__init__.py")
        for file in TRACKED
        if file.startswith("actions/") and file.endswith("/__init__.py")
    }
    inner = (folders(2, "tests/"), folders(2, "examples/"), packages)
    assert all(inner)
    assert folders(1).union(*inner) - on_the_map() == set()


def test_everything_on_the_map_is_there() -> None:
    """Folders as folders, files as files."""
    drawn = on_the_map()
    assert "actions/ps7/testing/simulator/" in drawn
    assert [path for path in drawn if not (ROOT / path).exists()] == []
    assert [path for path in drawn if (ROOT / path).is_dir() and not path.endswith("/")] == []


def test_everything_that_can_be_made_is_named() -> None:
    """In CONTRIBUTING.md or RELEASING.md, or for those who only try it, in the README."""
    assert "test" in TARGETS
    named = set(re.findall(r"make ([a-z-]+)", CONTRIBUTING + README))
    named |= {word for call in re.findall(r"make ([a-z -]+)", RELEASING) for word in call.split()}
    named |= set(re.findall(r"\.ci/run ([a-z-]+)", RELEASING))
    assert TARGETS - named - {"help"} == set()


def test_every_rule_about_imports_is_told() -> None:
    """In plain words, under the name that import-linter reports."""
    pyproject = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    told = re.findall(r"^- \*\*([^*]+?)[.,]?\*\*", CONTRIBUTING, re.MULTILINE)
    assert [contract["name"] for contract in contracts] == told[: len(contracts)]
