"""Texts that are files, part by part: each begins with a line `%% NAME`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def parts(file: str) -> dict[str, str]:
    """Return the parts of a file beside this module, by name and in order."""
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    _, *named = re.split(r"^%% (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(named[::2], named[1::2], strict=True))


def pairs(file: str, name: str) -> dict[str, str]:
    """Return a part that has a word and what belongs to it in each line."""
    lines = parts(file)[name].splitlines()
    return dict(line.split(maxsplit=1) for line in lines)


def left_to_you(name: str, **filled: object) -> str:
    """Return what is left to a person by a name in `remaining.txt`, with what fills its gaps."""
    return parts("remaining.txt")[name].strip().format(**filled)


def refusal(name: str, **filled: object) -> str:
    """Return why a command does not do what it was asked for, by a name in `refusals.txt`."""
    return parts("refusals.txt")[name].strip().format(**filled)
