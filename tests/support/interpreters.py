"""The interpreters that run action servers: this one, and the one that has the oldest versions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.needs import PYTHON_3_10, lacking
from tests.support.processes import ROOT

_FLOOR_PYTHON = Path(os.environ.get("PS7_FLOOR_PYTHON") or ROOT / ".venv-floor" / "bin" / "python")

PYTHONS = [pytest.param(Path(sys.executable), id="here")]
"""To parametrize a fixture with: this one, and the floor's unless they are the same."""
if Path(sys.prefix) != _FLOOR_PYTHON.parent.parent:
    PYTHONS.append(pytest.param(_FLOOR_PYTHON, id="floor", marks=pytest.mark.floor))


def usable(python: Path) -> Path:
    """Return an interpreter that exists. `PS7_FLOOR_PYTHON` names the floor's."""
    if not python.exists():
        lacking("the oldest versions on Python 3.10", PYTHON_3_10)
    return python
