"""`make digests`, with a program that answers for the registries."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from scripts import pin_images
from tests.support.processes import ROOT

IMAGES = {
    *("python:3.13-slim-trixie", "python:3.10-slim", "nginxinc/nginx-unprivileged:1.28"),
    *("postgres:17", "redis:8"),
}


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Path, str]:
    """Copy the files that name an image, and take every program away."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin")
    shutil.copytree(ROOT / "examples" / "deploy", "deploy")
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    return {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}


def says(program: str, said: str) -> None:
    """Let there be a program, which says this whatever it is asked."""
    file = Path("bin") / program
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\necho {said}\n")
    file.chmod(0o755)


@pytest.mark.parametrize("program", pin_images.PROGRAMS)
def test_each_base_image_is_pinned(program: str, texts: dict[Path, str]) -> None:
    """Behind its tag; once more, it is pinned anew. Nothing else in the files changes."""
    for digit in "0f":
        says(program, f"sha256:{digit * 64}")
        pin_images.main(["Dockerfile", "deploy"])
        written = {file: file.read_text() for file in texts}
        pin = f"@sha256:{digit * 64}"
        assert {file: text.replace(pin, "") for file, text in written.items()} == texts
        found = {image for text in written.values() for image in re.findall(rf"(\S+){pin}", text)}
        assert {image.partition("=")[2] or image for image in found} == IMAGES


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (None, "one of these has to be there: crane, skopeo, docker"),
        ("no such image", "crane gives no digest of nginxinc/nginx-unprivileged:1.28"),
    ],
)
def test_no_digest_is_invented(said: str | None, problem: str, texts: dict[Path, str]) -> None:
    """Where a registry does not say it, nothing is written."""
    if said:
        says("crane", said)
    with pytest.raises(SystemExit, match=problem):
        pin_images.main(["Dockerfile", "deploy"])
    assert {file: file.read_text() for file in texts} == texts
