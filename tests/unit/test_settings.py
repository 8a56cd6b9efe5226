"""The settings: what they take, what they refuse, and what a refusal says."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import PS7Settings, SettingsError, settings
from tests.support.log import Log

pytestmark = pytest.mark.versions

KEY = Fernet.generate_key().decode()
HEAD = "The PS7 settings are not usable:\n"


@pytest.fixture(autouse=True)
def given(isolated: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set the three required variables and a seal key, in an empty folder."""
    required = {"BASE_URL": "https://ps7.example", "USERNAME": "chat", "PASSWORD": "s3cret"}
    for name, value in {**required, "SEAL_KEYS": json.dumps([KEY])}.items():
        isolated.setenv(f"PS7_{name}", value)
    return isolated


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        PS7Settings.load()
    return str(caught.value)


@pytest.mark.parametrize(
    "base",
    [
        *(
            "http://localhost:8080",
            "http://127.8.9.1",
            "http://[::1]:80",
            "https://[2001:db8::1]:8",
        ),
        *("https://gateway.example/banco/cec", "https://gateway.example/apiaccess2"),
    ],
)
def test_a_base_url_loses_its_last_slashes(given: pytest.MonkeyPatch, base: str) -> None:
    """Scheme, host, port and a gateway's own path; http only where the network is not left."""
    for text in (base, f"{base}/", f"{base}//"):
        given.setenv("PS7_BASE_URL", text)
        assert PS7Settings.load().base_url == base


NO_HOST, NO_MORE = "this one does not begin with https:// and a host", "this one goes on after"
PS7_PATH = "https://ps7.example/gateway/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
NO_BASE_URLS = {
    **dict.fromkeys(("ps7.example", "localhost:80", "ftp://ps7.example", "https://"), NO_HOST),
    **dict.fromkeys(
        (f"https://ps7.example{end}" for end in ("/path?", "?q=1", "#part", "#")), NO_MORE
    ),
    **dict.fromkeys((PS7_PATH, "https://ps7.example/apiaccess"), "this one holds PS7's own path"),
    **dict.fromkeys(("https://user:pass@ps7.example", "https://@ps7.example"), "this one holds a"),
    **dict.fromkeys(("http://ps7.example", "http://localhost.example"), "this one is http to"),
    **dict.fromkeys(("https://[::1", "https://ps7 .example", "https://ps7.example\n"), ""),
    **dict.fromkeys((f"https://ps7.example:{port}" for port in ("0", "99999", "port")), ""),
}


@pytest.mark.parametrize(("text", "fault"), NO_BASE_URLS.items())
def test_a_base_url_that_leaks_or_doubles_is_refused(
    given: pytest.MonkeyPatch, text: str, fault: str
) -> None:
    """PS7's own path would be doubled, a user name would leak, http would be read."""
    given.setenv("PS7_BASE_URL", text)
    refused, _, said = refusal().partition("; http is for a loopback host only")
    assert refused.startswith(f"{HEAD}  PS7_BASE_URL cannot be used; it expects scheme, host and")
    assert said.startswith(f"; {fault}" if fault else "")
    assert bool(said) is bool(fault)


