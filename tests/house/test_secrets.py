"""`make secrets` takes a password for made up if all of it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from scripts.made_up_secrets import is_made_up
from tests.support.processes import ROOT, run


@pytest.mark.parametrize(
    ("found", "made_up"),
    [
        ("lower-case words", True),
        ("Planted-Pa55word", True),
        ("lower-case-and-Q7", False),
        ("a-key-9", False),
        ("ps7 and more 1", False),
    ],
)
def test_all_of_a_made_up_password_is_words_or_says_so(found: str, made_up: bool) -> None:
    """One that begins with a small letter may be anybody's."""
    assert is_made_up(found) is made_up


def test_a_file_is_looked_through_until_nothing_is_found_and_when_it_changes(
    tmp_path: Path,
) -> None:
    """All of them are if what finds secrets, or what is known, changes."""
    scripts, pins = tmp_path / "scripts", tmp_path / "requirements"
    known, kinds = scripts / "made_up_secrets.py", pins / "dev.txt"
    hook = tmp_path / ".venv" / "bin" / "detect-secrets-hook"
    for file in (known, kinds, hook, tmp_path / "a file", tmp_path / ".venv" / "dev"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("nothing")
    hook.write_text('#!/bin/sh\nshift 3\nprintf "%s\\n" "$@" >>ran\n! grep -q planted-key "$@"\n')
    hook.chmod(0o755)
    (tmp_path / "a link").symlink_to(scripts)
    shutil.copy(ROOT / "Makefile", tmp_path)
    git = partial(subprocess.run, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    git(("git", "init", "--quiet"))
    git(("git", "add", "Makefile", "a file", "a link", "scripts", "requirements"))

    def looked_through() -> tuple[bool, set[str]]:
        (tmp_path / "ran").write_text("")
        ended = run("make", "secrets", "-o", ".venv/dev", "WORKERS=1", cwd=tmp_path)
        return ended.returncode == 0, {*(tmp_path / "ran").read_text().splitlines()} - {""}

    everything = {"Makefile", "a file", "scripts/made_up_secrets.py", "requirements/dev.txt"}
    assert looked_through() == (True, everything)
    assert looked_through() == (True, set())
    (tmp_path / "a file").write_text("planted-key")
    assert looked_through() == (False, {"a file"})
    assert looked_through() == (False, {"a file"})
    (tmp_path / "a file").write_text("nothing more")
    assert looked_through() == (True, {"a file"})
    for file in (known, kinds):
        os.utime(file, (time.time() + 5, time.time() + 5))
        assert looked_through() == (True, everything)
        os.utime(file, (0, 0))
