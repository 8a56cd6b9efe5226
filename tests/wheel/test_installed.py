"""The wheel, installed: the command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.wheel.conftest import Environments
from tests.wheel.environment import run

pytestmark = pytest.mark.release


def test_the_command_is_there(environments: Environments, tmp_path: Path) -> None:
    """As a script, and as a module."""
    python = environments(Path(sys.executable), True)
    help_text = run(python.with_name("rasa-ps7"), "--help", cwd=tmp_path)
    assert help_text.startswith("usage: rasa-ps7 ")
    assert run(python, "-m", "rasa_ps7", "--help", cwd=tmp_path) == help_text
