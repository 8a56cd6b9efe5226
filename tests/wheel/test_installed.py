"""The wheel, installed where nothing else is: the command, and the types that it brings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.arriving import arrived
from tests.wheel.environment import Environment

pytestmark = pytest.mark.release

KEY = "a key of thirty-two bytes or more"
CHECKED = Path(__file__).parent / "data" / "checked.py"


def test_the_command_is_there(installed: Environment, tmp_path: Path) -> None:
    """As a script, and as a module; `sign` makes a token that the plugin takes."""

    def said(*command: str | Path) -> str:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={"PS7_ARRIVAL_KEYS": json.dumps([KEY])},
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        return done.stdout

    script = installed.folder / "bin" / "rasa-ps7"
    help_text = said(script, "--help")
    token = said(script, "sign", "ana", "--sender", "sender-1").removesuffix("\n")

    assert help_text.startswith("usage: rasa-ps7 ")
    assert said(installed.python, "-m", "rasa_ps7", "--help") == help_text
    assert arrived(token, [KEY], "sender-1").context_id == "ana"


def test_its_types_are_found(installed: Environment, tmp_path: Path) -> None:
    """By `mypy --strict`: what is right passes, and each mistake is found that is marked as one.

    A mark on a line without a mistake is an error too: types that were lost would be noticed.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"),
            *("--python-executable", installed.python, "--cache-dir", tmp_path / "cache", CHECKED),
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
