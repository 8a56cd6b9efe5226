"""The settings: what they take, what they refuse, and what a refusal says."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import PS7Settings, SettingsError, settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.versions

KEY = Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Set the three required variables and a seal key, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PS7_BASE_URL", "https://ps7.example")
    monkeypatch.setenv("PS7_USERNAME", "chat")
    monkeypatch.setenv("PS7_PASSWORD", "s3cret")
    monkeypatch.setenv("PS7_SEAL_KEYS", json.dumps([KEY]))
    return monkeypatch


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        PS7Settings.load()
    return str(caught.value)


def test_the_defaults() -> None:
    """With the required variables alone, the documented defaults hold."""
    loaded = PS7Settings.load().model_dump(exclude={"username", "password", "seal_keys"})
    assert loaded == {
        "arrival_keys": None,
        "base_url": "https://ps7.example",
        "api_key": None,
        "app_key": None,
        "app_secret": None,
        "encoded": None,
        "metadata_keys": ["contextId"],
        "slot_names": {},
        "clear_slots": [],
        "deadline": 4.0,
        "connect_timeout": 1.0,
        "read_timeout": 2.0,
        "attempts": 3,
        "breaker_failures": 5,
        "breaker_reset": 15.0,
        "max_connections": 256,
        "keep_alive": True,
        "max_contexts": 5,
        "max_age": 3600.0,
        "ca_file": None,
        "client_cert": None,
        "client_key": None,
        "proxy": None,
        "trace_context": False,
        "strict_cpf": False,
    }


@pytest.mark.parametrize(
    ("text", "base_url"),
    [
        ("https://ps7.example", "https://ps7.example"),
        ("https://ps7.example/", "https://ps7.example"),
        ("https://ps7.example:8443", "https://ps7.example:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
    ],
)
def test_base_urls(given: pytest.MonkeyPatch, text: str, base_url: str) -> None:
    """Scheme, host and port; http only where the network is not left."""
    given.setenv("PS7_BASE_URL", text)
    assert PS7Settings.load().base_url == base_url


@pytest.mark.parametrize(
    "text",
    [
        "ps7.example",
        "http://ps7.example",
        "http://localhost.example",
        "http://10.0.0.1",
        "ftp://ps7.example",
        "https://",
        "https://ps7.example/path",
        "https://ps7.example?query=1",
        "https://ps7.example#part",
        "https://user:pass@ps7.example",
        "https://ps7.example:0",
        "https://ps7.example:99999",
        "https://ps7.example:port",
        "https://ps7 .example",
        "https://ps7.example\n",
        "https://[::1",
    ],
)
def test_base_urls_that_are_refused(given: pytest.MonkeyPatch, text: str) -> None:
    """A path would double the interface's own, a user name would leak, http would be read."""
    given.setenv("PS7_BASE_URL", text)
    assert refusal() == (
        "The PS7 settings are not usable:\n  PS7_BASE_URL cannot be used; it expects scheme, host "
        "and port of PS7, such as https://cec.example.com; http is for a loopback host only"
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PS7_USERNAME", "line\nbreak"),
        ("PS7_PASSWORD", "   "),
        ("PS7_API_KEY", "nul\x7f"),
        ("PS7_APP_KEY", "\t"),
        ("PS7_SEAL_KEYS", "[]"),
        ("PS7_SEAL_KEYS", '["short"]'),
        pytest.param("PS7_SEAL_KEYS", KEY, id="PS7_SEAL_KEYS-a key that stands in no list"),
        ("PS7_SEAL_KEYS", "{}"),
        ("PS7_ARRIVAL_KEYS", "[]"),
        ("PS7_ARRIVAL_KEYS", ""),
        ("PS7_ARRIVAL_KEYS", " "),
        ("PS7_ARRIVAL_KEYS", " null\n"),
        ("PS7_ARRIVAL_KEYS", "[null]"),
        ("PS7_ARRIVAL_KEYS", f'["{"k" * 31}"]'),
        ("PS7_ARRIVAL_KEYS", f'["{"k" * 32}", 5]'),
        ("PS7_ARRIVAL_KEYS", "k" * 32),
        ("PS7_ARRIVAL_KEYS", f'["-----BEGIN PUBLIC KEY-----{"k" * 32}"]'),
        ("PS7_ARRIVAL_KEYS", f'["ssh-rsa {"k" * 32}"]'),
        ("PS7_MAX_CONTEXTS", "0"),
        ("PS7_MAX_CONTEXTS", "many"),
        ("PS7_ENCODED", "2"),
        ("PS7_ENCODED", "yes"),
        ("PS7_METADATA_KEYS", "contextId"),
        ("PS7_METADATA_KEYS", "[]"),
        ("PS7_METADATA_KEYS", '["a..b"]'),
        ("PS7_METADATA_KEYS", '[""]'),
        ("PS7_METADATA_KEYS", "[5]"),
        ("PS7_SLOT_NAMES", "[]"),
        ("PS7_SLOT_NAMES", '{"cpf": "account"}'),
        ("PS7_SLOT_NAMES", '{"cpf": ""}'),
        ("PS7_SLOT_NAMES", '{"saldo": "balance"}'),
        ("PS7_CLEAR_SLOTS", "balance"),
        ("PS7_CLEAR_SLOTS", "[null]"),
        ("PS7_DEADLINE", "0"),
        ("PS7_DEADLINE", "inf"),
        ("PS7_DEADLINE", "241"),
        ("PS7_CONNECT_TIMEOUT", "nan"),
        ("PS7_READ_TIMEOUT", "2s"),
        ("PS7_MAX_CONNECTIONS", "0"),
        ("PS7_MAX_CONNECTIONS", "1.5"),
        ("PS7_ATTEMPTS", "0"),
        ("PS7_ATTEMPTS", "11"),
        ("PS7_ATTEMPTS", "2.5"),
        ("PS7_BREAKER_FAILURES", "0"),
        ("PS7_BREAKER_RESET", "0"),
        ("PS7_APP_SECRET", "line\nbreak"),
        ("PS7_PROXY", "proxy.example:3128"),
        ("PS7_PROXY", "https://proxy.example:3128"),
        ("PS7_PROXY", "socks5://proxy.example"),
        ("PS7_PROXY", "http://"),
        ("PS7_PROXY", "http://proxy.example:0"),
        ("PS7_PROXY", "http://proxy.example:99999"),
        ("PS7_PROXY", "http://s3cret@proxy.example\n"),
        ("PS7_CA_FILE", "nowhere.pem"),
        ("PS7_CLIENT_CERT", "nowhere.pem"),
        ("PS7_CLIENT_KEY", "nowhere.pem"),
        ("PS7_KEEP_ALIVE", "maybe"),
        ("PS7_TRACE_CONTEXT", "maybe"),
        ("PS7_MAX_AGE", "-1"),
        ("PS7_MAX_AGE", "2678401"),
        ("PS7_STRICT_CPF", "maybe"),
    ],
)
def test_values_that_are_refused(given: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """The refusal names the variable and what it expects, and not what it held."""
    given.setenv(variable, value)
    text = refusal()
    assert text.startswith(f"The PS7 settings are not usable:\n  {variable} cannot be used; it ex")
    assert text.count("\n") == 1


def test_all_faults_are_named_at_once(given: pytest.MonkeyPatch) -> None:
    """Malformed JSON in one variable does not hide the others."""
    given.delenv("PS7_BASE_URL")
    given.delenv("PS7_USERNAME")
    given.setenv("PS7_SEAL_KEYS", '["s3cret-key"')
    given.setenv("PS7_METADATA_KEYS", "[")
    given.setenv("PS7_DEADLINE", "s3cret-deadline")
    lines = refusal().splitlines()[1:]
    assert [line.split()[0] for line in lines] == [
        "PS7_BASE_URL",
        "PS7_USERNAME",
        "PS7_SEAL_KEYS",
        "PS7_METADATA_KEYS",
        "PS7_DEADLINE",
    ]
    assert "is missing" in lines[0]
    assert "s3cret" not in "".join(lines)


def test_every_setting_takes_its_value(given: pytest.MonkeyPatch) -> None:
    """JSON in the environment becomes what it stands for."""
    given.setenv("PS7_METADATA_KEYS", '["a.b", "c"]')
    given.setenv("PS7_SLOT_NAMES", '{"agency": "agencia"}')
    given.setenv("PS7_CLEAR_SLOTS", '["saldo"]')
    given.setenv("PS7_ENCODED", "0")
    given.setenv("PS7_API_KEY", "api")
    given.setenv("PS7_APP_KEY", "app")
    given.setenv("PS7_STRICT_CPF", "true")
    given.setenv("PS7_DEADLINE", "0.5")
    given.setenv("PS7_ATTEMPTS", "10")
    given.setenv("PS7_BREAKER_FAILURES", "7")
    given.setenv("PS7_BREAKER_RESET", "0.25")
    given.setenv("PS7_KEEP_ALIVE", "false")
    given.setenv("PS7_TRACE_CONTEXT", "true")
    given.setenv("PS7_PROXY", "http://bot:s3cret@proxy.example:3128")
    loaded = PS7Settings.load()
    assert loaded.metadata_keys == ["a.b", "c"]
    assert loaded.slot_names == {"agency": "agencia"}
    assert loaded.clear_slots == ["saldo"]
    assert (loaded.encoded, loaded.strict_cpf, loaded.deadline) == (0, True, 0.5)
    assert (loaded.attempts, loaded.breaker_failures, loaded.breaker_reset) == (10, 7, 0.25)
    assert (loaded.keep_alive, loaded.trace_context) == (False, True)
    assert loaded.proxy is not None
    assert loaded.proxy.get_secret_value() == "http://bot:s3cret@proxy.example:3128"
    assert loaded.newest_key == KEY
    assert loaded.api_key is not None
    assert loaded.app_key is not None
    assert [loaded.api_key.get_secret_value(), loaded.app_key.get_secret_value()] == ["api", "app"]


@pytest.mark.parametrize("host", ["proxy.example", "10.0.0.1", "localhost.example", "[::2]"])
def test_a_proxy_elsewhere_sees_no_http(given: pytest.MonkeyPatch, host: str) -> None:
    """It would be shown the credentials in clear. The refusal names both variables."""
    given.setenv("PS7_PROXY", f"http://s3cret@{host}:3128")
    PS7Settings.load()

    given.setenv("PS7_BASE_URL", "http://127.0.0.1:8080")
    text = refusal()

    assert "\n  PS7_PROXY cannot be used; it expects" in text
    assert "on this machine where PS7_BASE_URL is http" in text
    assert "s3cret" not in text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_a_proxy_on_this_machine_may_see_http(given: pytest.MonkeyPatch, host: str) -> None:
    """Nothing leaves it."""
    given.setenv("PS7_BASE_URL", "http://127.0.0.1:8080")
    given.setenv("PS7_PROXY", f"http://{host}:3128")
    assert PS7Settings.load().proxy is not None


def test_a_base_url_at_fault_is_the_only_fault(given: pytest.MonkeyPatch) -> None:
    """What is no URL says nothing of its proxy."""
    given.setenv("PS7_BASE_URL", "http://ps7.example")
    given.setenv("PS7_PROXY", "http://proxy.example:3128")
    assert "PS7_PROXY" not in refusal()


def test_an_empty_variable_counts_as_not_set(given: pytest.MonkeyPatch) -> None:
    """Compose files set a variable to nothing where nobody gave it a value."""
    given.setenv("PS7_ENCODED", "")
    given.setenv("PS7_SLOT_NAMES", "")
    given.setenv("PS7_SECRETS_DIR", "")
    given.setenv("PS7_SEAL_KEYS", "")
    assert PS7Settings.load().model_fields_set == {"base_url", "username", "password"}


def test_keys_that_code_leaves_out_are_not_set() -> None:
    """None is what says so in Python: nobody's secret is lost by it."""
    assert PS7Settings(arrival_keys=None).arrival_keys is None


def test_the_environment_wins_over_env_file_over_secret_files(
    given: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each source fills what the ones before it left open."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for variable in ("PS7_USERNAME", "PS7_PASSWORD", "PS7_API_KEY"):
        (secrets / variable).write_text("from-file\n")
        given.delenv(variable, raising=False)
    (tmp_path / ".env").write_text("PS7_PASSWORD=from-env-file\nOTHER=1\nPS7_UNKNOWN=1\n")
    given.setenv("PS7_SECRETS_DIR", str(secrets))
    given.setenv("PS7_USERNAME", "from-environment")
    loaded = PS7Settings.load()
    assert loaded.username.get_secret_value() == "from-environment"
    assert loaded.password.get_secret_value() == "from-env-file"
    assert loaded.api_key is not None
    assert loaded.api_key.get_secret_value() == "from-file"


def test_a_secrets_folder_that_is_none(given: pytest.MonkeyPatch) -> None:
    """A mount that is not there is a fault, not an empty one."""
    given.setenv("PS7_SECRETS_DIR", "nowhere")
    assert "PS7_SECRETS_DIR is no folder" in refusal()


def test_an_env_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Bytes that are no text are a fault with a name."""
    (tmp_path / ".env").write_bytes(b"PS7_PASSWORD=\xff\xfe\n")
    assert ".env or a secret file cannot be read (UnicodeDecodeError)" in refusal()


def test_a_key_is_made_once_where_none_is_set(
    given: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One for the whole process, with one warning that shows no key."""
    given.delenv("PS7_SEAL_KEYS")
    given.setattr(settings, "_made_keys", [])
    settings._warn_of_made_key.cache_clear()
    with caplog.at_level(logging.WARNING):
        first, second = PS7Settings.load(), PS7Settings.load()
    assert first.newest_key == second.newest_key
    assert first == second
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "PS7_SEAL_KEYS is not set" in caplog.text
    assert first.newest_key not in caplog.text


def test_settings_that_are_refused_say_nothing_of_a_key(
    given: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One message, about what keeps the server from starting."""
    given.delenv("PS7_SEAL_KEYS")
    given.delenv("PS7_BASE_URL")
    settings._warn_of_made_key.cache_clear()
    refusal()
    assert caplog.messages == []


def test_nothing_of_a_secret_is_shown(given: pytest.MonkeyPatch) -> None:
    """Neither `repr` nor `str` nor a dump tells a credential or a key."""
    given.setenv("PS7_API_KEY", "s3cret-api")
    given.setenv("PS7_APP_SECRET", "s3cret-app")
    given.setenv("PS7_PROXY", "http://bot:s3cret@proxy.example:3128")
    loaded = PS7Settings.load()
    for text in (repr(loaded), str(loaded), str(loaded.model_dump()), loaded.model_dump_json()):
        assert "s3cret" not in text
        assert KEY not in text


def test_settings_cannot_be_changed() -> None:
    """One frozen object serves the whole process."""
    with pytest.raises(ValueError, match="frozen"):
        PS7Settings.load().deadline = 1.0  # type: ignore[misc]  # what is tried here
