"""The secret files: one command makes them, and the plugin and Rasa take them as they are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import (
    DNSName,
    IPAddress,
    load_pem_x509_certificate,
    load_pem_x509_certificates,
)
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from actions.ps7 import PS7Settings
from examples.deploy import make_secrets
from tests.deploy.deployment import DEPLOY, load
from tests.docs.documents import document
from tests.support.processes import run


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


def test_the_plugin_takes_the_files(
    deploy_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As they are: keys of a length and form that it does not refuse. Passwords are no words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PS7_SECRETS_DIR", str(deploy_folder / "secrets" / "ps7"))
    monkeypatch.setenv("PS7_BASE_URL", "https://ps7.example.com")
    settings = PS7Settings.load()
    assert settings.seal_keys
    assert settings.arrival_keys
    stores = [*(deploy_folder / "secrets" / "stores").iterdir()]
    assert len(stores) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", file.read_text()) for file in stores)


def test_certificates_of_your_own_stay_alone(tmp_path: Path) -> None:
    """Where there is an authority's, none is made up: those that are missing are named."""
    tls = tmp_path / "tls"
    tls.mkdir()
    (tls / "ca.crt").write_text("the bank's")
    missing = make_secrets.write(tmp_path)[2:]

    assert [path.name for path in tls.iterdir()] == ["ca.crt"]
    assert missing[:2] == [tls / "actions.crt", tls / "actions.key"]
    assert len(missing) == 12


def who_knows(tls: Path) -> PolicyBuilder:
    """Return what trusts the authority of a folder."""
    authorities = load_pem_x509_certificates((tls / "ca.crt").read_bytes())
    return PolicyBuilder().store(Store(authorities))


@pytest.mark.parametrize("name", make_secrets.SERVERS)
def test_whoever_knows_the_authority_trusts_a_server(name: str, deploy_folder: Path) -> None:
    """By each name that it is called by, for a year, and with the key that lies beside it."""
    tls = deploy_folder / "secrets" / "tls"
    shown = load_pem_x509_certificate((tls / f"{name}.crt").read_bytes())
    key = load_pem_private_key((tls / f"{name}.key").read_bytes(), None)
    cluster = load(DEPLOY / "kubernetes" / "kustomization.yaml")["namespace"]
    names = [name, f"{name}.{cluster}.svc", "localhost"]
    trust = who_knows(tls)
    for each in names + ["assistant.example.com"] * (name == "proxy"):
        trust.build_server_verifier(DNSName(each)).verify(shown, [])
    trust.build_server_verifier(IPAddress(IPv4Address("127.0.0.1"))).verify(shown, [])
    for moment in (timedelta(days=364), timedelta(minutes=-4)):  # clocks differ
        then = trust.time(datetime.now(timezone.utc) + moment)
        then.build_server_verifier(DNSName(name)).verify(shown, [])
    assert key.public_key() == shown.public_key()
    with pytest.raises(VerificationError):
        trust.build_server_verifier(DNSName("another")).verify(shown, [])


def trusts(tls: Path, shown: Path) -> bool:
    """Whether an authority of one folder signed each certificate of another."""
    verifier = who_knows(tls).build_server_verifier(DNSName("localhost"))
    for file in shown.glob("[!c]*.crt"):
        try:
            verifier.verify(load_pem_x509_certificate(file.read_bytes()), [])
        except VerificationError:
            return False
    return True


def test_a_new_authority_comes_without_a_break(tmp_path: Path) -> None:
    """By the steps of the README: before and after each, both sides trust the other."""
    (block,) = (
        each.code for each in document("examples/deploy/README.md").blocks if "old/ca" in each.code
    )
    _, *steps = block.splitlines()
    folder = tmp_path / "secrets"
    make_secrets.write(folder)
    told = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    states = [tmp_path / "0"]
    shutil.copy(DEPLOY / "make_secrets.py", tmp_path)
    shutil.copytree(folder / "tls", states[0])
    for step in steps:
        subprocess.run(["/bin/sh", "-ec", step], cwd=folder, env=told, check=True)
        if (folder / "tls").exists():
            states.append(tmp_path / str(len(states)))
            shutil.copytree(folder / "tls", states[-1])
    assert [path.name for path in states] == ["0", "1", "2", "3"]
    assert all(trusts(one, other) and trusts(other, one) for one, other in pairwise(states))
    assert not trusts(states[-1], states[0]), "the old authority is gone"
    assert not (folder / "old").exists()


def test_no_other_user_gets_into_the_folder(deploy_folder: Path) -> None:
    """The files themselves can be read: the user of a container is none of this machine's."""
    folder = deploy_folder / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.glob("*/*")} == {0o644}


def with_secrets(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as Rasa's image does."""
    program = DEPLOY / "rasa" / "with-secrets"
    return run("/bin/sh", program, *command, variables={"RASA_SECRETS_DIR": str(folder)})


def test_rasa_gets_the_files_as_variables(tmp_path: Path) -> None:
    """`with-secrets` becomes the command it is given, whatever characters a password has."""
    password = """it's "$HOME" & `more`; \\n %s"""
    (tmp_path / "DB_PASSWORD").write_text(f"{password}\n")
    (tmp_path / "REDIS_PASSWORD").write_text("plain")
    (tmp_path / "..data").mkdir()  # as Kubernetes mounts a Secret
    done = with_secrets(tmp_path, "printenv", "DB_PASSWORD", "REDIS_PASSWORD")
    assert done.stdout == f"{password}\nplain\n"
    done = with_secrets(tmp_path, "/bin/sh", "-c", "echo $PPID")
    assert done.stdout == f"{os.getpid()}\n", "it gets the signals of the container"


def test_without_a_secret_rasa_does_not_start(tmp_path: Path) -> None:
    """What cannot be read ends it: else it goes on with a blank password."""
    (tmp_path / "DB_PASSWORD").symlink_to("gone")
    done = with_secrets(tmp_path, "echo", "started")
    assert (done.returncode > 0, done.stdout) == (True, "")
