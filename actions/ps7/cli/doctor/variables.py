"""The PS7_* variables as they stand around a process: names that nobody reads, doubtful values.

Knows where variables come from, and not what each of them must be: that is the settings' to say.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ...settings import PREFIX, SECRETS_DIR, PS7Settings
from .finding import Finding, caution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KNOWN = (SECRETS_DIR, *(f"{PREFIX}{field.upper()}" for field in PS7Settings.model_fields))
"""Every variable that the plugin reads."""

_ALIKE = 0.7
"""How much a name must be like one of ours to be taken for a slip of the pen."""
_SHORTEST_PART = 3
_QUOTES = ("'", '"')
_PROGRAM = PREFIX.strip("_")


def in_file(folder: Path) -> dict[str, str | None]:
    """Give the variables of `.env` in a folder; none where it cannot be read."""
    from dotenv import dotenv_values  # noqa: PLC0415 - pydantic-settings brings it, and waits too

    try:
        return dict(dotenv_values(folder / ".env"))
    except (OSError, ValueError):
        return {}  # the settings say so


def in_secrets(folder: Path | None) -> list[str]:
    """Give the names of the secret files in a folder; none where it cannot be read."""
    try:
        return [] if folder is None else sorted(file.name for file in folder.iterdir())
    except OSError:
        return []  # as above


def elsewhere(bot: Path, here: Path) -> list[Finding]:
    """Say that a bot has a `.env` which is not read, since this is not its folder."""
    if bot.resolve() == here.resolve() or not (bot / ".env").is_file():
        return []
    found = f"{bot / '.env'} is not read: settings are those of the folder where this runs"
    return [caution("settings-elsewhere", found, f"run the command in {bot}")]


def check(
    environment: Mapping[str, str], dotenv: Mapping[str, str | None], secrets: list[str]
) -> list[Finding]:
    """Check the names in all three places, and the values that the environment holds."""
    names = dict.fromkeys([*environment, *dotenv, *secrets])
    return [
        *_slips_of_the_pen(list(names)),
        *_wrapped(environment),
        *_folder_of_secrets(environment, dotenv),
    ]


def meant_by(name: str) -> str | None:
    """Give the variable that somebody had in mind who wrote this one; None if it is ours, or odd.

    A name is like one of ours, or is a part of one alone: `PS7_URL`.
    """
    upper = name.upper()
    if upper in KNOWN or not upper.startswith(_PROGRAM):
        return None
    word = _word(upper)
    around = [known for known in KNOWN if len(word) >= _SHORTEST_PART and word in _word(known)]
    if len(around) == 1:
        return around[0]
    likeness = {known: difflib.SequenceMatcher(None, word, _word(known)).ratio() for known in KNOWN}
    best = max(KNOWN, key=likeness.__getitem__)
    return best if likeness[best] >= _ALIKE else None


def _word(name: str) -> str:
    return name.removeprefix(_PROGRAM).strip("_-")


def _slips_of_the_pen(names: list[str]) -> Iterator[Finding]:
    for name in names:
        meant = meant_by(name)
        if meant is not None:
            yield caution(
                "settings-unknown",
                f"{name} is no variable of this plugin and changes nothing",
                f"did you mean {meant}? Rename it, or remove it",
            )


def _wrapped(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Find quotes and blanks that some other program should have taken off."""
    for name, value in environment.items():
        if name.upper() not in KNOWN or value == "":
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
            yield caution(
                "settings-quotes",
                f"{name} stands in quotes, and they are taken as a part of it",
                "write the value without them: `docker run --env-file` and Kubernetes keep quotes",
            )
        elif value != value.strip():
            yield caution(
                "settings-blanks",
                f"{name} begins or ends with white space",
                "remove it; a line end at the end of a secret is the usual cause",
            )


def _folder_of_secrets(
    environment: Mapping[str, str], dotenv: Mapping[str, str | None]
) -> Iterator[Finding]:
    if SECRETS_DIR in dotenv and not environment.get(SECRETS_DIR):
        yield caution(
            "settings-secrets-dir",
            f"{SECRETS_DIR} stands in .env, where it is not read",
            "set it in the environment: it says where settings are, and is needed before them",
        )