LONG = "k" * 32
REFUSED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("USERNAME", "PASSWORD", "API_KEY", "APP_KEY"), ("line\nbreak", "   ")),
    "APP_SECRET": ("nul\x7f",),
    "SEAL_KEYS": ("[]", "{}", '["short"]', KEY),
    "ARRIVAL_KEYS": (
        *("", " ", "[]", " null\n", "[null]", LONG, f'["{LONG[1:]}"]', f'["{LONG}", 5]'),
        *(f'["{40 * " "}"]', f'["{LONG[1:]}\u2007 "]'),
        *(f'["{text}{LONG}"]' for text in ("a -----BEGIN PUBLIC KEY-----", "ssh-ed25519 ")),
    ),
    "ENCODED": ("-1", "2", "yes"),
    "METADATA_KEYS": ("contextId", "[]", '["a..b"]', '["a. .b"]', "[5]"),
    "SLOT_NAMES": ("[]", '{"cpf": "account"}', '{"cpf": ""}', '{"saldo": "balance"}'),
    "CLEAR_SLOTS": (
        *("balance", "[null]", '[""]', '["cpf"]'),
        *('["balance", "ps7_status"]', '["u_ion"]'),
    ),
    "DEADLINE": ("0", "inf", "nan", "50.001"),
    **dict.fromkeys(
        ("CONNECT_TIMEOUT", "READ_TIMEOUT", "BREAKER_RESET"), ("0", "2s", "nan", "240.001")
    ),
    **dict.fromkeys(("MAX_CONTEXTS", "MAX_CONNECTIONS", "BREAKER_FAILURES"), ("0", "1.5")),
    "ATTEMPTS": ("0", "11", "2.5"),
    "PROXY": (
        *("proxy.example:3128", "https://proxy.example:3128", "socks5://proxy.example", "http://"),
        *("http://proxy.example:0", "http://proxy.example:99999", "http://s3cret@proxy.example\n"),
    ),
    **dict.fromkeys(("CA_FILE", "CLIENT_CERT"), ("nowhere.pem", __file__)),
    "CLIENT_KEY": ("nowhere.pem",),
    **dict.fromkeys(("TRACE_CONTEXT", "STRICT_CPF"), ("maybe",)),
    "MAX_AGE": ("0", "nan", "2678401"),
}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param(f"PS7_{name}", value, id=f"{name} {number}")
        for name, values in REFUSED.items()
        for number, value in enumerate(values)
    ],
)
def test_a_bad_value_is_refused_by_its_name(
    given: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """The refusal names the variable and what it expects, and not what it held."""
    given.setenv(variable, value)
    text = refusal()
    assert text.startswith(f"{HEAD}  {variable} cannot be used; it expects ")
    assert text.count("\n") == 1


AT_THE_EDGE: dict[str, tuple[object, ...]] = {
    "ARRIVAL_KEYS": (["é" * 16],),
    **dict.fromkeys(("CONNECT_TIMEOUT", "READ_TIMEOUT", "BREAKER_RESET"), (0.001, 240.0)),
    **dict.fromkeys(("MAX_CONTEXTS", "MAX_CONNECTIONS", "BREAKER_FAILURES"), (1,)),
    "ATTEMPTS": (1, 10),
    "MAX_AGE": (0.001, 2678400.0),
}


@pytest.mark.parametrize("name", AT_THE_EDGE)
def test_a_value_at_the_edge_is_taken(given: pytest.MonkeyPatch, name: str) -> None:
    """The least, and the most; of a key its bytes count, and not its characters."""
    for value in AT_THE_EDGE[name]:
        given.setenv(f"PS7_{name}", json.dumps(value))
        taken = PS7Settings.load().model_dump()[name.lower()]
        shown = [each.get_secret_value() for each in taken] if isinstance(value, list) else taken
        assert shown == value


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        *(("60", 50.0), ("", 50.0), ("soon", 50.0), ("61", 51.0), ("59", 59 * 5 / 6)),
        *(("30", 25.0), ("4.8", 4.0), ("900", 240.0), ("inf", 240.0)),
    ],
)
def test_a_deadline_ends_before_the_action_server_would(
    given: pytest.MonkeyPatch, limit: str, most: float
) -> None:
    """By what Sanic gives a call; the error says how many seconds that leaves."""
    given.setenv("SANIC_RESPONSE_TIMEOUT", limit)
    given.setenv("PS7_DEADLINE", str(most))
    assert PS7Settings.load().deadline == most
    given.setenv("PS7_DEADLINE", str(most + 0.001))
    assert f" which leaves {most:g} s for a lookup" in refusal()


