"""Links lead somewhere, blocks are what they claim to be, and what is named exists."""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import shlex
import subprocess
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
import tomli
from ruamel.yaml import YAML

from actions.ps7 import PS7Settings
from actions.ps7.cli import command
from actions.ps7.settings import PREFIX
from tests.docs.documents import Block, Document, Table, blocks, code_words, document, names
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

every_document = pytest.mark.parametrize("name", names())
SETTINGS = {f"{PREFIX}{name.upper()}" for name in PS7Settings.model_fields}
_COMMAND = re.compile(r'(?<![\w"-])(?:rasa-ps7|-m (?:actions\.ps7|rasa_ps7)) ([^>|&;]*)')


def leads_nowhere(link: str, name: str) -> bool:
    """Whether a link of a document leads to nothing of this project, nor openly into the net."""
    parts = urlsplit(link)
    if parts.scheme in {"https", "mailto"}:
        return False
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
    target = path if parts.path else name
    if parts.scheme or target.startswith("../") or not (ROOT / target).exists():
        return True
    return bool(parts.fragment) and parts.fragment not in document(target).anchors


@every_document
def test_every_link_leads_somewhere(name: str) -> None:
    """To a file or folder of this project and a heading in it, or by https into the net."""
    assert [link for link in document(name).links if leads_nowhere(link, name)] == []


def check_dotenv(code: str) -> None:
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    assert {line.partition("=")[0] for line in lines} <= SETTINGS


CHECKS: dict[str, Callable[[str], object]] = {
    "sh": lambda code: subprocess.run(["/bin/sh", "-n", "-c", code], check=True),
    "python": lambda code: compile(code, "shown", "exec", dont_inherit=True),
    "yaml": YAML(typ="safe", pure=True).load,
    "json": json.loads,
    "toml": tomli.loads,
    "ini": lambda code: configparser.ConfigParser().read_string(code),
    "dotenv": check_dotenv,
    # Run by test_shown_code, compared by tests/container, and what a person alone can judge.
    **dict.fromkeys(("java", "js", "dockerfile", "text", "diff"), str),
}


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_every_block_is_in_the_language_that_it_names(block: Block) -> None:
    """A block without a language, or in one that is checked nowhere, fails."""
    CHECKS[block.language](block.code)


@cache
def variables() -> set[str]:
    """Return every variable that the plugin, the examples or the tests read."""
    found = subprocess.run(
        ["git", "grep", "--untracked", "-ohE", r"\bPS7_[A-Z0-9_]+", "--", ":!*.md", ":!tests/docs"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {*SETTINGS, *found.split()}


@every_document
def test_every_variable_is_read(name: str) -> None:
    """By the plugin, or by what else stands in this repository."""
    said = set(re.findall(r"\bPS7_[A-Z0-9_]+[A-Z0-9]", document(name).text))
    assert said - variables() == set()


@cache
def existing_tests() -> set[str]:
    """Return the name of every test."""
    sources = (path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    return {name for text in sources for name in re.findall(r"def (test_\w+)", text)}


@every_document
def test_every_test_that_is_named_exists(name: str) -> None:
    """A document that promises a test keeps the promise."""
    said = {word for word in document(name).code_words if re.fullmatch(r"test_\w+", word)}
    assert said - existing_tests() == {"test_"} & said


def commands(name: str) -> Iterator[str]:
    """Read each line of shell, and what stands in code type."""
    yield from document(name).code_words
    for block in document(name).blocks:
        if block.language == "sh":
            yield from block.code.replace("\\\n", " ").splitlines()


@every_document
def test_every_command_is_understood(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each target of make is one, and each call of `rasa-ps7` is what its parser takes."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in (each.partition(" #")[0] for each in commands(name)):
        if line.startswith("make "):
            assert {word for word in line.split()[1:] if word.islower()} <= targets, line
        for arguments in map(shlex.split, _COMMAND.findall(line)):
            named_only = len(arguments) == 1
            try:
                command.parser().parse_args([*arguments, *(["--help"] if named_only else [])])
            except SystemExit as end:
                if end.code:
                    pytest.fail(f"{line}: {capsys.readouterr().err}")


ENGLISH, PORTUGUESE = document("README.md"), document("README.pt-BR.md")


def skeleton(table: Table) -> list[list[object]]:
    """Return of each cell what no language changes: names and values, and numbers."""
    return [[(code_words(cell), numbers(cell)) for cell in row] for row in (table[0], *table[1])]


def numbers(cell: str) -> list[str]:
    """Return the numbers of a cell. Portuguese writes 1.234,5 where English writes 1,234.5."""
    said = re.sub(r"`[^`]*`|\]\([^)]*\)", "", cell)
    found = re.findall(r"(?<![\w.-])\d+(?:[.,]\d+)*", said)
    return [re.sub(r"[.,]", "", number) for number in found]


def test_the_portuguese_readme_has_the_structure_of_the_english_one() -> None:
    """The same commands, tables, links and sections, in the same order."""
    pages = (PORTUGUESE, ENGLISH)
    each_other = {page.name for page in pages}
    blocks, tables, links, levels, headings = zip(
        *(
            (
                [block[2:] for block in page.blocks],
                [skeleton(table) for table in page.tables],
                [link for link in page.links if link not in each_other],
                re.findall(r"^(#+) ", page.text, re.MULTILINE),
                [code_words(heading) for heading in page.headings],
            )
            for page in pages
        ),
        strict=True,
    )
    for here, there in (blocks, tables, links, levels, headings):
        assert here == there
    assert PORTUGUESE.name in ENGLISH.links
    assert ENGLISH.name in PORTUGUESE.links


@pytest.mark.parametrize(
    ("page", "words"),
    [(ENGLISH, r"some ([\d,]+) lines"), (PORTUGUESE, r"umas ([\d.]+) linhas")],
    ids=["en", "pt"],
)
def test_the_readme_is_short_and_says_how_large_the_plugin_is(page: Document, words: str) -> None:
    """Lines of the folder without its optional rooms, rounded to hundreds."""
    assert len(page.text.splitlines()) <= 200
    plugin = ROOT / "actions" / "ps7"
    rooms = {plugin / "cli", plugin / "testing"}
    files = (path for path in plugin.rglob("*.py") if not rooms.intersection(path.parents))
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    (said,) = re.findall(words, page.text)
    assert int(re.sub(r"\D", "", said)) == round(lines, -2)
