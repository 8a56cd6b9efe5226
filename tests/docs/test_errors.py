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

from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import code_words, document
from tests.support.processes import ROOT

PAGE = document("docs/errors.md")
HEADER = ("text", "said by", "what it means, and what to do")
ROWS = [row for table in PAGE.tables if table.header == HEADER for row in table.rows]
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
        (folder,) = _rasa_python().parents[1].glob("lib/python*/site-packages/rasa")
    else:
        folder = FOLDERS[program]
    files = (*folder.rglob("*.py"), *folder.rglob("*.txt"))
    source = "\n".join(file.read_text(encoding="utf-8") for file in sorted(files))
    return re.sub(r'"\s*\n\s*f?"', "", source)


@pytest.mark.parametrize(("text", "program"), [row[:2] for row in ROWS], ids=str)
def test_a_text_is_in_the_source_of_the_program_that_says_it(text: str, program: str) -> None:
    """To the letter; "…" is what differs from time to time."""
    (quoted,) = code_words(text)
    pattern = ".+?".join(map(re.escape, quoted.split("…")))
    assert re.search(pattern, said_by(program))


def test_the_texts_that_people_meet_first_are_there() -> None:
    """In both tables, and each once."""
    texts = [text for row in ROWS for text in code_words(row[0])]
    assert len(texts) == len(set(texts))
    assert {"(nothing)", "address already in use", "KeyError", "A seal was refused"} <= {*texts}