@pytest.mark.parametrize("limit", ["0", "nan", "4.79"])
def test_a_server_that_does_not_wait_for_the_default_deadline_stops(
    given: pytest.MonkeyPatch, limit: str
) -> None:
    given.setenv("SANIC_RESPONSE_TIMEOUT", limit)
    assert "  PS7_DEADLINE cannot be used; it expects seconds, a" in refusal()


def test_all_faults_are_named_at_once(given: pytest.MonkeyPatch) -> None:
    """Malformed JSON in one variable does not hide the others."""
    given.delenv("PS7_BASE_URL")
    bad = {"SEAL_KEYS": '["s3cret-key"', "METADATA_KEYS": "[", "DEADLINE": "s3cret-deadline"}
    for name, value in bad.items():
        given.setenv(f"PS7_{name}", value)
    _, *lines = refusal().splitlines()
    named = ["PS7_BASE_URL", "PS7_SEAL_KEYS", "PS7_METADATA_KEYS", "PS7_DEADLINE"]
    assert [line.split()[0] for line in lines] == named
    assert lines[0].endswith(
        "; looked in the environment, .env in this folder (not there) and PS7_SECRETS_DIR (not set)"
    )
    Path(".env").touch()
    given.setenv("PS7_SECRETS_DIR", ".")
    assert ".env in this folder (there) and PS7_SECRETS_DIR (set)" in refusal()
    assert "s3cret" not in "".join(lines)


def test_what_does_not_ask_ps7_needs_no_ps7(given: pytest.MonkeyPatch, log: Log) -> None:
    """Its address and credentials may be missing, and no seal key is missed; a bad value is bad."""
    settings._warn_of_made_key.cache_clear()
    for name in ("BASE_URL", "USERNAME", "PASSWORD", "SEAL_KEYS"):
        given.delenv(f"PS7_{name}")
    given.setenv("PS7_MAX_AGE", "9")
    loaded = PS7Settings.load(need_ps7=False)
    assert (loaded.base_url, loaded.max_age, log()) == ("http://127.0.0.1", 9.0, [])
    given.setenv("PS7_USERNAME", "chat")
    loaded = PS7Settings.load(need_ps7=False)
    assert [each.get_secret_value() for each in (loaded.username, loaded.password)] == [
        "chat",
        "none",
    ]
    given.setenv("PS7_BASE_URL", "nonsense")
    with pytest.raises(SettingsError, match=r"^.+\n  PS7_BASE_URL cannot be used; .+$"):
        PS7Settings.load(need_ps7=False)


def test_a_setting_takes_its_value(given: pytest.MonkeyPatch) -> None:
    """JSON in the environment becomes what it stands for; nothing of a secret is shown."""
    taken = {"metadata_keys": ["a.b", "c"], "slot_names": {"agency": "agencia"}, "encoded": 0}
    # A default name that was renamed is the bot's own: its value of before may be cleared.
    taken |= {"clear_slots": ["saldo", "agency"], "deadline": 0.5}
    for name, value in taken.items():
        given.setenv(f"PS7_{name.upper()}", json.dumps(value))
    given.setenv("PS7_PROXY", "http://bot:s3cret@proxy.example:3128")
    loaded = PS7Settings.load()
    assert {name: getattr(loaded, name) for name in taken} == taken
    assert loaded.newest_key == KEY
    for shown in (repr(loaded), str(loaded), str(loaded.model_dump()), loaded.model_dump_json()):
        assert "s3cret" not in shown
        assert KEY not in shown
    with pytest.raises(ValueError, match="frozen"):
        loaded.deadline = 1.0  # type: ignore[misc]  # what is tried here


