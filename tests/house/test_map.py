"""CONTRIBUTING.md is true: every folder is on its map, every target and every rule is named."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.processes import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RELEASING = (ROOT / "RELEASING.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def on_the_map() -> set[str]:
    """Give the paths on the map: two blanks for each floor, then a name, then what it is."""
    (drawn,) = re.findall(
        r"^## The map\n\n```text\n(.*?)^```", CONTRIBUTING, re.MULTILINE | re.DOTALL
    )
    found: set[str] = set()
    above: list[str] = []
    for indent, name in re.findall(r"^( *)([\w.-]+/?)  +\S", drawn, re.MULTILINE):
        if name.endswith("/") or not indent:
            above[len(indent) // 2 :] = [name]
            found.add("".join(above))
    return found


def tracked() -> list[str]:
    """Give the files of the project, those that git is told to ignore left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return listed.splitlines()


def folders(depth: int, under: str = "") -> set[str]:
    """Give the folders of this depth that hold a file of the project."""
    paths = [file.split("/") for file in tracked() if file.startswith(under)]
    return {"/".join(path[:depth]) + "/" for path in paths if len(path) > depth}


def packages(under: str) -> set[str]:
    """Give the packages below a folder, itself included."""
    marker = "/__init__.py"
    files = [file for file in tracked() if file.startswith(under) and file.endswith(marker)]
    return {file.removesuffix(marker) + "/" for file in files}


def targets() -> list[str]:
    """Give what `make help` lists."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(folders(1), id="top"),
        pytest.param(packages("actions/"), id="actions"),
        pytest.param(folders(2, "tests/"), id="tests"),
        pytest.param(folders(2, "examples/"), id="examples"),
    ],
)
def test_every_folder_is_on_the_map(wanted: set[str]) -> None:
    """A room that is not on it is one that nobody finds."""
    assert wanted
    assert wanted - on_the_map() == set()


def test_everything_on_the_map_is_there() -> None:
    """Folders as folders, files as files."""
    drawn = on_the_map()
    assert "actions/ps7/testing/simulator/" in drawn
    assert [path for path in drawn if not (ROOT / path).exists()] == []
    assert [path for path in drawn if (ROOT / path).is_dir() and not path.endswith("/")] == []


def test_everything_that_can_be_made_is_named() -> None:
    """In CONTRIBUTING.md or RELEASING.md, or for those who only try it, in the README."""
    assert "test" in targets()
    named = set(re.findall(r"make ([a-z]+)\b", CONTRIBUTING + RELEASING + README))
    named |= {each for line in re.findall(r"make ([a-z ]+)", RELEASING) for each in line.split()}
    assert sorted(set(targets()) - named - {"help"}) == []


def test_every_rule_about_imports_is_told() -> None:
    """In plain words, under the name that import-linter reports."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    told = re.findall(r"^- \*\*([^*]+?)[.,]?\*\*", CONTRIBUTING, re.MULTILINE)
    assert [contract["name"] for contract in contracts] == told[: len(contracts)]
