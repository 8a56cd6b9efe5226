"""The example bots' own tests, run as a bot builder runs them: alone, in the bot's folder."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.processes import ROOT


@pytest.mark.parametrize("bot", ["calm-bot", "oss-bot", "oss-bot-session-start"])
def test_the_tests_of_an_example_pass(bot: str) -> None:
    """With the settings in the bot's own `pytest.ini`, and none of this repository's."""
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT / "examples" / bot,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^[1-9]\d* passed in ", result.stdout, re.MULTILINE), result.stdout
