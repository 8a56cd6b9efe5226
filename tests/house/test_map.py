"""The map in CONTRIBUTING.md has every folder, and no other."""

from __future__ import annotations

import re
import subprocess
from pathlib import PurePath

from tests.docs.documents import document
from tests.support.processes import ROOT


def test_the_map_has_every_folder() -> None:
    """Of the project, of its tests and examples, and every package of the plugin."""
    search = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(search, cwd=ROOT, capture_output=True, text=True, check=True)
    files = [PurePath(line) for line in listed.stdout.splitlines()]
    packages = {file.parent for file in files if file.name == "__init__.py"}
    folders = {folder for file in files for folder in file.parents if folder.name}
    shown = {
        folder.as_posix()
        for folder in folders
        if len(folder.parts) == 1
        or (len(folder.parts) == 2 and folder.parts[0] in {"tests", "examples"})
        or (folder.parts[0] == "actions" and folder in packages)
    }
    above: list[str] = []
    drawn = set()
    (block,) = (each for each in document("CONTRIBUTING.md").blocks if each.language == "text")
    for indent, name in re.findall(r"^( *)([\w.-]+)/", block.code, re.MULTILINE):
        above[len(indent) // 2 :] = [name]
        drawn.add("/".join(above))
    assert drawn == shown
