"""The interpreters beside the one that runs the tests: with the oldest versions, and with Rasa.

Each is found in the environment that `make` made beside the tree, or where a variable says.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.needs import PYTHON_3_10, lacking
from tests.support.processes import ROOT


def where(variable: str, environment: str) -> Path:
    """Return where an interpreter is, or would be."""
    return Path(os.environ.get(variable) or ROOT / environment / "bin" / "python")


_FLOOR_PYTHON = where("PS7_FLOOR_PYTHON", ".venv-floor")

PYTHONS = [pytest.param(Path(sys.executable), id="here")]
"""To parametrize a fixture with: this one, and the floor's unless they are the same."""
if Path(sys.prefix) != _FLOOR_PYTHON.parent.parent:
    PYTHONS.append(pytest.param(_FLOOR_PYTHON, id="floor", marks=pytest.mark.floor))


def usable(python: Path, has: str = "the oldest versions") -> Path:
    """Return an interpreter that exists."""
    if not python.exists():
        lacking(f"{has} on Python 3.10", PYTHON_3_10)
    return python


def rasa_python() -> Path:
    """Return the interpreter that has Rasa."""
    return usable(where("PS7_RASA_PYTHON", ".venv-rasa"), "Rasa")
