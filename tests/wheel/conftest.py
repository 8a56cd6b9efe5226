"""What the tests of the wheel share: the wheel, built once, and environments for both SDKs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.wheel.building import build, clone
from tests.wheel.environment import Environments


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel once."""
    return build(clone(tmp_path_factory.mktemp("wheel") / "project"), "wheel")


@pytest.fixture(scope="session")
def environments(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Make environments where they are first needed."""
    return Environments(wheel, tmp_path_factory.mktemp("environments"))


@pytest.fixture
def installed(environments: Environments) -> Path:
    """Return the interpreter of an environment in which the wheel is installed."""
    return environments[Path(sys.executable), True]
