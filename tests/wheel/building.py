"""Builds the project from a copy of it, with the back-end that is installed here."""

from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path

from tests.support.processes import ROOT, printed

SOURCES = ("actions", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "domain.yml")


def clone(folder: Path) -> Path:
    """Copy the project, with what lies about where people work with it: none of it is ours."""
    folder.mkdir()
    for name in (*SOURCES, ".gitignore"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)
    (folder / "actions" / "ps7" / ".env").write_text("PS7_PASSWORD=planted\n")
    cache = folder / "actions" / "ps7" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "planted.cpython-311.pyc").write_bytes(b"planted")
    return folder


def build(project: Path, kind: str) -> Path:
    """Build the wheel or the sdist of a project."""
    printed(sys.executable, "-m", "hatchling", "build", "--target", kind, cwd=project)
    (built,) = (project / "dist").glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist; return the project in it."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (project,) = folder.iterdir()
    return project
