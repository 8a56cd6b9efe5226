"""What the tests of the wheel share: the wheel, built once and installed once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.processes import printed
from tests.wheel.building import build, clone


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel once."""
    return build(clone(tmp_path_factory.mktemp("wheel") / "project"), "wheel")


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone; what it needs, the interpreters have."""
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "-t", folder)
    printed(*pip, wheel, cwd=folder)
    return folder
