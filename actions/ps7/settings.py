"""The PS7_* settings: environment, `.env`, and secret files, in one frozen object.

Nothing here opens a connection or knows Rasa. A bad setting is found when the object is made, and
all of them are named at once.
"""

from __future__ import annotations

import logging
import os
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSource

from . import setting_types as types
from .outcomes import SettingsError

if TYPE_CHECKING:
    from typing import Any

    from pydantic_settings import PydanticBaseSettingsSource as Source
    from typing_extensions import Self

PREFIX = "PS7_"
SECRETS_DIR = "PS7_SECRETS_DIR"

logger = logging.getLogger(__name__)

# Kept over a reload of this module: a new key would break every seal of the running process.
_made_keys: list[SecretStr] = globals().get("_made_keys", [])


def _keys_of_this_process() -> list[SecretStr]:
    """Make a seal key once, for a process that was given none."""
    if not _made_keys:
        _made_keys.append(SecretStr(Fernet.generate_key().decode()))
    return list(_made_keys)


def _without_blanks(source: Any) -> dict[str, Any]:  # noqa: ANN401 - some have `env_vars`
    """Return what a source has. A blank value is as if it were not set, as in a Compose file.

    Not so the arrival keys, also if only their name is there: without them every arrival is
    accepted.
    """
    named = "ps7_arrival_keys" in getattr(source, "env_vars", ())
    keys = {"arrival_keys": ""} if named else {}
    kept = ("arrival_keys",)
    return keys | {name: each for name, each in source().items() if each != "" or name in kept}


class _FromEnvironment(BaseSettings):
    """Settings from the environment, `.env` and secret files, with one error for all faults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: Source,
        env_settings: Source,
        dotenv_settings: Source,
        file_secret_settings: Source,
    ) -> tuple[Any, ...]:
        """Read the environment, `.env` and secret files, without what is blank there."""
        sources = (env_settings, dotenv_settings, file_secret_settings)
        return init_settings, *(partial(_without_blanks, each) for each in sources)

    @classmethod
    def load(cls) -> Self:
        """Read the settings of this process.

        Raises:
            SettingsError: one text that names every variable at fault and what it expects.

        """
        folder = os.environ.get(SECRETS_DIR) or None
        if folder is not None and not Path(folder).is_dir():
            faults = [f"{SECRETS_DIR} is no folder; it expects the folder of the secret files"]
            raise SettingsError(_message(faults))
        try:
            return cls(_secrets_dir=folder)
        except ValidationError as error:
            raise SettingsError(_message(cls._faults(error))) from None
        except (UnreadableSource, OSError, UnicodeDecodeError) as error:
            raise SettingsError(_message([_unreadable(error)])) from None

    @classmethod
    def _faults(cls, error: ValidationError) -> list[str]:
        """Return for each variable at fault what is wrong and what it expects, never its value."""
        faults = {}
        for detail in error.errors(include_input=False, include_url=False):
            name = str(detail["loc"][0])
            is_missing = detail["type"] == "missing"
            state = "is missing" if is_missing else "cannot be used"
            expects = cls.model_fields[name].description
            fault = detail.get("ctx", {}).get("error")
            more = f"; {fault}" if isinstance(fault, types.FaultError) else ""
            more = f"; looked in {_sources()}" if is_missing else more
            faults[name] = f"{PREFIX}{name.upper()} {state}; it expects {expects}{more}"
        return list(faults.values())


def _sources() -> str:
    dotenv = "there" if Path(".env").is_file() else "not there"
    folder = "set" if os.environ.get(SECRETS_DIR) else "not set"
    return f"the environment, .env in this folder ({dotenv}) and {SECRETS_DIR} ({folder})"


class ArrivalSettings(_FromEnvironment):
    """What a back-end that signs arrival tokens needs, and no more."""

    arrival_keys: Annotated[types.ArrivalKeys | None, NoDecode, types.FromJsonButNull] = Field(
        default=None,
        description=f"a JSON list of secrets of at least {types.MIN_SIGNING_BYTES} bytes each, "
        "newest first",
    )


class SlotSettings(_FromEnvironment):
    """What a reader of a bot's files needs, and no more."""

    slot_names: Annotated[types.Renames, NoDecode, types.FromJson] = Field(
        default={},
        description='a JSON object from our slot names to yours, such as {"agency": "agencia"}, '
        "no name twice",
    )
    clear_slots: Annotated[list[types.Name], NoDecode, types.FromJson] = Field(
        default=[],
        description='a JSON list of slots of the bot\'s own, such as ["balance"]',
    )
    metadata_keys: Annotated[types.DottedPaths, NoDecode, types.FromJson] = Field(
        default=["contextId"],
        description='a JSON list of dotted paths, such as ["contextId", "channel.contextId"]',
    )
    max_age: float = Field(
        default=3600.0,
        gt=0,
        le=31 * 86400,
        allow_inf_nan=False,
        description="seconds, a number above 0 and at most 31 days",
    )


