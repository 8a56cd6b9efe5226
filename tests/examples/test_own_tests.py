"""The example bots' own tests, run as a bot builder runs them: alone, in a copy of the bot."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.support.processes import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("bot", ["calm-bot", "oss-bot", "oss-bot-session-start"])
def test_the_tests_of_an_example_pass(bot: str, tmp_path: Path) -> None:
    """With the settings in the bot's own `pytest.ini`, and none of this repository's.

    Its links are files in a copy: `cp -rL`.
    """
    copy = shutil.copytree(ROOT / "examples" / bot, tmp_path / bot)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"],
        cwd=copy,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if result.returncode or not re.search(r"(?m)^[1-9]\d* passed in ", result.stdout):
        pytest.fail(f"{bot}, exit code {result.returncode}:\n{result.stdout}", pytrace=False)


def test_what_rules_read_is_declared_again_as_the_plugin_does() -> None:
    """A value that is missing here would be no value of the slot; only its influence differs."""
    domain, load = ROOT / "examples" / "oss-bot" / "domain", YAML(typ="safe").load
    own, plugins = (load(domain / file)["slots"] for file in ("bot.yml", "ps7/domain.yml"))
    again = own.keys() & plugins.keys()
    assert again == {"ps7_status", "identification", "token_status"}
    for name in again:
        assert own[name] == {**plugins[name], "influence_conversation": True}, name
