"""What the tests of the deployment share: the secret files, made as a person makes them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.deploy.deployment import DEPLOY

if TYPE_CHECKING:
    from pathlib import Path


def make_secrets(folder: Path) -> list[str]:
    """Run the command; return the lines that it prints."""
    command = [sys.executable, str(DEPLOY / "make_secrets.py"), "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="session")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the secret files once."""
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    make_secrets(folder)
    return folder


@pytest.fixture(scope="session")
def secrets(secrets_folder: Path) -> dict[str, set[str]]:
    """Return each Secret of Kubernetes, a folder, with the keys in it, its files."""
    return {each.name: {file.name for file in each.iterdir()} for each in secrets_folder.iterdir()}
