"""What the doctor says about settings: the ones that cannot be used, and the ones that can."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import PS7Settings, SettingsError
from actions.ps7.cli.doctor import settings as doctor
from actions.ps7.cli.findings import Finding
from tests.support.doctor import assert_found, wrong

SEAL, ARRIVAL = [Fernet.generate_key().decode()], ["9f86d081884c7d659a2feaa0c55ad015"]
REQUIRED = {
    "base_url": "https://cec.example.com",
    "username": "chat",
    "password": "planted-password",
    "seal_keys": SEAL,
    "arrival_keys": ARRIVAL,
}


pytestmark = pytest.mark.usefixtures("isolated")


def settings(**changes: Any) -> PS7Settings:  # noqa: ANN401 - any setting
    """Return settings without a fault, but for these changes; `...` removes one."""
    return PS7Settings(**{k: v for k, v in (REQUIRED | changes).items() if v is not ...})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seal_keys": ...}, "seal-keys-unset: PS7_SEAL_KEYS is not set: each action server"),
        ({"seal_keys": ["A" * 43 + "="]}, "seal-keys-weak: PS7_SEAL_KEYS holds a key"),
        ({"arrival_keys": ...}, "arrival-keys-unset: PS7_ARRIVAL_KEYS is not set: who can post"),
        ({"arrival_keys": ["secret00" * 4]}, "arrival-keys-weak: PS7_ARRIVAL_KEYS holds a key"),
        ({"arrival_keys": ["abcdefghi" * 4]}, "arrival-keys-weak: PS7_ARRIVAL_KEYS holds a key"),
        ({"arrival_keys": ["abcdefghij" * 4]}, None),
        ({"arrival_keys": [*ARRIVAL, *SEAL]}, "keys-shared: a key is in PS7_SEAL_KEYS and in"),
        ({"app_secret": "planted"}, "app-key-unset: PS7_APP_SECRET is set and PS7_APP_KEY is not"),
        ({"client_key": __file__}, "client-cert-unset: PS7_CLIENT_KEY is set and PS7_CLIENT_CERT"),
        ({"base_url": "http://127.0.0.1:8099"}, "http: PS7_BASE_URL is http: credentials and"),
        (
            {"read_timeout": 2.5, "connect_timeout": 3.0, "deadline": 2.5, "attempts": 2},
            "time: PS7_DEADLINE (2.5 s) ends before PS7_CONNECT_TIMEOUT (3 s) and PS7_READ_TIMEOUT",
        ),
        ({"attempts": 1, "read_timeout": 9}, None),
    ],
)
def test_a_setting_that_can_be_used_and_had_better_be_another(
    changes: dict[str, Any], expected: str | None
) -> None:
    """That one, and no other."""
    found = wrong(doctor.check(settings(**changes)))
    assert_found(found, [] if expected is None else [f"warning {expected}"])


def faults() -> list[Finding]:
    """Return what is found where settings cannot be loaded."""
    with pytest.raises(SettingsError) as caught:
        PS7Settings.load()
    return list(doctor.faults(caught.value))


def test_every_variable_at_fault_is_a_finding_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the settings, with what to do; no value is shown."""
    for name in ("BASE_URL", "SEAL_KEYS", "ATTEMPTS", "PASSWORD"):
        monkeypatch.setenv(f"PS7_{name}", "planted")
    monkeypatch.setenv("PS7_CA_FILE", "/planted")
    found = faults()
    assert [f"{each.id}: {each.found.split(';')[0]}: {each.do[:24]}" for each in found] == [
        "settings-bad: PS7_BASE_URL cannot be used: Write https, host, port ",
        "settings-missing: PS7_USERNAME is missing: Set it in the environmen",
        "settings-bad: PS7_SEAL_KEYS cannot be used: `rasa-ps7 key` makes wha",
        "settings-bad: PS7_ATTEMPTS cannot be used: Correct it.",
        "settings-bad: PS7_CA_FILE cannot be used: Check that the file is t",
    ]
    assert all(finding.found.split("; ")[1].startswith("it expects ") for finding in found)
    monkeypatch.setenv("PS7_SECRETS_DIR", "/planted")  # then nothing else is read
    (folder,) = faults()
    assert folder.do == "Name the folder where the secrets are mounted, or unset it."
    assert "planted" not in repr(found)


# Variables


