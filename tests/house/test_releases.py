"""The changelog has the form that it says it has, and the version is one everywhere."""

from __future__ import annotations

import re
from datetime import date

import tomli
from packaging.version import Version

from tests.support.processes import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
VERSION: str = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_the_changelog_has_its_form() -> None:
    """Unreleased first, then versions with their dates, newest first; kinds of changes below."""
    first, *others = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert first == "[Unreleased]"
    dated = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", other) for other in others]
    releases = [(Version(each[1]), date.fromisoformat(each[2])) for each in dated if each]
    assert len(releases) == len(others)
    assert releases == sorted(releases, reverse=True)
    assert [version for version, _ in releases if version > Version(VERSION)] == []
    kinds = re.findall(r"^### (.*)\n\n(- )?", CHANGELOG, re.MULTILINE)
    assert kinds
    assert {kind for kind, _ in kinds} <= KINDS
    assert all(entries for _, entries in kinds)


def test_every_image_has_the_version_of_the_project() -> None:
    """Those that the files for Compose and Kubernetes build and run."""
    said = {
        tag
        for file in (ROOT / "examples" / "deploy").rglob("*")
        if file.is_file()
        for tag in re.findall(r"\bps7-\w+:([\w.]+)", file.read_text(encoding="utf-8"))
    }
    assert said == {VERSION}
