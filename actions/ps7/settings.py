"""The PS7_* settings: environment, `.env`, and secret files, in one frozen object.

Nothing here opens a connection or knows Rasa. A bad setting is found when the object is made, and
all of them are named at once.
"""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    ValidationInfo,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from .customer import SlotNames
from .outcomes import SettingsError

if TYPE_CHECKING:
    from typing import Any

    from pydantic_core import ErrorDetails
    from pydantic_settings import PydanticBaseSettingsSource as Source
    from typing_extensions import Self

PREFIX = "PS7_"
SECRETS_DIR = "PS7_SECRETS_DIR"
_ALIKE = 0.8
"""How much a name must be like that of a setting to be taken for a misspelt one."""

logger = logging.getLogger(__name__)

# The kinds of settings: a type and a check each. A refusal never shows the value

MAX_SECONDS = 240
"""Rasa gives an action 300 s: ours must be the limit that counts."""
RESPONSE_TIMEOUT = "SANIC_RESPONSE_TIMEOUT"
"""Seconds (60 if it is not set) after which the action server answers a call with 500: the body of
that has the whole tracker, which Rasa logs."""
MIN_SIGNING_BYTES = 32
"""HS256 asks for a key as long as its hash (RFC 7518, section 3.2)."""


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class FaultError(ValueError):
    """What is wrong with a value, in words that show nothing of it."""


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FaultError("this one does not begin with https:// and a host")
    if "@" in parts.netloc:
        raise FaultError("this one holds a user")
    if "?" in text or "#" in text:
        raise FaultError("this one goes on after the path")
    if "/apiaccess/" in f"{parts.path}/":
        raise FaultError("this one holds PS7's own path, which is added to it")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise FaultError("this one is http to another machine")
    if parts.port == 0 or not text.isprintable() or " " in text:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _deadline(seconds: float) -> float:
    """Check that a lookup leaves ten seconds of the action server's limit, or a sixth of it."""
    try:
        limit = float(os.environ.get(RESPONSE_TIMEOUT) or 60)
    except ValueError:
        limit = 60
    most = min(max(limit - 10, limit * 5 / 6), MAX_SECONDS)
    if not seconds <= most:
        raise FaultError(f"{RESPONSE_TIMEOUT} is {limit:g} s, which leaves {most:g} s for a lookup")
    return seconds