class PS7Settings(ArrivalSettings, SlotSettings):
    """How to reach PS7 and how to treat what it answers.

    Read from environment variables named `PS7_` and the field, from a `.env` in the working folder,
    and from files of that name in the folder that `PS7_SECRETS_DIR` names (Docker and Kubernetes
    secrets); the first that has a value wins. Each field's description tells what it takes.

    Use `PS7Settings.load()` for an error that names every variable at fault.
    """

    base_url: types.BaseUrl = Field(
        description="scheme, host and port of PS7, such as https://cec.example.com, and the path "
        "in front of PS7's own if its gateway has one; http is for a loopback host only",
    )
    username: types.HeaderValue = Field(description=types.HEADER_TEXT)
    password: types.HeaderValue = Field(description=types.HEADER_TEXT)
    seal_keys: Annotated[types.SealKeys, NoDecode, types.FromJson] = Field(
        default_factory=_keys_of_this_process,
        description="a JSON list of Fernet keys, newest first",
    )
    api_key: types.HeaderValue | None = Field(default=None, description=types.HEADER_TEXT)
    app_key: types.HeaderValue | None = Field(default=None, description=types.HEADER_TEXT)
    encoded: Annotated[int, Field(ge=0, le=1)] | None = Field(default=None, description="0 or 1")
    app_secret: types.HeaderValue | None = Field(default=None, description=types.HEADER_TEXT)
    deadline: types.Seconds = Field(default=4.0, description=types.SECONDS)
    connect_timeout: types.Seconds = Field(default=1.0, description=types.SECONDS)
    read_timeout: types.Seconds = Field(default=2.0, description=types.SECONDS)
    attempts: int = Field(default=3, ge=1, le=10, description="a whole number from 1 to 10")
    breaker_failures: int = Field(default=5, ge=1, description="a whole number of at least 1")
    breaker_reset: types.Seconds = Field(default=15.0, description=types.SECONDS)
    max_connections: int = Field(default=256, ge=1, description="a whole number of at least 1")
    max_contexts: int = Field(default=5, ge=1, description="a whole number of at least 1")
    ca_file: types.TrustedFile | None = Field(
        default=None, description="a file of certificates to trust (PEM)"
    )
    client_key: types.KeyFile | None = Field(
        default=None, description="a file with the key of PS7_CLIENT_CERT (PEM)"
    )
    client_cert: types.CertificateFile | None = Field(
        default=None,
        description="a file with the client's certificates (PEM), whose key stands there or in "
        "PS7_CLIENT_KEY, without a password",
    )
    proxy: types.ProxyUrl | None = Field(
        default=None,
        description="the URL of an HTTP proxy, such as http://proxy.example.com:3128; on this "
        "machine where PS7_BASE_URL is http, since http shows the credentials to it",
    )
    trace_context: bool = Field(default=False, description="true or false")
    strict_cpf: bool = Field(default=False, description="true or false")

    @property
    def newest_key(self) -> str:
        """The key that seals, and from which the keys of digests are derived."""
        return self.seal_keys[0].get_secret_value()

    @classmethod
    def load(cls) -> Self:
        """Read the settings of this process, and warn once if the seal has no lasting key."""
        settings = super().load()
        if "seal_keys" not in settings.model_fields_set:
            _warn_of_made_key()
        return settings


@cache
def _warn_of_made_key() -> None:
    logger.warning(
        "PS7_SEAL_KEYS is not set: this process seals with a key of its own. Contexts will not "
        "survive a restart, and several action servers cannot serve one conversation."
    )


def _unreadable(error: Exception) -> str:
    """Return which file cannot be read, and by which user."""
    cause = error.__cause__ or error  # pydantic-settings wraps what a secret file raises
    file = getattr(cause, "filename", None) or ".env or a secret file"
    user = f" by user {os.getuid()}" if hasattr(os, "getuid") else ""  # Windows has no number
    return f"{file} cannot be read{user} ({type(cause).__name__})"


def _message(faults: list[str]) -> str:
    return "\n  ".join(["The PS7 settings are not usable:", *faults])
