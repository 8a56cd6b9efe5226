"""The secret files: one command makes them, and the plugin and Rasa take them as they are."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import PS7Settings
from tests.deploy.conftest import make_secrets
from tests.deploy.deployment import DEPLOY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.release


def values(folder: Path) -> dict[str, str]:
    """Read every file."""
    return {file.name: file.read_text() for file in folder.glob("*/*")}


def test_the_plugin_takes_the_files(secrets_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the action server finds them: an address in the environment, the rest in a folder."""
    monkeypatch.chdir(secrets_folder)
    monkeypatch.setenv("PS7_BASE_URL", "https://cec.example.com")
    monkeypatch.setenv("PS7_SECRETS_DIR", str(secrets_folder / "ps7"))

    settings = PS7Settings.load()

    assert settings.username.get_secret_value() == "fill-me-in"
    Fernet(settings.newest_key)


def test_what_is_there_stays(tmp_path: Path) -> None:
    """Run again, it makes nothing anew, and names what still wants filling in."""
    folder = tmp_path / "secrets"
    first = make_secrets(folder)
    made = values(folder)
    (folder / "ps7" / "PS7_PASSWORD").write_text("a real one")
    second = make_secrets(folder)

    assert first == [f"fill in: {folder}/ps7/PS7_USERNAME", f"fill in: {folder}/ps7/PS7_PASSWORD"]
    assert second == [f"fill in: {folder}/ps7/PS7_USERNAME"]
    assert values(folder) == made | {"PS7_PASSWORD": "a real one"}
    assert len(set(made.values())) == 4, "no two passwords are the same"


def test_no_other_user_gets_into_the_folder(secrets_folder: Path) -> None:
    """The files themselves can be read: the user of a container is none of this machine's."""
    assert secrets_folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in secrets_folder.glob("*/*")} == {0o644}


def test_rasa_gets_the_files_as_variables(tmp_path: Path) -> None:
    """`with-secrets` becomes the command it is given, whatever characters a password has."""
    password = """it's "$HOME" & `more`; \\n %s"""
    (tmp_path / "DB_PASSWORD").write_text(f"{password}\n")
    (tmp_path / "REDIS_PASSWORD").write_text("plain")
    (tmp_path / "..data").mkdir()  # as Kubernetes mounts a Secret

    done = subprocess.run(
        ["/bin/sh", DEPLOY / "rasa" / "with-secrets", "printenv", "DB_PASSWORD", "REDIS_PASSWORD"],
        env={"PATH": "/usr/bin:/bin", "RASA_SECRETS_DIR": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout == f"{password}\nplain\n"
