"""The version is one everywhere."""

from __future__ import annotations

import re

from actions.ps7.cli.command import VERSION
from scripts import release
from tests.support.processes import ROOT


def test_the_version_is_one() -> None:
    """That of the command, and of the images that the files for Compose and Kubernetes run."""
    every = (ROOT / "examples" / "deploy").rglob("*")
    files = (path for path in every if path.is_file() and path.suffix != ".pyc")
    tags = {tag for file in files for tag in re.findall(r"\bps7-\w+:([\w.]+)", file.read_text())}
    assert {VERSION, *tags} == {release.own_version(ROOT)}
