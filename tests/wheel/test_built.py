"""What is in the wheel and in the sdist, what they say of themselves, and that builds repeat."""

from __future__ import annotations

import os
import re
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
import tomli
from packaging.requirements import Requirement

from tests.support.processes import ROOT
from tests.wheel.building import build, clone, unpack
from tests.wheel.environment import metadata

MOST_BYTES = 198_000
"""Of the wheel: the plugin, its optional rooms with their docstrings, and the README."""

PLUGIN = ROOT / "actions" / "ps7"
MODULES = {path.relative_to(PLUGIN).as_posix() for path in PLUGIN.rglob("*.py")} | {"py.typed"}
PROJECT = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INFO = f"rasa_ps7-{PROJECT['version']}.dist-info"
SDIST = f"rasa_ps7-{PROJECT['version']}"


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist once."""
    return build(clone(tmp_path_factory.mktemp("sdist") / "project"), "sdist")


def test_the_wheel_holds_the_plugin_and_nothing_else(wheel: Path) -> None:
    """Every module under its own name, the marker of its types, and what a wheel must have."""
    with ZipFile(wheel) as archive:
        names = sorted(archive.namelist())

    info = ("METADATA", "WHEEL", "entry_points.txt", "licenses/LICENSE", "RECORD")
    assert names == sorted(
        [*(f"rasa_ps7/{name}" for name in MODULES), *(f"{INFO}/{name}" for name in info)]
    )
    assert wheel.name == f"rasa_ps7-{PROJECT['version']}-py3-none-any.whl"
    assert wheel.stat().st_size < MOST_BYTES


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Every field of its metadata, with the addresses that pyproject.toml has."""
    fields = metadata(wheel)
    said = {name: fields.get_all(name, []) for name in fields}

    needed = {Requirement(text) for text in said.pop("Requires-Dist")}
    assert needed == {Requirement(text) for text in PROJECT["dependencies"]}
    tried = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8").partition("\n\n")[0]
    names = {each.name.lower() for each in needed if not each.marker}
    assert names == {*re.findall(r"(?m)^[\w-]+", tried.lower())}
    assert said == {
        "Metadata-Version": ["2.4"],
        "Name": ["rasa-ps7"],
        "Version": [PROJECT["version"]],
        "Summary": [PROJECT["description"]],
        "Author": ["the rasa-ps7 authors"],
        "License-Expression": ["MIT"],
        "License-File": ["LICENSE"],
        "Keywords": [",".join(PROJECT["keywords"])],
        "Classifier": PROJECT["classifiers"],
        "Requires-Python": ["<3.14,>=3.10"],
        "Project-URL": [f"{name}, {url}" for name, url in PROJECT["urls"].items()],
        "Description-Content-Type": ["text/markdown"],
    }
    assert fields.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.release
def test_two_builds_are_the_same_bytes(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """In another folder, on another day, from files that no other user may read."""
    project = clone(tmp_path / "elsewhere")
    for path in project.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)

    for first, kind in ((wheel, "wheel"), (sdist, "sdist")):
        again = build(project, kind)
        assert (again.name, again.read_bytes()) == (first.name, first.read_bytes())


def test_the_sdist_holds_what_the_wheel_is_built_from(sdist: Path) -> None:
    """And the domain that a bot merges, and what has changed."""
    with tarfile.open(sdist) as archive:
        names = sorted(member.name for member in archive if member.isfile())

    beside = (
        *("CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md"),
        *("domain.yml", "pyproject.toml", ".gitignore"),
    )
    assert names == sorted(
        [*(f"{SDIST}/actions/ps7/{name}" for name in MODULES), *(f"{SDIST}/{n}" for n in beside)]
    )


@pytest.mark.release
def test_the_sdist_builds_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """Byte for byte."""
    again = build(unpack(sdist, tmp_path / "unpacked"), "wheel")

    assert again.read_bytes() == wheel.read_bytes()
