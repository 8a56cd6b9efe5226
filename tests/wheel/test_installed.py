"""The wheel, installed: the command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.arriving import arrived

pytestmark = pytest.mark.release

KEY = "a key of thirty-two bytes or more"


def test_the_command_is_there(installed: Path, tmp_path: Path) -> None:
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

    script = installed.with_name("rasa-ps7")
    help_text = said(script, "--help")
    token = said(script, "sign", "ana", "--sender", "sender-1").removesuffix("\n")

    assert help_text.startswith("usage: rasa-ps7 ")
    assert said(installed, "-m", "rasa_ps7", "--help") == help_text
    assert arrived(token, [KEY], "sender-1").context_id == "ana"
