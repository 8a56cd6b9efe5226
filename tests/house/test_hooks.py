"""`make hooks`: the gate in a hook of git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT


def test_a_test_in_a_hook_leaves_the_commit_alone(tmp_path: Path) -> None:
    """Git names the index of the commit to its hooks; tests make repositories of their own."""
    index = tmp_path / "index.lock"
    options = ("-q", "-p", "no:cacheprovider", "-k", "reads_a_secret")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests/unit/test_doctor_settings.py"],
        cwd=ROOT,
        env=os.environ | {"GIT_INDEX_FILE": str(index)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert not index.exists()