def _header_value(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text.strip() or not text.isprintable():
        raise ValueError
    return secret


def _fernet_key(secret: SecretStr) -> SecretStr:
    Fernet(secret.get_secret_value())
    return secret


def _signing_key(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    # PyJWT takes no public key for a secret: signing with one is an old attack.
    if len(text.encode()) < MIN_SIGNING_BYTES or "-----BEGIN" in text or text.startswith("ssh-"):
        raise ValueError
    return secret


def _dotted_path(text: str) -> str:
    if not all(step.strip() for step in text.split(".")):
        raise ValueError
    return text


def _tls_context(
    ca_file: Path | None, client_cert: Path | None = None, client_key: Path | None = None
) -> ssl.SSLContext:
    """Build what a connection is checked by, and what it shows; OSError if a file is no use.

    TLS 1.2 at least; chain and host name are verified, by what this Python demands of them.
    """
    made = ssl.create_default_context(cafile=ca_file)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    # SSLKEYLOGFILE would let others read customers and credentials. (None is not in typeshed.)
    made.keylog_filename = None  # type: ignore[assignment]
    if client_cert is not None:
        # A key with a password would ask for it at the terminal.
        made.load_cert_chain(client_cert, client_key, password=lambda: b"")
    return made


def _trusted(path: Path) -> Path:
    try:
        _tls_context(path)
    except OSError:
        raise ValueError from None
    return path


def _certificate(path: Path, others: ValidationInfo) -> Path:
    """Load the certificate with its key, which the model reads before it."""
    if "client_key" not in others.data:
        return path  # the key's file is at fault
    try:
        _tls_context(None, path, others.data["client_key"])
    except OSError:
        raise ValueError from None
    return path


def _proxy(secret: SecretStr, others: ValidationInfo) -> SecretStr:
    """Check the proxy. The model reads the base URL before it."""
    text = secret.get_secret_value()
    parts = urlsplit(text)
    if parts.scheme != "http" or not parts.hostname or parts.port == 0 or not text.isprintable():
        raise ValueError
    in_clear = str(others.data.get("base_url", "")).startswith("http:")
    if in_clear and not is_loopback(parts.hostname):
        raise ValueError
    return secret


def _slots_of_the_bot(names: list[str], others: ValidationInfo) -> list[str]:
    """Check the slots to clear. The model reads the renames before them."""
    if SlotNames(others.data.get("slot_names", {})).among(names):
        raise FaultError("this one names a slot of the plugin's")
    return names


def _distinct_slots(renames: dict[str, str]) -> dict[str, str]:
    SlotNames(renames)
    return renames


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _json_but_null(value: object) -> object:
    read = _json(value)
    if read is None and value is not None:
        raise ValueError
    return read


FromJson = BeforeValidator(_json)
FromJsonButNull = BeforeValidator(_json_but_null)
"""For a setting that is bad, and not absent, if its value is `null`."""
Name = Annotated[str, Field(min_length=1)]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]
SealKeys = Annotated[list[Annotated[SecretStr, AfterValidator(_fernet_key)]], Field(min_length=1)]
SigningKey = Annotated[SecretStr, AfterValidator(_signing_key)]
ArrivalKeys = Annotated[list[SigningKey], Field(min_length=1)]
DottedPaths = Annotated[list[Annotated[str, AfterValidator(_dotted_path)]], Field(min_length=1)]
OwnSlots = Annotated[list[Name], AfterValidator(_slots_of_the_bot)]
Renames = Annotated[dict[str, Name], AfterValidator(_distinct_slots)]
Seconds = Annotated[float, Field(gt=0, le=MAX_SECONDS, allow_inf_nan=False)]
MaxAge = Annotated[float, Field(gt=0, le=31 * 86400, allow_inf_nan=False)]
Deadline = Annotated[float, Field(gt=0, allow_inf_nan=False), AfterValidator(_deadline)]
HEADER_TEXT = "a text of printable characters"
SECONDS = f"seconds, a number above 0 and at most {MAX_SECONDS}"
BaseUrl = Annotated[str, AfterValidator(_base_url)]
TrustedFile = Annotated[Path, AfterValidator(_trusted)]
CertificateFile = Annotated[Path, AfterValidator(_certificate)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy)]


# Where they come from

# Kept over a reload of this module: a new key would break every seal of the running process.
_made_keys: list[SecretStr] = globals().get("_made_keys", [])


def _made_key() -> list[SecretStr]:
    """Return the seal key of a process that was given none, the same one each time."""
    if not _made_keys:
        _made_keys.append(SecretStr(Fernet.generate_key().decode()))
    return list(_made_keys)


@dataclass
class _NoFile:
    """What has the name of a setting and is not a regular file. No setting takes it for a value.

    A container engine makes a folder if the file to mount is missing.
    """

    path: Path


def _secret_files() -> dict[str, Path]:
    """Return what is in the folder of the secret files, by its names in lower case."""
    folder = os.environ.get(SECRETS_DIR)
    if not folder:
        return {}
    if not Path(folder).is_dir():
        fault = f"{SECRETS_DIR} is no folder; it expects the folder of the secret files"
        raise SettingsError(_message([fault]))
    return {file.name.lower(): file for file in Path(folder).iterdir()}


@cache
def _warn_of_unknown(name: str, known: tuple[str, ...]) -> None:
    """Warn once a process of a name that no setting has. What is no part of a name is not shown."""
    shown, *rest = re.split(r"\W", name, maxsplit=1, flags=re.ASCII)
    alike = get_close_matches(shown, known, 1, _ALIKE)
    meant = f": {alike[0].upper()} may be meant" if alike else ""
    shown = f"{shown.upper()}{'…' if rest else ''}"
    logger.warning("%s is not a setting of the plugin, and is ignored%s", shown, meant)


_NO_PS7 = {"base_url": "http://127.0.0.1", "username": "none", "password": "none"}
"""For a process that does not ask PS7."""


