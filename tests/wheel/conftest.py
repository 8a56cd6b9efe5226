"""What the tests of the wheel share: the wheel, built once, and environments for both SDKs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.wheel import environment
from tests.wheel.building import build, clone

Environments = Callable[[Path, bool], Path]
"""Takes an interpreter, and whether the wheel is installed beside what the wheel needs."""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel once."""
    return build(clone(tmp_path_factory.mktemp("wheel") / "project"), "wheel")


@pytest.fixture(scope="session")
def environments(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Make environments where they are first needed."""

    @cache
    def make(python: Path, with_wheel: bool) -> Path:
        folder = tmp_path_factory.mktemp("environment")
        return environment.make(folder, python, wheel if with_wheel else None)

    return make
