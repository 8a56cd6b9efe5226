"""The changelog has the form that it says it has, and the version is one everywhere."""

from __future__ import annotations

import re
import sys
from datetime import date
from itertools import pairwise

from packaging.version import Version

from tests.support.processes import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]


def releases(changelog: str) -> list[tuple[str, str]]:
    """Give the version and the date of each release, the newest first."""
    return re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)


def faults(changelog: str, version: str) -> list[str]:
    """Say what is wrong with a changelog, for a project of this version."""
    found = []
    headings = re.findall(r"^## .*$", changelog, re.MULTILINE)
    dated = releases(changelog)
    if headings[:1] != ["## [Unreleased]"]:
        found.append("it does not begin with what is not released")
    if len(headings) != len(dated) + 1:
        found.append("a heading is neither a version with its date nor the first")
    for newer, older in pairwise(dated):
        if Version(newer[0]) <= Version(older[0]) or newer[1] < older[1]:
            found.append(f"{newer[0]} stands before {older[0]}")
    for name, day in dated:
        try:
            date.fromisoformat(day)
        except ValueError:
            found.append(f"{name} has no date")
    if dated and Version(version) < Version(dated[0][0]):
        found.append(f"the version of the project is older than {dated[0][0]}")
    kinds = re.findall(r"^### (.*)$", changelog, re.MULTILINE)
    found += [f"{kind} is no kind of change" for kind in kinds if kind not in KINDS]
    for part in re.split(r"^### ", changelog, flags=re.MULTILINE)[1:]:
        entries = re.split(r"^## ", part, flags=re.MULTILINE)[0].split("\n", 1)[1].strip()
        if not entries.startswith("- "):
            found.append("a kind of change has no entries")
    return found


def test_the_changelog_has_its_form() -> None:
    """Unreleased first, then versions with their dates, newest first; kinds of changes below."""
    assert faults(CHANGELOG, VERSION) == []
    unreleased = CHANGELOG.partition("## [Unreleased]")[2].partition("\n## ")[0]
    assert "### " in unreleased or releases(CHANGELOG)[0][0] == VERSION


def test_a_changelog_that_lost_its_form_is_found() -> None:
    """The check itself, with one fault of each sort."""
    good = (
        "# C\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Fixed\n\n- A.\n\n"
        "## [0.1.0] - 2026-11-30\n"
    )
    assert faults(good, "0.2.0") == faults(good, "0.3.0") == []
    broken = {
        "it does not begin with what is not released": good.replace("[Unreleased]", "[0.3]"),
        "a heading is neither a version with its date nor the first": good.replace(
            " - 2026-12-01", ""
        ),
        "0.2.0 stands before 0.9.0": good.replace("[0.1.0]", "[0.9.0]"),
        "0.2.0 has no date": good.replace("2026-12-01", "2026-13-01"),
        "the version of the project is older than 0.3.0": good.replace("[0.2.0]", "[0.3.0]"),
        "Mended is no kind of change": good.replace("Fixed", "Mended"),
        "a kind of change has no entries": good.replace("- A.\n", ""),
    }
    for fault, changelog in broken.items():
        assert fault in faults(changelog, "0.2.0"), fault


def test_every_image_has_the_version_of_the_project() -> None:
    """Those that the files for Compose and Kubernetes build and run."""
    said = {
        f"{file.relative_to(ROOT)}: {tag}"
        for file in (ROOT / "examples" / "deploy").rglob("*")
        if file.is_file()
        for tag in re.findall(r"\bps7-\w+:([\w.]+)", file.read_text(encoding="utf-8"))
    }
    assert said
    assert {each for each in said if not each.endswith(f": {VERSION}")} == set()
