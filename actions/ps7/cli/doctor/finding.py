"""What a check of the doctor finds, as plain values. How it is shown is decided elsewhere.

No text of a finding holds a secret or a contextId: names of variables, slots, files, hosts and
certificates are what it may say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_LONGEST = 100


class Level(str, Enum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    """It works, and will bite somebody."""
    ERROR = "error"
    """It does not work, or not as the bot's dialogue believes."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found."""

    id: str
    """A short name that stays the same from version to version, for machines."""
    level: Level
    found: str
    """What is the case, in one sentence."""
    do: str = ""
    """What to do about it, in one sentence or two; empty where all is well."""


def ok(name: str, found: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(name, Level.OK, found)


def caution(name: str, found: str, do: str) -> Finding:
    """Say that something works, and had better be changed."""
    return Finding(name, Level.WARNING, found, _sentence(do))


def error(name: str, found: str, do: str) -> Finding:
    """Say that something does not work."""
    return Finding(name, Level.ERROR, found, _sentence(do))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def has_error(findings: list[Finding]) -> bool:
    """Tell whether one of them failed, so that what builds on it is not looked at."""
    return any(finding.level is Level.ERROR for finding in findings)


def shown(text: str) -> str:
    """Cut what comes from elsewhere, such as a name in a certificate, to what a line can bear."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def listed(names: list[str]) -> str:
    """Write names as prose does: `a`, `a and b`, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
