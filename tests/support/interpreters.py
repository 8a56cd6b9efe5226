"""The interpreters that run action servers: this one, and the one that has the oldest versions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

_FLOOR_PYTHON = Path(os.environ.get("PS7_FLOOR_PYTHON") or ROOT / ".venv-floor" / "bin" / "python")

PYTHONS = [pytest.param(Path(sys.executable), id="here")]
"""To parametrize a fixture with: this one, and the floor's unless they are the same."""
if Path(sys.prefix) != _FLOOR_PYTHON.parent.parent:
    PYTHONS.append(pytest.param(_FLOOR_PYTHON, id="floor", marks=pytest.mark.floor))


def usable(python: Path) -> Path:
    """Return an interpreter that exists; skip the test where it does not, and fail it in CI."""
    if not python.exists():
        reason = (
            "needs a Python 3.10 that has requirements/floor.txt: "
            f"{python} does not exist, and PS7_FLOOR_PYTHON can name another"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return python
