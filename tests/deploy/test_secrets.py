"""The secret files: one command makes them, and the plugin and Rasa take them as they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from examples.deploy import make_secrets
from tests.deploy.deployment import DEPLOY

pytestmark = pytest.mark.release


def values(folder: Path) -> dict[str, str]:
    """Read every file, but for the certificates."""
    return {file.name: file.read_text() for file in folder.glob("[ps]*/*")}


def test_what_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run again, it makes nothing anew, and names what still wants filling in."""
    folder = tmp_path / "secrets"
    username, password = (folder / "ps7" / f"PS7_{name}" for name in ("USERNAME", "PASSWORD"))
    assert make_secrets.write(folder) == [username, password]
    made = values(folder)
    password.write_text("a real one")
    make_secrets.main(["--folder", str(folder)])

    assert capsys.readouterr().out == f"to be filled in: {username}\n"
    assert values(folder) == made | {"PS7_PASSWORD": "a real one"}
    assert len(set(made.values())) == 6, "no two passwords are the same"


def test_certificates_of_your_own_stay_alone(tmp_path: Path) -> None:
    """Where there is an authority's, none is made up: those that are missing are named."""
    tls = tmp_path / "tls"
    tls.mkdir()
    (tls / "ca.crt").write_text("the bank's")
    missing = make_secrets.write(tmp_path)[2:]

    assert [path.name for path in tls.iterdir()] == ["ca.crt"]
    assert missing[:2] == [tls / "actions.crt", tls / "actions.key"]
    assert len(missing) == 12


def test_no_other_user_gets_into_the_folder(deploy_folder: Path) -> None:
    """The files themselves can be read: the user of a container is none of this machine's."""
    folder = deploy_folder / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.glob("*/*")} == {0o644}


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
