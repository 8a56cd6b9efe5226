"""What the doctor says about settings: the ones that cannot be used, and the ones that can."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import PS7Settings, SettingsError
from actions.ps7.cli.doctor import advice, variables
from tests.support.doctor import wrong

if TYPE_CHECKING:
    from pathlib import Path

SEAL = [Fernet.generate_key().decode() for _ in range(4)]
ARRIVAL = ["9f86d081884c7d659a2feaa0c55ad015", "60303ae22b998861bce3b28f33eec1be"]
REQUIRED = {
    "base_url": "https://cec.example.com",
    "username": "chat",
    "password": "planted-password",
    "seal_keys": SEAL[:1],
    "arrival_keys": ARRIVAL[:1],
}


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings(**changes: Any) -> PS7Settings:  # noqa: ANN401 - any setting
    """Give settings with nothing to complain of, but for these changes; `...` takes one away."""
    return PS7Settings(**{k: v for k, v in (REQUIRED | changes).items() if v is not ...})


def test_settings_without_a_fault() -> None:
    """What is set is said, and no secret of it."""
    found = advice.check(settings(seal_keys=SEAL[:2]))
    assert wrong(found) == []
    assert [finding.found for finding in found] == [
        "every setting is usable; PS7 is https://cec.example.com",
        "PS7_SEAL_KEYS is set (2 keys)",
        "PS7_ARRIVAL_KEYS is set (1 key)",
        "a PS7 that is silent is asked twice within 4 s (PS7_ATTEMPTS 3, PS7_READ_TIMEOUT 2 s)",
    ]


USABLE: list[tuple[dict[str, Any], str, str]] = [
    (
        {"seal_keys": ...},
        "seal-keys-unset",
        "PS7_SEAL_KEYS is not set: each action server makes a key of its own at start",
    ),
    ({"seal_keys": [SEAL[0], SEAL[0]]}, "seal-keys-twice", "PS7_SEAL_KEYS holds a key twice"),
    (
        {"seal_keys": SEAL},
        "seal-keys-many",
        "PS7_SEAL_KEYS holds 4 keys, and every one of them is accepted",
    ),
    (
        {"seal_keys": ["A" * 43 + "="]},
        "seal-keys-weak",
        "PS7_SEAL_KEYS holds a key that was hardly made by chance",
    ),
    (
        {"arrival_keys": ...},
        "arrival-keys-unset",
        "PS7_ARRIVAL_KEYS is not set: whoever can post to the channel can send any contextId",
    ),
    (
        {"arrival_keys": ["secret00" * 4]},
        "arrival-keys-weak",
        "PS7_ARRIVAL_KEYS holds a key that was hardly made by chance",
    ),
    (
        {"arrival_keys": SEAL[:1]},
        "keys-shared",
        "a key stands in PS7_SEAL_KEYS and in PS7_ARRIVAL_KEYS",
    ),
    (
        {"app_secret": "planted-secret"},
        "app-key-unset",
        "PS7_APP_SECRET is set and PS7_APP_KEY is not: no token is fetched",
    ),
    (
        {"base_url": "http://127.0.0.1:8099"},
        "http",
        "PS7_BASE_URL is http: credentials and customers' data are not encrypted",
    ),
    (
        {"read_timeout": 4.0},
        "time",
        (
            "PS7_READ_TIMEOUT (4 s) leaves no time within PS7_DEADLINE (4 s): a PS7 that is "
            "silent is asked once, and never PS7_ATTEMPTS (3) times"
        ),
    ),
    (
        {"read_timeout": 2.5, "connect_timeout": 3.0, "deadline": 2.5, "attempts": 2},
        "time",
        (
            "PS7_CONNECT_TIMEOUT (3 s) and PS7_READ_TIMEOUT (2.5 s) leave no time within "
            "PS7_DEADLINE (2.5 s): a PS7 that is silent is asked once, and never "
            "PS7_ATTEMPTS (2) times"
        ),
    ),
]


@pytest.mark.parametrize(("changes", "name", "text"), USABLE)
def test_a_setting_that_can_be_used_and_had_better_be_another(
    changes: dict[str, Any], name: str, text: str
) -> None:
    """That one, and no other."""
    assert wrong(advice.check(settings(**changes))) == [("warning", name, text)]


def test_a_key_without_its_certificate(tmp_path: Path) -> None:
    """It is not shown to anybody."""
    key = tmp_path / "key.pem"
    key.write_text("key")
    assert wrong(advice.check(settings(client_key=key))) == [
        (
            "warning",
            "client-cert-unset",
            "PS7_CLIENT_KEY is set and PS7_CLIENT_CERT is not: no certificate is shown",
        )
    ]


@pytest.mark.parametrize(
    ("changes", "times"),
    [({"attempts": 1, "read_timeout": 9}, "once"), ({"read_timeout": 0.5}, "3 times")],
)
def test_how_often_a_silent_ps7_is_asked(changes: dict[str, Any], times: str) -> None:
    """As often as attempts and deadline allow."""
    *_, finding = advice.check(settings(**changes))
    assert finding.found.startswith(f"a PS7 that is silent is asked {times} within 4 s")


def test_every_variable_at_fault_is_a_finding_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the settings, with what to do; no value is shown."""
    bad = {
        "PS7_BASE_URL": "cec.example.com/planted",
        "PS7_SEAL_KEYS": "planted",
        "PS7_ATTEMPTS": "planted",
        "PS7_CA_FILE": "/planted",
        "PS7_PASSWORD": "planted",
    }
    for name, value in bad.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        PS7Settings.load()
    found = advice.faults(caught.value)
    place = (
        "Set it in the environment of the action server, in .env in the folder where that starts, "
        "or as a file of that name in the folder of PS7_SECRETS_DIR."
    )
    said = {finding.found.split(";")[0]: (finding.id, finding.do) for finding in found}
    assert said == {
        "PS7_BASE_URL cannot be used": (
            "settings-bad",
            "Write scheme, host and port alone, without a path, a user or a query.",
        ),
        "PS7_USERNAME is missing": ("settings-missing", place),
        "PS7_SEAL_KEYS cannot be used": ("settings-bad", "`rasa-ps7 key` makes what it expects."),
        "PS7_ATTEMPTS cannot be used": ("settings-bad", "Correct it."),
        "PS7_CA_FILE cannot be used": (
            "settings-bad",
            "Check that the file is there, that this user may read it, and that it is PEM.",
        ),
    }
    assert all(finding.found.split("; ")[1].startswith("it expects ") for finding in found)
    assert "planted" not in repr(found)


