"""The tests that documents show pass, in a bot as their reader has one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.documents import document, guides
from tests.docs.python_code import path_of
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BOT = ROOT / "examples" / "oss-bot"


def files(name: str) -> dict[str, str]:
    """Give the files of a bot that a document shows, by their paths."""
    shown = {path_of(block): block.code for block in document(name).blocks}
    return {path: code for path, code in shown.items() if path is not None}


WITH_TESTS = [name for name in guides() if any("/test_" in path for path in files(name))]


@pytest.mark.parametrize("name", WITH_TESTS)
def test_the_tests_that_are_shown_pass(name: str, tmp_path: Path) -> None:
    """In a copy of the example bot, with the files that the document shows and no others."""
    bot = tmp_path / "bot"
    shutil.copytree(BOT, bot, ignore=shutil.ignore_patterns("tests", "pytest.ini", "models"))
    shown = files(name)
    for path, code in shown.items():
        (bot / path).parent.mkdir(exist_ok=True)
        (bot / path).write_text(code, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PS7_")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header"],
        cwd=bot,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    tests = sum(code.count("def test_") for code in shown.values())
    assert ran.stdout.splitlines()[-1].startswith(f"{tests} passed"), ran.stdout + ran.stderr
