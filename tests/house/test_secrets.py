"""`make secrets` finds keys, and knows those that are made up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

FILTER = "file://scripts/made_up_secrets.py::is_made_up"
KEYS = {
    "of a cloud": 'key = "AKIA' + 'QYLPMN5HHHTVX9FQ"',
    "private": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "of this plugin": 'PS7_SEAL_KEYS=["' + 'v4ZrNJtwT1xSgq0mWb8kYdLh3uQoEaPcX7iRfG2sB9A="]',
    "in an address": "https://bot:" + "Xy7-qRt2@ps7.example.com",
    "a password": 'password = "' + 'Tr0ub4dor+3"',
}
"""Keys that nobody has, in two halves: this file must pass as well."""


def scan(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Scan a file that holds this text as `make secrets` does."""
    file = folder / "settings.py"
    file.write_text(f"{text}\n")
    tool = Path(sys.executable).with_name("detect-secrets-hook")
    command = [str(tool), "--no-verify", "--filter", FILTER, str(file)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_found(tmp_path: Path, key: str) -> None:
    """Of every sort that this project uses, and others that its people use."""
    done = scan(tmp_path, key)
    assert (done.returncode, "settings.py:1" in done.stdout) == (1, True), done.stderr


@pytest.mark.parametrize("text", ['password = "planted-password"', 'PS7_API_KEY = "an api key"'])
def test_a_made_up_one_passes(tmp_path: Path, text: str) -> None:
    """Words in lower case are no key that anybody uses."""
    assert scan(tmp_path, text).returncode == 0


def test_the_makefile_scans_every_file_in_this_way() -> None:
    """With the same options, and without a request to anybody."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f'--no-verify --filter "{FILTER}"' in makefile
    assert (
        "git ls-files -z | xargs -0 -n 64 -P $(WORKERS) .venv/bin/detect-secrets-hook" in makefile
    )
