"""The version is one everywhere."""

from __future__ import annotations

import re
import subprocess

from actions.ps7.cli.version import VERSION
from scripts import release
from tests.support.processes import ROOT


def test_the_version_is_one() -> None:
    """That of the command, of the images that Compose and Kubernetes run, and of their label."""
    every = (ROOT / "examples" / "deploy").rglob("*")
    files = (path for path in every if path.is_file() and path.suffix != ".pyc")
    tags = {tag for file in files for tag in re.findall(r"\bps7-\w+:([\w.]+)", file.read_text())}
    (label,) = re.findall(r'image\.version="(.+)"', (ROOT / "Dockerfile").read_text())
    assert {VERSION, label, *tags} == {release.own_version(ROOT)}


def test_no_file_has_what_a_merge_left_to_decide() -> None:
    """The lines around two versions of a place."""
    left = ("git", "grep", "--untracked", "-InE", r"^(<{7}|\|{7}|>{7})( |$)")
    assert subprocess.run(left, cwd=ROOT, check=False, stdout=subprocess.PIPE).stdout == b""