MEANT = "settings-unknown: NAME is no variable of this plugin and changes nothing; Did you mean"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PS7_URL", "planted", f"{MEANT} PS7_BASE_URL? Rename it, or remove it."),
        ("ps7_seal_key", "planted", f"{MEANT} PS7_SEAL_KEYS? Rename it, or remove it."),
        ("PS7SEAL_KEYS", "planted", f"{MEANT} PS7_SEAL_KEYS? Rename it, or remove it."),
        ("ps7_password", "'planted'", "settings-quotes: NAME stands in quotes"),
        ("PS7_PASSWORD", "'planted'", "settings-quotes: NAME stands in quotes"),
        ("PS7_PASSWORD", '"planted"', "settings-quotes: NAME stands in quotes"),
        ("PS7_PASSWORD", "planted\n", "settings-blanks: NAME begins or ends with white space"),
        *((name, "planted", None) for name in ("PS7_BASE_URL", "PS7_RASA_PYTHON", "BASE_URL")),
        *(("PS7_PASSWORD", value, None) for value in ("it's", "'planted", "'", "")),
        ("OTHER", "'planted'", None),
    ],
)
def test_a_variable_that_is_not_what_was_meant_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str | None
) -> None:
    """A name like one of the plugin's, or quotes or blanks around a value, which is not shown."""
    monkeypatch.setenv(name, value)
    found = list(doctor.check_variables(None))
    texts = [f"{each.id}: {each.found}; {each.do}" for each in found]
    assert_found(texts, [expected.replace("NAME", name)] if expected else [])
    assert "planted" not in str(found)


def test_names_are_looked_at_wherever_settings_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment, .env and secret files, each name once; and what cannot be read has none."""
    env, secrets = tmp_path / ".env", tmp_path / "secrets"

    def unknown() -> list[str]:
        return [each.split()[2] for each in wrong(doctor.check_variables(Path()))]

    monkeypatch.setenv("PS7_URL", "planted")
    monkeypatch.setenv("PS7_SECRETS_DIR", str(secrets))
    env.write_text("PS7_USER=planted\n")
    assert unknown() == ["PS7_URL", "PS7_USER"]
    secrets.mkdir()
    for name in ("PS7_PASSWD", "PS7_USER"):
        (secrets / name).write_text("planted")
    assert unknown() == ["PS7_URL", "PS7_USER", "PS7_PASSWD"]
    env.write_bytes(b"\xff\xfe")
    assert unknown() == ["PS7_URL", "PS7_PASSWD", "PS7_USER"]
    for number in range(101):
        monkeypatch.setenv(f"PS7_PASSWORD{number}", "planted")
    assert len(unknown()) == 100, "and a terminal is not flooded"


TRACKED = "error env-tracked: .env holds PS7_PASSWORD, and git keeps it: whoever has the"
UNIGNORED = "warning env-not-ignored: .env holds PS7_PASSWORD, and git does not ignore it"
READABLE = "warning env-readable: .env holds PS7_PASSWORD, and others on this machine may read it"
PROXY = "error env-tracked: .env holds PS7_PROXY, and git keeps it"
NO_SECRET = """\
PS7_PASSWORD=simulator
PS7_SEAL_KEYS=
OWN_PASSWORD=planted
PS7_PROXY=http://proxy.example.com:3128
"""


@pytest.mark.parametrize(
    ("content", "git", "mode", "expected"),
    [
        ("PS7_PASSWORD=planted", "leaves", 0o600, [UNIGNORED]),
        ("PS7_PASSWORD=planted", "ignores", 0o600, []),
        ("PS7_PASSWORD=planted", "tracks", 0o600, [TRACKED]),
        *(("PS7_PASSWORD=planted", "ignores", mode, [READABLE]) for mode in (0o640, 0o604, 0o620)),
        ("PS7_PASSWORD=Simulator", "tracks", 0o600, [TRACKED]),
        ("PS7_PROXY=http://u:planted@proxy.example.com:3128", "tracks", 0o600, [PROXY]),
        (NO_SECRET, "tracks", 0o644, []),
    ],
)
def test_who_else_reads_a_secret_of_a_env_is_said(
    content: str, git: str, mode: int, expected: list[str]
) -> None:
    """Git, or others on this machine. The simulator's is none; what is not ours is the bot's."""
    subprocess.run(["git", "init", "-q"], check=True)
    Path(".env").write_text(content)
    Path(".env").chmod(mode)
    if git == "ignores":
        Path(".gitignore").write_text(".env\n")
    if git == "tracks":
        subprocess.run(["git", "add", "-f", ".env"], check=True)
    assert_found(wrong(doctor.check_file(Path())), expected)
    for _ in range(2):  # what it says to do, done: once git has it no more, it is to ignore it
        for each in doctor.check_file(Path()):
            what = re.findall("`(.+?)`", each.do)[0]
            rules = re.findall(r"end of the (\S+) beside", each.do)
            for file in rules:
                Path(file).write_text(f"{what}\n")
            subprocess.run(what if not rules else "true", shell=True, check=True)  # noqa: S602
    assert (wrong(doctor.check_file(Path())), Path(".env").read_text()) == ([], content)
