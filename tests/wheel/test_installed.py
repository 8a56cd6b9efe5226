"""The wheel, installed: the command, and what pip finds of its needs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.interpreters import PYTHONS, usable
from tests.support.processes import printed

pytestmark = pytest.mark.release


def test_the_command_is_there(installed: Path, tmp_path: Path) -> None:
    """As a script, and as a module."""
    script, module = (installed / "bin" / "rasa-ps7",), (sys.executable, "-m", "rasa_ps7")
    help_text, same = (
        printed(*command, "--help", cwd=tmp_path, variables={"PYTHONPATH": str(installed)})
        for command in (script, module)
    )
    assert help_text.startswith("usage: rasa-ps7 ")
    assert same == help_text


@pytest.mark.parametrize("python", PYTHONS)
def test_an_interpreter_has_what_the_wheel_says_it_needs(
    python: Path, wheel: Path, tmp_path: Path
) -> None:
    """Without an index pip would miss what is not there."""
    pip = (sys.executable, "-m", "pip", "--python", usable(python))
    printed(*pip, "install", "--dry-run", "--no-index", wheel, cwd=tmp_path)
