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
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...settings import PREFIX, SECRETS_DIR, PS7Settings
from ..disk import is_tracked
from .report import Finding, caution, error, listed, ok, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...outcomes import SettingsError

KNOWN = (SECRETS_DIR, *(f"{PREFIX}{field.upper()}" for field in PS7Settings.model_fields))
_SENSITIVE = "PASSWORD", "SEAL_KEYS", "ARRIVAL_KEYS", "API_KEY", "APP_KEY", "APP_SECRET", "PROXY"
SECRETS = {f"{PREFIX}{name}" for name in _SENSITIVE}
SIMULATORS = "simulator"
"""The password that `init` sets, for the simulator."""
_ALIKE = 0.72
"""How much a name must be like one of the plugin's to be taken for a misspelt one."""
_FEWEST_CHARACTERS = 10
"""Different ones in a key that was made by chance: of 32 bytes in hexadecimal digits, about 15."""
_WHERE = (
    "set it in the environment of the action server, in .env in the folder where that starts, or "
    "as a file of that name in the folder of PS7_SECRETS_DIR"
)
_FILE = "check that the file is there, that this user may read it, and that it is PEM"
_REPAIRS = {
    "PS7_BASE_URL": "write https, host, port and, if your gateway has one, its path; no user",
    "PS7_SEAL_KEYS": "`rasa-ps7 key` makes what it expects",
    "PS7_CA_FILE": _FILE,
    "PS7_CLIENT_KEY": _FILE,
    "PS7_CLIENT_CERT": f"{_FILE}, belongs to the key, and has no password",
    "PS7_SECRETS_DIR": "name the folder where the secrets are mounted, or unset it",
    ".env": "check that this user may read it, and that it is UTF-8",
}
_SECONDS = 20
_SLOW_FROM = "4"
"""The version of jsonschema from which on Rasa's check of an answer takes some 20 ms."""
_ASK = """
import json, re
from importlib.metadata import PackageNotFoundError, requires, version

def ask(read, name, otherwise):
    try:
        return read(name)
    except PackageNotFoundError:
        return otherwise

needs = [each.partition(";")[0] for each in ask(requires, "rasa-ps7", [])]
held = [[each, ask(version, re.match(r"[\\w.-]+", each)[0], "")] for each in needs]
print(json.dumps([ask(version, "rasa", ""), ask(version, "jsonschema", ""), held]))
"""


def faults(failure: SettingsError) -> Iterator[Finding]:
    """Turn the one text of an error into a finding for each variable."""
    for text in map(str.strip, str(failure).splitlines()[1:]):
        if " is missing; " in text:
            yield error("settings-missing", text, _WHERE)
        else:
            yield error("settings-bad", text, _REPAIRS.get(text.split()[0], "correct it"))


def check(settings: PS7Settings) -> Iterator[Finding]:
    """Return where PS7 is, and what should be otherwise about usable settings."""
    yield ok("settings", f"every setting is usable; PS7 is {shown(settings.base_url)}")
    yield from _keys(settings)
    if settings.app_secret is not None and settings.app_key is None:
        found = "PS7_APP_SECRET is set and PS7_APP_KEY is not: no token is fetched"
        yield caution("app-key-unset", found, "set PS7_APP_KEY as well, or remove the secret")
    if settings.client_key is not None and settings.client_cert is None:
        found = "PS7_CLIENT_KEY is set and PS7_CLIENT_CERT is not: no certificate is shown"
        yield caution("client-cert-unset", found, "set PS7_CLIENT_CERT as well, or remove the key")
    if settings.base_url.startswith("http:"):
        found = "PS7_BASE_URL is http: credentials and customers' data are not encrypted"
        how = "right for a simulator or a side-car on this machine only; PS7 itself is https"
        yield caution("http", found, how)
    too_long = [
        f"PS7_{name.upper()} ({getattr(settings, name):g} s)"
        for name in ("connect_timeout", "read_timeout")
        if getattr(settings, name) >= settings.deadline
    ]
    if too_long and settings.attempts > 1:
        found = f"PS7_DEADLINE ({settings.deadline:g} s) ends before {listed(too_long)}: a PS7 "
        found += f"that is silent is asked once, and never PS7_ATTEMPTS ({settings.attempts}) times"
        yield caution("time", found, "at most half of PS7_DEADLINE lets it be asked again")


def _keys(settings: PS7Settings) -> Iterator[Finding]:
    is_set = "seal_keys" in settings.model_fields_set
    seal = [key.get_secret_value() for key in settings.seal_keys if is_set]
    arrival = [key.get_secret_value() for key in settings.arrival_keys or ()]
    if not seal:
        found = "PS7_SEAL_KEYS is not set: each action server makes a key of its own at start"
        how = "give all action servers the same, from `rasa-ps7 key`: else a restart loses every "
        how += "customer, and several servers cannot serve one conversation"
        yield caution("seal-keys-unset", found, how)
    if not arrival:
        found = "PS7_ARRIVAL_KEYS is not set: who can post to the channel can send any contextId"
        how = "let the back-end that opens the chat sign it, unless the channel is closed to others"
        yield caution("arrival-keys-unset", found, f"{how}: docs/security.md")
    for prefix, keys, option in (("seal-keys", seal, ""), ("arrival-keys", arrival, " --arrival")):
        name = f"PS7_{prefix.upper().replace('-', '_')}"
        if keys:
            yield ok(prefix, f"{name} is set ({len(keys)} {'key' if len(keys) == 1 else 'keys'})")
        if any(len(set(key)) < _FEWEST_CHARACTERS for key in keys):
            found = f"{name} holds a key that was hardly made by chance"
            yield caution(f"{prefix}-weak", found, f"replace it: `rasa-ps7 key{option}` makes one")
    if set(seal) & set(arrival):
        found = "a key is in PS7_SEAL_KEYS and in PS7_ARRIVAL_KEYS"
        how = "use different ones: a back-end that signs arrivals could make seals as well"
        yield caution("keys-shared", found, how)