@pytest.mark.parametrize("host", ["proxy.example", "localhost.example", "[::2]"])
def test_a_proxy_elsewhere_sees_no_http(given: pytest.MonkeyPatch, host: str) -> None:
    """It would be shown the credentials in clear. A proxy on this machine may: nothing leaves it.

    A base URL that is none says nothing of its proxy.
    """
    given.setenv("PS7_PROXY", f"http://s3cret@{host}:3128")
    PS7Settings.load()
    given.setenv("PS7_BASE_URL", "http://ps7.example")
    assert "PS7_PROXY" not in refusal()
    given.setenv("PS7_BASE_URL", "http://127.0.0.1:8080")
    text = refusal()
    assert text.startswith(f"{HEAD}  PS7_PROXY cannot be used; it expects")
    assert "s3cret" not in text
    for here in ("localhost", "127.8.9.1", "[::1]"):
        given.setenv("PS7_PROXY", f"http://{here}:3128")
        assert PS7Settings.load().proxy is not None


def test_an_empty_variable_counts_as_not_set(given: pytest.MonkeyPatch) -> None:
    """Compose files set a variable to nothing where it was given no value.

    No folder of secret files is not this folder.
    """
    Path("PS7_DEADLINE").write_text("9")
    for name in ("ENCODED", "SLOT_NAMES", "SECRETS_DIR", "SEAL_KEYS"):
        given.setenv(f"PS7_{name}", "")
    assert PS7Settings.load().model_fields_set == {"base_url", "username", "password"}
    assert PS7Settings(arrival_keys=None).arrival_keys is None  # in Python, None says so


def test_settings_come_from_environment_dot_env_and_secret_files(
    given: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In that order, each by itself; one that is blank leaves it to the next, or to the default.

    A Kubernetes secret has a link to a file for each of its keys, whether that has a value or not.
    """
    given.setenv("PS7_PASSWORD", "")
    given.setenv("PS7_SECRETS_DIR", "secrets")
    dotenv = "# a comment\nPS7_USERNAME=dot-env\nPS7_PASSWORD='dot-env'\nOTHER=1\n"
    (tmp_path / ".env").write_text(dotenv)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secret").write_text(" secret-file \r\n")
    for name in ("PS7_USERNAME", "PS7_PASSWORD", "ps7_api_key", "OTHER"):
        (tmp_path / "secrets" / name).symlink_to(tmp_path / "secret")
    for name in ("ps7_deadline", "ps7_app_key", "ps7_seal_keys", "ps7_client_cert"):
        (tmp_path / "secrets" / name).write_text("\n")
    loaded = PS7Settings.load()
    held = [getattr(loaded, name) for name in ("username", "password", "api_key")]
    assert [each.get_secret_value() for each in held] == ["chat", "dot-env", "secret-file"]
    assert (loaded.deadline, loaded.app_key, loaded.client_cert) == (4.0, None, None)


def test_an_unreadable_source_is_named(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder that is not mounted, and bytes that are no text, are faults with a name.

    File and user are named: whoever mounted it learns what to change.
    """
    given.setenv("PS7_SECRETS_DIR", "nowhere")
    assert "PS7_SECRETS_DIR is no folder" in refusal()
    given.delenv("PS7_SECRETS_DIR")
    (tmp_path / ".env").write_bytes(b"PS7_PASSWORD=\xff\xfe\n")
    unreadable = f".env or a secret file cannot be read by user {os.getuid()} (UnicodeDecodeError)"
    assert unreadable in refusal()
    file = (tmp_path / ".env").rename(tmp_path / "ps7_password")
    given.setenv("PS7_SECRETS_DIR", str(tmp_path))
    assert unreadable in refusal()
    refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    given.setattr(Path, "read_text", Mock(side_effect=refused))
    assert f"{file} cannot be read by user {os.getuid()} (PermissionError)" in refusal()


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        (".env", "PS7_DEADLINE=s3cret", "PS7_DEADLINE"),
        (".env", "PS7_ARRIVAL_KEYS=", "PS7_ARRIVAL_KEYS"),
        (".env", "PS7_ARRIVAL_KEYS", "PS7_ARRIVAL_KEYS"),
        ("ps7_api_key", "s3cret\0", "PS7_API_KEY"),
        ("ps7_arrival_keys", "null\n", "PS7_ARRIVAL_KEYS"),
        ("ps7_arrival_keys", "\n", "PS7_ARRIVAL_KEYS"),
    ],
)
def test_a_fault_in_a_file_is_named_like_any_other(
    given: pytest.MonkeyPatch, file: str, content: str, named: str
) -> None:
    """Arrival keys that are there and blank are one."""
    Path(file).write_text(content)
    given.setenv("PS7_SECRETS_DIR", ".")
    assert f"\n  {named} " in (text := refusal())
    assert text.count("\n") == 1
    assert "s3cret" not in text


