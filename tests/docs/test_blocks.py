"""Every block of code in the documents is what it claims to be, and works."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from dockerfile_parse import DockerfileParser

from tests.docs import programs, python_code, rasa_files
from tests.docs.documents import Block, blocks
from tests.docs.words import folders, looks_like_a_path, path_is_there

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOCKS = blocks()
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_STRINGS = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`|//[^\n]*)""")


def shell_faults(block: Block, _: Path) -> list[str]:
    return programs.faults(block.code, block.document)


def text_faults(block: Block, _: Path) -> list[str]:
    """A drawing or an output: the files it names are there."""
    named = filter(looks_like_a_path, re.findall(r"[\w./*-]+", block.code))
    missing = [word for word in named if word not in folders()]
    return [f"there is no {word}" for word in missing if not path_is_there(word, block.document)]


def bracket_faults(block: Block, _: Path) -> list[str]:
    opened = []
    for sign in _STRINGS.sub("", block.code):
        if sign in _BRACKETS.values():
            opened.append(sign)
        elif sign in _BRACKETS and (not opened or opened.pop() != _BRACKETS[sign]):
            return [f"{sign} closes nothing"]
    return [f"{sign} is not closed" for sign in opened]


def js_faults(block: Block, folder: Path) -> list[str]:
    node = shutil.which("node")
    if node is None:
        return bracket_faults(block, folder)
    is_module = re.search(r"^import ", block.code, re.MULTILINE)
    file = folder / ("shown.mjs" if is_module else "shown.cjs")
    file.write_text(block.code, encoding="utf-8")
    ran = subprocess.run([node, "--check", str(file)], capture_output=True, text=True, check=False)
    return [] if ran.returncode == 0 else [ran.stderr]


def ini_faults(code: str) -> list[str]:
    try:
        configparser.ConfigParser().read_string(code)
    except configparser.Error as error:
        return [f"no ini file: {error}"]
    return []


def dockerfile_faults(code: str) -> list[str]:
    """It starts from an image, and the rest are instructions. What it says is tested elsewhere."""
    first, *rest = (
        each["instruction"] for each in DockerfileParser(fileobj=BytesIO(code.encode())).structure
    )
    known = {"ARG", "COPY", "ENV", "RUN", "USER", "WORKDIR"}
    return [f"{word} stands where it cannot" for word in rest if word not in known] + [
        "it starts from nothing"
    ] * (first != "FROM")


LANGUAGES: dict[str, Callable[[Block, Path], list[str]]] = {
    "sh": shell_faults,
    "python": python_code.faults,
    "yaml": lambda block, _: rasa_files.yaml_faults(block.code),
    "json": lambda block, _: rasa_files.json_faults(block.code),
    "ini": lambda block, _: ini_faults(block.code),
    "dotenv": lambda block, _: rasa_files.dotenv_faults(block.code),
    "dockerfile": lambda block, _: dockerfile_faults(block.code),
    "text": text_faults,
    "java": bracket_faults,
    "js": js_faults,
}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_is_what_it_claims_to_be(block: Block, tmp_path: Path) -> None:
    """In a language that somebody looks at: one without a name, or with another, fails."""
    assert block.language in LANGUAGES
    assert LANGUAGES[block.language](block, tmp_path) == []
