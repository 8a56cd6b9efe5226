"""`make digests`, with a program that answers for the registries."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from scripts import hash_pins, pin_images
from tests.support.processes import ROOT

IMAGES = {
    *(f"python:{hash_pins.PYTHON}-slim-trixie", "python:3.10-slim"),
    *("nginxinc/nginx-unprivileged:1.30", "postgres:17", "redis:8", "prom/prometheus:v3.5.0"),
}
"""The first is the Python that the action server's pins are for."""


ASKS = {
    "crane": "digest redis:8",
    "skopeo": "inspect --no-tags --format {{.Digest}} docker://redis:8",
    "docker": "buildx imagetools inspect --format {{.Manifest.Digest}} redis:8",
}


@pytest.mark.parametrize("program", pin_images.PROGRAMS)
def test_each_base_image_is_pinned(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind its tag; once more, it is pinned anew. Nothing else in the files changes.

    Where what the program says is no digest, none is made up.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    no_cache = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "examples" / "deploy", "deploy", ignore=no_cache)
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    texts = {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}

    def says(digest: str) -> None:
        Path(program).write_text(f'#!/bin/sh\necho "$@" >>asked\necho {digest}\n')
        Path(program).chmod(0o755)

    digest = f"sha256:{'0' * 64}"
    for none in ("no such image", f"{digest}; exit 1", f"at {digest}"):
        says(none)
        with pytest.raises(SystemExit, match=f"{program} gives no digest of nginx"):
            pin_images.main(["Dockerfile", "deploy"])
    assert {file: file.read_text() for file in texts} == texts
    for digit in "0f":
        says(f"sha256:{digit * 64}")
        pin_images.main(["Dockerfile", "deploy"])
        written, pin = {file: file.read_text() for file in texts}, f"@sha256:{digit * 64}"
        assert {file: text.replace(pin, "") for file, text in written.items()} == texts
        found = re.findall(rf"([\w./:-]+){pin}", "".join(written.values()))
        assert set(found) == IMAGES
    assert ASKS[program] in Path("asked").read_text().splitlines()