def names_set() -> list[str]:
    """Return the names in environment, .env and secret files."""
    folder, names = os.environ.get(SECRETS_DIR), [*os.environ, *_in_file(Path(".env"))]
    with suppress(OSError):  # the settings report it
        names += sorted(file.name for file in Path(folder).iterdir()) if folder else ()
    return names


def names_in(file: Path) -> list[str]:
    """Return the names that a .env sets."""
    return list(_in_file(file))


def _in_file(file: Path) -> dict[str, str | None]:
    from dotenv import dotenv_values  # pydantic-settings brings it, and waits too

    with suppress(OSError, ValueError):
        return dotenv_values(file) if file.is_file() else {}
    return {}


def check_variables(bot: Path | None) -> Iterator[Finding]:
    """Check the names in environment, .env and secret files, and the environment's values."""
    for name in dict.fromkeys(names_set()):
        meant = difflib.get_close_matches(name.upper(), KNOWN, 1, _ALIKE)
        if meant and name.upper().startswith(PREFIX.strip("_")) and name.upper() not in KNOWN:
            found = f"{name} is no variable of this plugin and changes nothing"
            how = f"did you mean {meant[0]}? Rename it, or remove it"
            yield caution("settings-unknown", found, how)
    for name, value in os.environ.items():
        if name.upper() not in KNOWN:
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            found = f"{name} stands in quotes, and they are taken as a part of it"
            how = "write the value without them: `docker run --env-file` and Kubernetes keep quotes"
            yield caution("settings-quotes", found, how)
        elif value != value.strip():
            found = f"{name} begins or ends with white space"
            how = "remove it; a line end at the end of a secret is the usual cause"
            yield caution("settings-blanks", found, how)
    if bot is not None and bot.resolve() != Path.cwd() and (bot / ".env").is_file():
        found = f"{bot / '.env'} is not read: settings are those of the folder where this runs"
        yield caution("settings-elsewhere", found, f"run the command in {bot}")


def check_file(folder: Path) -> Iterator[Finding]:
    """Check that nobody else reads the secrets of a .env: git, or others on this machine."""
    file = folder / ".env"
    if secrets := _secrets(file):
        held = f"{file} holds {listed(secrets)}"
        if is_tracked(file):
            found = f"{held}, and git keeps it: whoever has the repository has them"
            how = (
                f"take them out (`git rm --cached {file}` takes all of it out), put them into the "
            )
            how += (
                "environment of the action server or files of PS7_SECRETS_DIR, and replace them: "
            )
            yield error("env-tracked", found, f"{how}git's history has the old ones")
        if os.name == "posix" and file.stat().st_mode & 0o077:
            found = f"{held}, and others on this machine may read it"
            yield caution("env-readable", found, f"`chmod 600 {file}`")


def _secrets(file: Path) -> list[str]:
    """Return the names of secrets that a file sets, but for the simulator's."""
    said = {name: value or "" for name, value in _in_file(file).items() if name in SECRETS}
    if "@" not in said.get(f"{PREFIX}PROXY", ""):  # it has no password
        said.pop(f"{PREFIX}PROXY", None)
    return [name for name, value in said.items() if value not in {"", SIMULATORS}]


def check_rasa(python: str | None) -> Iterator[Finding]:
    """Check the environment of an interpreter; if none is named, this one if it has Rasa."""
    named = python or sys.executable
    how = "name the interpreter that runs Rasa, such as .venv/bin/python"
    try:
        asked = subprocess.run(  # noqa: S603 - the user names it
            (named, "-c", _ASK), capture_output=True, timeout=_SECONDS, check=True
        )
        rasa, jsonschema, held = json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        yield error("rasa-python", f"{named} does not say which packages it has", how)
        return
    if rasa:
        yield from _versions(rasa, jsonschema, held)
    elif python is not None:
        yield error("rasa-none", f"{named} has no Rasa Open Source", how)


def _versions(rasa: str, jsonschema: str, held: list[tuple[str, str]]) -> Iterator[Finding]:
    """Check versions: of Rasa, of jsonschema, and of what the plugin needs, if it is there too."""
    beside = f"Rasa {rasa} has jsonschema {jsonschema}"
    if _older(jsonschema, _SLOW_FROM):
        yield ok("rasa", beside)
    else:
        how = "pin jsonschema==3.2.0 there, which Rasa allows: each action of the bot gets cheaper"
        yield caution("jsonschema", f"{beside}: each custom action costs it some 20 ms more", how)
    lacking = [wanted for wanted, has in held if _older(has, wanted.partition(">=")[2])]
    if lacking:
        found = f"rasa-ps7 is in Rasa's environment, which lacks {listed(lacking)}"
        how = "install what requirements/in-rasa.txt of the plugin's repository pins there"
        yield error("rasa-environment", found, how)


def _older(held: str, least: str) -> bool:
    """Whether a version is not there, or older than another."""
    has, wants = ([int(part) for part in re.findall(r"\d+", text)] for text in (held, least))
    return not has or has < wants