class PS7Settings(BaseSettings):
    """How to reach PS7 and how to treat what it answers.

    Read from environment variables named `PS7_` and the field, from a `.env` in the working folder,
    and from files of that name in the folder that `PS7_SECRETS_DIR` names (Docker and Kubernetes
    secrets); the first that has a value wins. Each field's description tells what it takes.

    Use `PS7Settings.load()` for an error that names every variable at fault.

    Raises:
        ValidationError: it is made otherwise, and one is missing or bad.

    Examples:
        >>> settings = PS7Settings.load()
        >>> settings.deadline, settings.password
        (4.0, SecretStr('**********'))

    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    base_url: BaseUrl = Field(
        description="scheme, host and port of PS7, such as https://cec.example.com, and the path "
        "in front of PS7's own if its gateway has one; http is for a loopback host only",
    )
    username: HeaderValue = Field(description=HEADER_TEXT)
    password: HeaderValue = Field(description=HEADER_TEXT)
    seal_keys: Annotated[SealKeys, FromJson] = Field(
        default_factory=_made_key, description="a JSON list of Fernet keys, newest first"
    )
    arrival_keys: Annotated[ArrivalKeys | None, FromJsonButNull] = Field(
        None,
        description=f"a JSON list of secrets of at least {MIN_SIGNING_BYTES} bytes each, "
        "blanks around them not counted, newest first",
    )
    api_key: HeaderValue | None = Field(None, description=HEADER_TEXT)
    app_key: HeaderValue | None = Field(None, description=HEADER_TEXT)
    encoded: Annotated[int, Field(ge=0, le=1)] | None = Field(None, description="0 or 1")
    app_secret: HeaderValue | None = Field(None, description=HEADER_TEXT)
    slot_names: Annotated[Renames, FromJson] = Field(
        {},
        description='a JSON object from our slot names to yours, such as {"agency": "agencia"}, '
        "no name twice",
    )
    clear_slots: Annotated[OwnSlots, FromJson] = Field(
        [], description='a JSON list of slots of the bot\'s own, such as ["balance"]'
    )
    metadata_keys: Annotated[DottedPaths, FromJson] = Field(
        ["contextId"],
        description='a JSON list of dotted paths, such as ["contextId", "channel.contextId"]',
    )
    deadline: Deadline = Field(
        4.0, description=f"seconds, above 0 and at most 50, or what {RESPONSE_TIMEOUT} leaves"
    )
    connect_timeout: Seconds = Field(1.0, description=SECONDS)
    read_timeout: Seconds = Field(2.0, description=SECONDS)
    attempts: int = Field(3, ge=1, le=10, description="a whole number from 1 to 10")
    breaker_failures: int = Field(5, ge=1, description="a whole number of at least 1")
    breaker_reset: Seconds = Field(15.0, description=SECONDS)
    max_connections: int = Field(256, ge=1, description="a whole number of at least 1")
    max_age: MaxAge = Field(3600.0, description="seconds, above 0 and at most 31 days")
    max_contexts: int = Field(5, ge=1, description="a whole number of at least 1")
    ca_file: TrustedFile | None = Field(None, description="a file of certificates to trust (PEM)")
    client_key: FilePath | None = Field(None, description="the key file of PS7_CLIENT_CERT (PEM)")
    client_cert: CertificateFile | None = Field(
        None,
        description="a file with the client's certificates (PEM), whose key stands there or in "
        "PS7_CLIENT_KEY, without a password",
    )
    proxy: ProxyUrl | None = Field(
        None,
        description="the URL of an HTTP proxy, such as http://proxy.example.com:3128; on this "
        "machine where PS7_BASE_URL is http, since http shows the credentials to it",
    )
    trace_context: bool = Field(default=False, description="true or false")
    strict_cpf: bool = Field(default=False, description="true or false")

    @property
    def newest_key(self) -> str:
        """The key that seals, and from which the keys of digests are derived."""
        return self.seal_keys[0].get_secret_value()

    def tls_context(self) -> ssl.SSLContext:
        """Build what connections to PS7 are checked by, and what they show.

        `PS7_CA_FILE` is trusted instead of the system's authorities; `PS7_CLIENT_CERT` is shown.
        """
        return _tls_context(self.ca_file, self.client_cert, self.client_key)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: Source,
        env_settings: Any,  # noqa: ANN401 - one with `env_vars`
        dotenv_settings: Any,  # noqa: ANN401
        file_secret_settings: Source,  # noqa: ARG003
    ) -> tuple[Any, ...]:
        """Read the environment, `.env` and secret files; the first that has a value wins.

        An empty value is as if it were not set, as in a Compose file. Not so the arrival keys, also
        if only their name is there: without them every arrival is accepted.
        """
        fields = {f"{PREFIX}{field}".lower(): field for field in cls.model_fields}
        paths = _secret_files()
        named = {name: path for name, path in paths.items() if name in fields}
        no_files = {
            fields[name]: _NoFile(path) for name, path in named.items() if not path.is_file()
        }
        files = {n: p.read_text("utf-8").strip() for n, p in named.items() if p.is_file()}
        given: dict[str, Any] = {}
        for source in (env_settings.env_vars, dotenv_settings.env_vars, files):
            for name in fields.keys() & source.keys():
                if source[name] or fields[name] == "arrival_keys":
                    given.setdefault(fields[name], source[name] or "")
        others = {*env_settings.env_vars, *dotenv_settings.env_vars, *paths} - fields.keys()
        for name in sorted(others - {SECRETS_DIR.lower()}):
            if name.startswith(PREFIX.lower()):
                _warn_of_unknown(name, tuple(fields))
        return init_settings, lambda: given | no_files

    @classmethod
    def load(cls, *, need_ps7: bool = True) -> Self:
        """Read the settings of this process, and warn once if the seal has no lasting key.

        If PS7 is not asked, its address and credentials need not be set: `need_ps7` is False.

        Raises:
            SettingsError: one text that names every variable at fault and what it expects.

        """
        settings = cls._read({}, {} if need_ps7 else _NO_PS7)
        if need_ps7 and "seal_keys" not in settings.model_fields_set:
            _warn_of_made_key()
        return settings

    @classmethod
    def _read(cls, given: dict[str, Any], otherwise: dict[str, Any]) -> Self:
        """Read them; `otherwise` has what takes the place of required ones that are not set."""
        try:
            return cls(**given)
        except ValidationError as error:
            details = error.errors(include_url=False)
            missing = [str(each["loc"][0]) for each in details if each["type"] == "missing"]
            if missing and otherwise:
                return cls._read({name: otherwise[name] for name in missing}, {})
            raise SettingsError(_message(cls._faults(details))) from None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(_message([_unreadable(error)])) from None

    @classmethod
    def _faults(cls, details: list[ErrorDetails]) -> list[str]:
        """Return for each variable at fault what is wrong and what it expects, never its value."""
        faults = {}
        for detail in details:
            name = str(detail["loc"][0])
            is_missing = detail["type"] == "missing"
            state = "is missing" if is_missing else "cannot be used"
            expects = cls.model_fields[name].description
            fault = detail.get("ctx", {}).get("error")
            more = f"; {fault}" if isinstance(fault, FaultError) else ""
            more = f"; looked in {_sources()}" if is_missing else more
            if isinstance(detail["input"], _NoFile):
                more = f"; {detail['input'].path} is not a regular file"
            faults[name] = f"{PREFIX}{name.upper()} {state}; it expects {expects}{more}"
        return list(faults.values())


def _sources() -> str:
    dotenv = "there" if Path(".env").is_file() else "not there"
    folder = "set" if os.environ.get(SECRETS_DIR) else "not set"
    return f"the environment, .env in this folder ({dotenv}) and {SECRETS_DIR} ({folder})"


@cache
def _warn_of_made_key() -> None:
    logger.warning(
        "PS7_SEAL_KEYS is not set: this process seals with a key of its own. After a restart "
        "no seal opens, and several action servers cannot serve one conversation."
    )


def _unreadable(error: Exception) -> str:
    """Return which file cannot be read, and by which user."""
    file = getattr(error, "filename", None) or ".env or a secret file"
    user = f" by user {os.getuid()}" if hasattr(os, "getuid") else ""  # Windows has no number
    return f"{file} cannot be read{user} ({type(error).__name__})"


def _message(faults: list[str]) -> str:
    return "\n  ".join(["The PS7 settings are not usable:", *faults])
