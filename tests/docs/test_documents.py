"""Links lead somewhere, blocks are what they claim to be, and what is named exists."""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from urllib.parse import urlsplit

import pytest
import tomli
from ruamel.yaml import YAML

from actions.ps7 import PS7Settings
from actions.ps7.cli import command
from actions.ps7.settings import PREFIX
from tests.docs.documents import PARSER, Block, Document, blocks, code_words, document, names
from tests.support.processes import ROOT

every_document = pytest.mark.parametrize("name", names())
SETTINGS = {f"{PREFIX}{name.upper()}" for name in PS7Settings.model_fields}
_COMMAND = re.compile(r'(?<![\w"-])(?:rasa-ps7|-m (?:actions\.ps7|rasa_ps7)) ([^<>|&;]*)')


def leads_nowhere(link: str, name: str) -> bool:
    """Whether a link of a document leads to nothing of this project, nor openly into the net."""
    parts = urlsplit(link)
    if parts.scheme in {"https", "mailto"}:
        return False
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), parts.path))
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
    # Run by tests/conversation, compared by tests/container, and what a person alone can judge.
    **dict.fromkeys(("sql", "dockerfile", "text", "diff"), str),
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


TRANSLATED = {
    english: name
    for name in names()
    if (english := name.replace(".pt-BR.", ".")) != name and english in names()
}


def skeleton(page: Document) -> Iterator[tuple[object, ...]]:
    """Read what no language changes: the parts of a page, code, names and values, and numbers.

    A block of text is a drawing in words, and may be translated.
    """
    for token in PARSER.parse(page.text):
        shown = token.content if token.type == "fence" and token.info != "text" else None
        said = "" if token.type == "fence" else token.content
        yield token.type, token.tag, token.info, shown, sorted(code_words(said)), numbers(said)


def numbers(said: str) -> list[str]:
    """Return the numbers of a text. Portuguese writes 1.234,5 where English writes 1,234.5."""
    without_code = re.sub(r"`[^`]*`|\]\([^)]*\)", "", said)
    found = re.findall(r"(?<![\w.-])\d+(?:[.,]\d+)*", without_code)
    return sorted(re.sub(r"[.,]", "", number) for number in found)


def in_portuguese(link: str, page: Document) -> str:
    """Return the link that stands in the Portuguese page for one of the English page."""
    path, _, anchor = link.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page.name), path))
    target = target if path else page.name
    if target == TRANSLATED[page.name]:
        return posixpath.basename(page.name)
    if target not in TRANSLATED:
        return link
    if anchor:
        at = document(target).anchors.index(anchor)
        anchor = f"#{document(TRANSLATED[target]).anchors[at]}"
    return path.replace(".md", ".pt-BR.md") + anchor


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_portuguese_page_has_the_structure_of_the_english_one(name: str) -> None:
    """The same parts in the same order, with the same code, names, numbers and links.

    A link leads to the page in the same language where there is one, and each to the other.
    """
    english, portuguese = document(name), document(TRANSLATED[name])
    assert list(skeleton(portuguese)) == list(skeleton(english))
    assert portuguese.links == [in_portuguese(link, english) for link in english.links]
    assert posixpath.basename(portuguese.name) in english.links


@pytest.mark.parametrize("name", ["README.md", "README.pt-BR.md"])
def test_the_readme_is_short_and_leads_to_the_other_language(name: str) -> None:
    """Its first line is the way there."""
    text = document(name).text
    assert len(text.splitlines()) <= 200
    assert re.match(r"\*\[.*\]\(README(\.pt-BR)?\.md\)\*\n", text)
