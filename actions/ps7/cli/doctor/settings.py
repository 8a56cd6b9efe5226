"""The settings: those that cannot be used, those that had better be others, and names not read.

And the environment that has Rasa Open Source, whose interpreter is asked for versions. Nothing here
shows a value that could be secret.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ...settings import PREFIX
from ..findings import Finding, by_variant, finding, listed, shown
from ..git import is_ignored, is_tracked, repository
from ..variables import KNOWN, SECRETS, SIMULATORS, in_env_file, names_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...outcomes import SettingsError
    from ...settings import PS7Settings

_ALIKE = 0.72
"""How much a name must be like one of the plugin's to be taken for a misspelt one."""
_MOST_NAMES = 100
_FEWEST_CHARACTERS = 10
"""Different ones in a key that was made by chance: of 32 bytes in hexadecimal digits, about 15."""
_SECONDS = 20
_SLOW_FROM = "4"
"""The version of jsonschema from which on Rasa's check of an answer takes some 20 ms."""
_ASK = """
import json, re
from importlib.metadata import distributions
key = lambda text: re.match(r"[\\w.-]*", text)[0].lower().replace("_", "-")
held = {key(each.metadata["Name"] or ""): each for each in [*distributions()][::-1]}
has = lambda name: held[key(name)].version if key(name) in held else ""
needs = held["rasa-ps7"].requires or [] if "rasa-ps7" in held else []
needs = [each.partition(";")[0].strip() for each in needs]
print(json.dumps([has("rasa"), has("jsonschema"), [[each, has(each)] for each in needs]]))
"""


def faults(failure: SettingsError) -> Iterator[Finding]:
    """Turn the one text of an error into a finding for each variable."""
    for text in map(str.strip, str(failure).splitlines()[1:]):
        bad = by_variant().get(text.split()[0], "settings-bad")
        yield finding("settings-missing" if " is missing; " in text else bad, text=text)


def check(settings: PS7Settings) -> Iterator[Finding]:
    """Return where PS7 is, and what should be otherwise about usable settings."""
    yield finding("settings", url=shown(settings.base_url))
    yield from _keys(settings)
    if settings.app_secret is not None and settings.app_key is None:
        yield finding("app-key-unset")
    if settings.client_key is not None and settings.client_cert is None:
        yield finding("client-cert-unset")
    if settings.base_url.startswith("http:"):
        yield finding("http")
    too_long = [
        f"PS7_{name.upper()} ({getattr(settings, name):g} s)"
        for name in ("connect_timeout", "read_timeout")
        if getattr(settings, name) >= settings.deadline
    ]
    if too_long and settings.attempts > 1:
        deadline, attempts = settings.deadline, settings.attempts
        yield finding("time", deadline=deadline, attempts=attempts, names=listed(too_long))


def _keys(settings: PS7Settings) -> Iterator[Finding]:
    is_set = "seal_keys" in settings.model_fields_set
    seal = [key.get_secret_value() for key in settings.seal_keys if is_set]
    arrival = [key.get_secret_value() for key in settings.arrival_keys or ()]
    for name, keys in (("seal-keys", seal), ("arrival-keys", arrival)):
        number = f"{len(keys)} {'key' if len(keys) == 1 else 'keys'}"
        yield finding(name if keys else f"{name}-unset", number=number)
        if any(len(set(key)) < _FEWEST_CHARACTERS for key in keys):
            yield finding(f"{name}-weak")
    if set(seal) & set(arrival):
        yield finding("keys-shared")


def check_variables(bot: Path | None) -> Iterator[Finding]:
    """Check the names in environment, .env and secret files, and the environment's values."""
    ours = [name for name in names_set() if name.upper().startswith(PREFIX.strip("_"))]
    unknown = [name for name in dict.fromkeys(ours) if name.upper() not in KNOWN]
    for name in unknown[:_MOST_NAMES]:
        if meant := difflib.get_close_matches(name.upper(), KNOWN, 1, _ALIKE):
            yield finding("settings-unknown", name=name, meant=meant[0])
    for name, value in os.environ.items():
        if name.upper() not in KNOWN:
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            yield finding("settings-quotes", name=name)
        elif value != value.strip():
            yield finding("settings-blanks", name=name)
    if bot is not None and bot.resolve() != Path.cwd() and (bot / ".env").is_file():
        yield finding("settings-elsewhere", file=bot / ".env", folder=bot)


def check_file(folder: Path) -> Iterator[Finding]:
    """Check that nobody else reads the secrets of a .env: git, or others on this machine."""
    file = folder / ".env"
    if secrets := _secrets(file):
        held = f"{file} holds {listed(secrets)}"
        if is_tracked(file):
            yield finding("env-tracked", held=held, file=file)
        elif repository(folder) is not None and not is_ignored(file):
            yield finding("env-not-ignored", held=held, name=file.name)
        if os.name == "posix" and file.stat().st_mode & 0o077:
            yield finding("env-readable", held=held, file=file)


def _secrets(file: Path) -> list[str]:
    """Return the names of secrets that a file sets, but for the simulator's."""
    said = {name: value for name, value in in_env_file(file).items() if name in SECRETS}
    if "@" not in said.get(f"{PREFIX}PROXY", ""):  # it has no password
        said.pop(f"{PREFIX}PROXY", None)
    return [name for name, value in said.items() if value not in {"", SIMULATORS}]


def check_rasa(python: str | None) -> Iterator[Finding]:
    """Check the environment of an interpreter; if none is named, this one if it has Rasa."""
    if python is None and not any(distributions(name="rasa")):
        return
    named = python or sys.executable
    program = os.path.abspath(named) if os.sep in named else named  # noqa: PTH100 - not resolved
    try:
        with TemporaryDirectory() as empty:  # Python loads modules of the folder where it starts
            asked = subprocess.run(  # noqa: S603 - the user names it
                (program, "-c", _ASK), cwd=empty, capture_output=True, timeout=_SECONDS, check=True
            )
        rasa, jsonschema, held = json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        yield finding("rasa-python", python=named)
        return
    if rasa:
        yield from _versions(rasa, jsonschema, held)
    else:
        yield finding("rasa-none", python=named)


def _versions(rasa: str, jsonschema: str, held: list[tuple[str, str]]) -> Iterator[Finding]:
    """Check versions: of Rasa, of jsonschema, and of what the plugin needs, if it is there too."""
    key = "rasa" if _older(jsonschema, _SLOW_FROM) else "jsonschema"
    yield finding(key, rasa=rasa, jsonschema=jsonschema)
    lacking = [wanted for wanted, has in held if _older(has, wanted.partition(">=")[2])]
    if lacking:
        yield finding("rasa-environment", names=listed(lacking))


def _older(held: str, least: str) -> bool:
    """Whether a version is not there, or older than another."""
    has, wants = ([int(part) for part in re.findall(r"\d+", text)] for text in (held, least))
    return not has or has < wants
