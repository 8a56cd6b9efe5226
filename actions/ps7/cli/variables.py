"""The plugin's settings as names: where each is set, and which of them are secrets."""

from __future__ import annotations

import io
import os
import re
from contextlib import suppress
from pathlib import Path

from ..settings import PREFIX, SECRETS_DIR, PS7Settings
from .bot import files
from .bot.yaml import UnreadableError, rows
from .findings import listed
from .output import CommandError
from .texts import refusal

ENV = Path(".env")
KNOWN = (SECRETS_DIR, *(f"{PREFIX}{field.upper()}" for field in PS7Settings.model_fields))
_SENSITIVE = "PASSWORD", "SEAL_KEYS", "ARRIVAL_KEYS", "API_KEY", "APP_KEY", "APP_SECRET", "PROXY"
SECRETS = {f"{PREFIX}{name}" for name in _SENSITIVE}
SIMULATORS = "simulator"
"""The password that `init` sets, for the simulator."""
_MOST_BYTES = 64 << 10
"""Of a `.env`."""
_CREDENTIALS = SECRETS - {"PS7_SEAL_KEYS", "PS7_ARRIVAL_KEYS", "PS7_PROXY"} | {"PS7_CLIENT_KEY"}
_PLACES = "PS7_BASE_URL", "PS7_PROXY", "PS7_CA_FILE"
"""What decides who receives the credentials."""


def load(*, need_ps7: bool = False) -> PS7Settings:
    """Read the settings of this process, if the `.env` in this folder is a file that can be read.

    Unless PS7 is asked (`need_ps7`), its address and credentials need not be set.
    """
    try:
        if os.path.lexists(ENV):
            files.text(ENV, _MOST_BYTES)
    except UnreadableError as failure:
        raise CommandError(f"{ENV} {failure}") from None
    return PS7Settings.load(need_ps7=need_ps7)


def load_to_ask(*, agreed: bool) -> PS7Settings:
    """Read the settings with which PS7 is asked.

    CommandError if the `.env` of this folder, which may be somebody else's, says where credentials
    of the environment or of secret files go, and nobody has agreed.
    """
    settings = load(need_ps7=True)
    own = {name for name, value in in_env_file(ENV).items() if value}
    outside = {name.upper() for name, value in os.environ.items() if value}
    places = [name for name in _PLACES if name in own - outside]
    secrets = _CREDENTIALS & (outside | {name.upper() for name in _secret_files()} - own)
    written = " ".join(in_env_file(ENV, filled=False).values())
    secrets |= {name.upper() for name in re.findall(r"\$\{(\w+)", written)} & outside - own
    if places and secrets and not agreed:
        listing = {"places": listed(places), "secrets": listed(sorted(secrets))}
        raise CommandError(refusal("env-not-agreed", **listing))
    return settings


def own_secrets(settings: PS7Settings) -> dict[str, str]:
    """Return the names of the secrets in use, by the secrets, the longest first."""
    held = ((f"{PREFIX}{field.upper()}", value) for field, value in settings)
    every = ((name, rows(value) or [value]) for name, value in held if name in SECRETS and value)
    found = {each.get_secret_value(): name for name, values in every for each in values}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def names_set() -> list[str]:
    """Return the names in environment, `.env` and secret files."""
    return [*os.environ, *in_env_file(ENV), *_secret_files()]


def in_env_file(file: Path, *, filled: bool = True) -> dict[str, str]:
    """Return what a `.env` sets, by names in capitals; nothing if it cannot be read.

    filled: `${NAME}` is what the environment has, as for the settings.
    """
    from dotenv import dotenv_values  # pydantic-settings brings it, and waits too

    with suppress(FileNotFoundError, UnreadableError):
        found = dotenv_values(stream=io.StringIO(files.text(file, _MOST_BYTES)), interpolate=filled)
        return {name.upper(): value or "" for name, value in found.items()}
    return {}


def _secret_files() -> list[str]:
    folder = os.environ.get(SECRETS_DIR)
    with suppress(OSError):  # the settings report it
        return sorted(file.name for file in Path(folder).iterdir()) if folder else []
    return []
