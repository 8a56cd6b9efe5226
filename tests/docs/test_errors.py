"""Whoever reads a text of docs/errors.md has read it from the program that the page names."""

from __future__ import annotations

import builtins
import errno
import os
import re
from functools import cache
from pathlib import Path

import _pytest
import pytest
import rasa_sdk

from tests.docs.documents import document
from tests.support.interpreters import rasa_python
from tests.support.processes import ROOT

PAGE = document("docs/errors.md")
SAID = [
    (program, text)
    for section in PAGE.text.split("\n## ")[1:]
    for program, below in [section.split("\n", 1)]
    for text in re.findall(r"(?m)^### `(.+)`$", below)
]
FOLDERS = {
    "rasa-ps7": ROOT / "actions" / "ps7",
    "rasa_sdk": Path(rasa_sdk.__file__).parent,
    "pytest": Path(_pytest.__file__).parent,
}


@cache
def said_by(program: str) -> str:
    """Return all that a program can say: its source, each text in one piece."""
    if program == "Python":
        return " ".join(dir(builtins))
    if program == "Linux":
        return os.strerror(errno.EADDRINUSE).lower()
    if program == "Rasa":
        (folder,) = rasa_python().parents[1].glob("lib/python*/site-packages/rasa")
    else:
        folder = FOLDERS[program]
    files = (*folder.rglob("*.py"), *folder.rglob("*.txt"))
    source = "\n".join(file.read_text(encoding="utf-8") for file in sorted(files))
    return re.sub(r'"\s*\n\s*f?"', "", source)


@pytest.mark.parametrize(("program", "text"), SAID)
def test_a_text_is_in_the_source_of_the_program_that_says_it(program: str, text: str) -> None:
    """To the letter; "…" is what differs from time to time."""
    pattern = ".+?".join(map(re.escape, text.split("…")))
    assert re.search(pattern, said_by(program))


def test_every_text_is_there_once_and_none_is_a_heading_only() -> None:
    """Each has a program, and says what to do; those that people meet first are there."""
    texts = [text for _, text in SAID]
    assert len(texts) == len({*texts}) == PAGE.text.count("\n### ")
    assert {"(nothing)", "address already in use", "KeyError", "A seal was refused"} <= {*texts}
    assert re.findall(r"(?m)^### .+\n\n(?=#)|^### .+\n\Z", PAGE.text) == []