def test_a_folder_of_secrets_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """One finding: nothing else was read."""
    monkeypatch.setenv("PS7_SECRETS_DIR", "/planted")
    with pytest.raises(SettingsError) as caught:
        PS7Settings.load()
    (finding,) = advice.faults(caught.value)
    assert (finding.id, finding.do) == (
        "settings-bad",
        "Name the folder where the secrets are mounted, or unset it.",
    )


# Names that nobody reads


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PS7_URL", "PS7_BASE_URL"),
        ("PS7_BASEURL", "PS7_BASE_URL"),
        ("PS7BASE_URL", "PS7_BASE_URL"),
        ("PS7_USER", "PS7_USERNAME"),
        ("PS7_PASSWD", "PS7_PASSWORD"),
        ("PS7_SEAL_KEY", "PS7_SEAL_KEYS"),
        ("ps7_seal_key", "PS7_SEAL_KEYS"),
        ("PS7_ARRIVAL_KEY", "PS7_ARRIVAL_KEYS"),
        ("PS7_READTIMEOUT", "PS7_READ_TIMEOUT"),
        ("PS7_METADATA_KEY", "PS7_METADATA_KEYS"),
        ("PS7_BASE_URL", None),
        ("ps7_base_url", None),
        ("PS7_SECRETS_DIR", None),
        ("PS7_RASA_PYTHON", None),
        ("PS7_KEY", None),
        ("PS7_", None),
        ("BASE_URL", None),
    ],
)
def test_a_name_that_somebody_got_wrong(name: str, meant: str | None) -> None:
    """Names of something else entirely are left alone."""
    assert variables.meant_by(name) == meant


def test_names_are_looked_at_in_every_place(tmp_path: Path) -> None:
    """Environment, .env and secret files, each name once."""
    (tmp_path / ".env").write_text("PS7_USER=planted\nPS7_SECRETS_DIR=planted\n")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "PS7_PASSWD").write_text("planted")
    (secrets / "PS7_USER").write_text("planted")
    found = variables.check(
        {"PS7_URL": "planted"}, variables.in_file(tmp_path), variables.in_secrets(secrets)
    )
    assert [finding.found for finding in found] == [
        "PS7_URL is no variable of this plugin and changes nothing",
        "PS7_USER is no variable of this plugin and changes nothing",
        "PS7_PASSWD is no variable of this plugin and changes nothing",
        "PS7_SECRETS_DIR stands in .env, where it is not read",
    ]
    assert found[0].do == "Did you mean PS7_BASE_URL? Rename it, or remove it."
    assert "planted" not in repr(found)


def test_places_that_cannot_be_read_hold_no_names(tmp_path: Path) -> None:
    """The settings say so."""
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    assert variables.in_file(tmp_path) == {}
    assert variables.in_file(tmp_path / "elsewhere") == {}
    assert variables.in_secrets(None) == []
    assert variables.in_secrets(tmp_path / "elsewhere") == []


def test_a_bots_own_env_file_is_read_in_its_folder_alone(tmp_path: Path) -> None:
    """As the action server does, whose folder that is."""
    bot = tmp_path / "bot"
    bot.mkdir()
    assert variables.elsewhere(bot, tmp_path) == []
    (bot / ".env").write_text("PS7_PASSWORD=planted")
    assert variables.elsewhere(bot, bot / ".." / "bot") == []
    (finding,) = variables.elsewhere(bot, tmp_path)
    assert (finding.id, finding.found, finding.do) == (
        "settings-elsewhere",
        f"{bot}/.env is not read: settings are those of the folder where this runs",
        f"Run the command in {bot}.",
    )


def test_a_folder_of_secrets_that_is_named_where_it_is_read() -> None:
    """Then what .env says does not matter."""
    assert variables.check({"PS7_SECRETS_DIR": "/a"}, {"PS7_SECRETS_DIR": "/b"}, []) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("'planted'", [("warning", "settings-quotes")]),
        ('"planted"', [("warning", "settings-quotes")]),
        ("planted\n", [("warning", "settings-blanks")]),
        ("it's", []),
        ("'planted", []),
        ("'", []),
        ("", []),
        (json.dumps(["planted"]), []),
    ],
)
def test_what_another_program_should_have_taken_off_a_value(
    value: str, found: list[tuple[str, str]]
) -> None:
    """Of our variables; the value is not shown."""
    findings = variables.check({"PS7_PASSWORD": value, "OTHER": value}, {}, [])
    assert [(level, name) for level, name, _ in wrong(findings)] == found
    assert "planted" not in repr(findings)
