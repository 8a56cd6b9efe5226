"""What is in the wheel and in the sdist, and that builds repeat."""

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

pytestmark = pytest.mark.slow

PLUGIN = ROOT / "actions" / "ps7"
FILES = [path for suffix in ("*.py", "*.txt") for path in PLUGIN.rglob(suffix)]
MODULES = {path.relative_to(PLUGIN).as_posix() for path in FILES} | {"py.typed"}
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
    ours = [f"rasa_ps7/{name}" for name in MODULES]
    assert names == sorted([*ours, *(f"{INFO}/{name}" for name in info)])
    assert wheel.name == f"rasa_ps7-{PROJECT['version']}-py3-none-any.whl"


def test_every_dependency_is_one_that_the_tests_pin() -> None:
    """And no other is pinned for its own sake."""
    needed = map(Requirement, PROJECT["dependencies"])
    tried = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8").partition("\n\n")[0]
    names = {each.name.lower() for each in needed if not each.marker}
    assert names == {*re.findall(r"(?m)^[\w.-]+", tried.lower())}


@pytest.mark.release
def test_builds_are_the_same_bytes(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """In another folder, on another day, from files that no other user may read; from the sdist."""
    project, unpacked = clone(tmp_path / "elsewhere"), unpack(sdist, tmp_path / "unpacked")
    for path in project.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)

    assert build(project, "wheel").read_bytes() == wheel.read_bytes()
    assert build(project, "sdist").read_bytes() == sdist.read_bytes()
    assert build(unpacked, "wheel").read_bytes() == wheel.read_bytes()


def test_the_sdist_holds_what_the_wheel_is_built_from(sdist: Path) -> None:
    """And the domain that a bot merges, and what has changed."""
    with tarfile.open(sdist) as archive:
        names = sorted(member.name for member in archive if member.isfile())

    beside = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", ".gitignore"}
    beside |= {"domain.yml", "pyproject.toml", *(f"actions/ps7/{name}" for name in MODULES)}
    assert names == sorted(f"{SDIST}/{name}" for name in beside)
