"""README's first lines, typed on each Python with the pip that it brings: minutes, and a network.

Older ones choose by trying: without constraints they end at versions that nobody tested, or never.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.support.needs import lacking
from tests.support.pins import RUNTIME
from tests.support.processes import ROOT, printed, run
from tests.support.reader import block

pytestmark = [pytest.mark.release, pytest.mark.timeout(1200)]

NOT_PINNED = {"pip", "setuptools", "wheel", "rasa-ps7"}


def versions(text: str) -> dict[str, str]:
    """Return the version of each package that a list has, whatever it wants beside it."""
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_the_versions_that_pip_chooses_are_those_that_were_tested(
    version: str, tmp_path: Path
) -> None:
    """All of them, and the command runs."""
    find = (ROOT / "scripts" / "find-python", version, version)
    python = run(*find, variables=os.environ).stdout.strip()
    if not python:
        lacking(f"Python {version}", f"pyenv install {version}, or uv python install {version}")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(python)
    (tmp_path / "rasa-ps7").symlink_to(ROOT)
    bot = tmp_path / "bot"
    bot.mkdir()
    variables = {**os.environ, "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    printed("/bin/sh", "-ec", block("pip install"), cwd=bot, variables=variables)
    pip = bot / ".venv-actions/bin/pip"
    held = printed(pip, "list", "--format=freeze", cwd=bot, variables=variables)
    tested, chosen = versions((ROOT / RUNTIME).read_text(encoding="utf-8")), versions(held)
    assert chosen.keys() >= {"rasa-sdk", "rasa-ps7"}
    others = {name: each for name, each in chosen.items() if tested.get(name) != each}
    assert others.keys() <= NOT_PINNED, others
    assert "usage: rasa-ps7" in printed(bot / ".venv-actions/bin/rasa-ps7", "--help", cwd=bot)
