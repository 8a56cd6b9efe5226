"""`make secrets` finds keys, and knows those that are made up."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT


@pytest.mark.parametrize(
    ("line", "exit_code"),
    [
        ('key = "AKIA' + 'QYLPMN5HHHTVX9FQ"', 1),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", 1),
        ('PS7_SEAL_KEYS=["' + 'v4ZrNJtwT1xSgq0mWb8kYdLh3uQoEaPcX7iRfG2sB9A="]', 1),
        ("https://bot:" + "Xy7-qRt2@ps7.example.com", 1),
        ('password = "planted-password"', 0),
    ],
)
def test_a_key_is_found(tmp_path: Path, line: str, exit_code: int) -> None:
    """Keys that nobody has, each in two halves: this file must pass as well."""
    (options,) = re.findall(r"detect-secrets-hook (.*)", (ROOT / "Makefile").read_text("utf-8"))
    file = tmp_path / "settings.py"
    file.write_text(f"{line}\n", encoding="utf-8")
    tool = Path(sys.executable).with_name("detect-secrets-hook")
    done = subprocess.run([tool, *shlex.split(options), file], cwd=ROOT, check=False)
    assert done.returncode == exit_code