UNKNOWN = {
    "PS7_ARRIVAL_KEY": "PS7_ARRIVAL_KEYS",
    "PS7_CA_FILE…": "PS7_CA_FILE",
    "PS7_ENCODE": "PS7_ENCODED",
    "PS7_NEW…": None,
    "PS7_PASWORD": "PS7_PASSWORD",
    "PS7_SEAL_PAYLOAD": None,
}
NO_FILES: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to a folder": lambda file: file.symlink_to("..", target_is_directory=True),
    "a link to nothing": lambda file: file.symlink_to("nowhere"),
}


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_what_has_the_name_of_a_setting_and_is_no_file_is_a_fault(
    given: pytest.MonkeyPatch, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    """Also if another source has a value: a container engine makes a folder for a missing file."""
    given.setenv("PS7_SECRETS_DIR", str(tmp_path))
    (tmp_path / "ps7_folder").mkdir()
    for name in PS7Settings.model_fields:
        make(tmp_path / f"ps7_{name}")
    _, *lines = refusal().splitlines()
    assert sorted(lines) == sorted(
        f"  PS7_{name.upper()} cannot be used; it expects {field.description}"
        f"; {tmp_path}/ps7_{name} is not a regular file"
        for name, field in PS7Settings.model_fields.items()
    )


def test_a_name_that_is_no_setting_is_named_once(
    given: pytest.MonkeyPatch, tmp_path: Path, log: Log
) -> None:
    """From each source, also before a refusal; no value, and nothing that is no part of a name."""
    settings._warn_of_unknown.cache_clear()
    (tmp_path / ".env").write_text(
        f"PS7_PASWORD=s3cret\nPS7_NEW:s3cret\nOTHER={LONG}\nps7_encoded=1"
    )
    (tmp_path / "PS7_ARRIVAL_KEY").mkdir()
    (tmp_path / "ps7_ca_file.bak").write_text("s3cret")
    given.setenv("PS7_SECRETS_DIR", str(tmp_path))
    for name in ("PS7_SEAL_PAYLOAD", "ps7_encode", "PS7X", "XPS7_URL", "PS7"):
        given.setenv(name, "s3cret")
    with given.context() as without:
        without.delenv("PS7_BASE_URL")
        refusal()
    said = " is not a setting of the plugin, and is ignored"
    assert log() == [
        f"WARNING {name}{said}{f': {meant} may be meant' if meant else ''}"
        for name, meant in sorted(UNKNOWN.items())
    ]
    PS7Settings.load()
    assert log() == []


def test_a_key_is_made_once_where_none_is_set(given: pytest.MonkeyPatch, log: Log) -> None:
    """One for the whole process, with one warning that shows no key; none before a refusal."""
    given.delenv("PS7_SEAL_KEYS")
    given.setattr(settings, "_made_keys", [])
    settings._warn_of_made_key.cache_clear()
    with given.context() as without:
        without.delenv("PS7_BASE_URL")
        refusal()
    assert log() == []
    first, second = PS7Settings.load(), PS7Settings.load()
    assert first == second
    (line,) = log()
    assert line.startswith("WARNING PS7_SEAL_KEYS is not set")
    assert first.newest_key not in line
