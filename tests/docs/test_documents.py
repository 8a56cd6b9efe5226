"""Links lead somewhere, settings and commands exist, and blocks are in the language they name."""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import tomli
from markdown_it.tree import SyntaxTreeNode
from ruamel.yaml import YAML

from actions.ps7 import PS7Settings
from actions.ps7.cli import command
from actions.ps7.settings import PREFIX
from tests.docs.documents import Block, Document, document, names
from tests.support.processes import ROOT
from tests.support.reader import PAGES, TALK

every_document = pytest.mark.parametrize("name", names())
SETTINGS = {f"{PREFIX}{name.upper()}" for name in PS7Settings.model_fields}


def leads_nowhere(link: str, name: str) -> bool:
    """Whether a link of a document leads to nothing of this project, nor by https into the net."""
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


@pytest.fixture(scope="module")
def variables() -> set[str]:
    """Return every variable that the plugin, the examples or the tests read."""
    pattern = rf"\b{PREFIX}[A-Z0-9_]+"
    search = ["git", "grep", "--untracked", "-ohE", pattern, "--", ":!*.md", ":!tests/docs"]
    found = subprocess.run(search, cwd=ROOT, capture_output=True, text=True, check=True)
    return {*SETTINGS, *found.stdout.split()}


@every_document
def test_every_setting_exists(name: str, variables: set[str]) -> None:
    """What a page calls `PS7_…` is read by the plugin, or by something else in this project."""
    said = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]", document(name).text))
    assert said - variables == set()


PARSERS: dict[str, Callable[[str], object]] = {
    "python": lambda code: compile(code, "shown", "exec", dont_inherit=True),
    "yaml": YAML(typ="safe", pure=True).load,
    "json": json.loads,
    "toml": tomli.loads,
    "ini": lambda code: configparser.ConfigParser().read_string(code),
}


def parse(block: Block) -> None:
    PARSERS.get(block.language, str)(block.code)


@every_document
def test_every_block_is_in_the_language_that_it_names(name: str) -> None:
    """As the parser of that language sees it."""
    for block in document(name).blocks:
        parse(block)


@every_document
def test_every_command_is_understood(name: str) -> None:
    """Each call of `rasa-ps7` is one that its parser takes."""
    page = document(name)
    shell = "\n".join(block.code for block in page.blocks if block.language == "sh")
    lines = [*page.code_words, *shell.replace("\\\n", " ").splitlines()]
    found = (re.search(r'(?<![\w"-])rasa-ps7 ([a-z][^<>|&;#]*)', line) for line in lines)
    calls = [shlex.split(each[1]) for each in found if each]
    assert [call for call in calls if exit_code(call)] == []


def exit_code(call: list[str]) -> object:
    """Return what the command line says to a call; of a bare subcommand, to its `--help`."""
    try:
        command.parser().parse_args(call if len(call) > 1 else [*call, "--help"])
    except SystemExit as end:
        return end.code
    return 0


@every_document
def test_a_block_is_for_one_terminal(name: str) -> None:
    """A server or chat keeps its terminal: it is the last line of a block."""
    shell = (block for block in document(name).blocks if block.language == "sh")
    early = [(block, line) for block in shell for line in block.code.splitlines()[:-1]]
    assert [str(block) for block, line in early if any(map(line.count, (*PAGES, TALK)))] == []


TRANSLATED = [
    name for name in names() if ".pt-BR." in name and name.replace(".pt-BR.", ".") in names()
]
WORDS = """three|três four|quatro five|cinco six|seis seven|sete eight|oito nine|nove ten|dez
fifteen|quinze twenty|vinte thirty|trinta fifty|cinquenta half|meia|meio|metade two.days|dois.dias
two.minutes|dois.minutos seconds|segundos minutes?|minutos? hours?|horas? days?|dias?
weeks?|semanas? months?|mês|meses years?|anos?"""
NUMBER = r"(?<![\w.])\d[\d.,]*\d|(?<![\w.])\d"


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_page_in_portuguese_shows_and_says_what_the_english_one_does(name: str) -> None:
    """The same code, numbers, names and commands in each place, and the same pages to read on."""
    portuguese, english = document(name), document(name.replace(".pt-BR.", "."))
    for part in (blocks_of, shape_of, told_by, linked_from):
        assert part(portuguese) == part(english)
    assert posixpath.basename(name) in english.links
    assert posixpath.basename(english.name) in portuguese.links


@pytest.mark.parametrize("name", [each for each in names() if ".pt-BR." in each])
def test_a_page_in_portuguese_says_which_pages_are_in_english(name: str) -> None:
    """At the first link to each; of a page in both languages it links the one in Portuguese."""
    link = re.compile(r"(?s)\[([^][]+)\]\(([\w./-]+\.md|adr)[^)]*\)(.{0,13})")
    unsaid: dict[str, bool] = {}
    for label, to, after in link.findall(document(name).text):
        page = posixpath.normpath(posixpath.join(posixpath.dirname(name), to))
        if page.replace(".md", ".pt-BR.md") in TRANSLATED:
            assert label in {"en", "Read in English"}, to
        elif ".pt-BR." not in page:
            unsaid.setdefault(page, "em inglês" not in " ".join(after.split()))
    assert [page for page, is_unsaid in unsaid.items() if is_unsaid] == []


def shape_of(page: Document) -> tuple[int, list[int]]:
    """Return how many headings it has, and rows of tables."""
    return len(page.headings), [len(each.rows) for each in page.tables]


def blocks_of(page: Document) -> list[tuple[str, str]]:
    """Return its code, without what is only to be read and without comments in commands."""
    shell = re.compile(r"(?m)(^| +)# .*$")
    shown = [(each.language, each.code) for each in page.blocks if each.language != "text"]
    return [(kind, shell.sub("", code) if kind == "sh" else code) for kind, code in shown]


def told_by(page: Document) -> list[tuple[set[str], Counter[str], int]]:
    """Return what each paragraph, heading and cell says, one after the other.

    That is what is in code type, but for words in capitals that a reader replaces by theirs; its
    numbers, of which 1,250.5 is 1.250,5, and their units; and how often something is in bold.
    """
    told = []
    for piece in map(SyntaxTreeNode.walk, page.pieces):
        kinds: dict[str, list[str]] = {}
        for node in piece:
            kinds.setdefault(node.type, []).append("" if node.is_nested else node.content)
        code = {
            re.sub(r"\b(?!PS7)[A-ZÀ-Ý]{4,}\b", "…", each) for each in kinds.get("code_inline", ())
        }
        told.append(
            (code, numbers_of(" ".join(kinds.get("text", ()))), len(kinds.get("strong", ())))
        )
    return told


def numbers_of(text: str) -> Counter[str]:
    """Count numbers and units."""
    found = (re.sub(r"[.,](?=\d{3}\b)", "", each) for each in re.findall(NUMBER, text))
    words = {each: len(re.findall(rf"(?i)\b(?:{each})\b", text)) for each in WORDS.split()}
    return Counter(each.replace(",", ".") for each in found) + Counter(words)


def linked_from(page: Document) -> set[str]:
    """Return the pages to which it leads, whatever their language, and no place in them."""
    here = posixpath.basename(page.name).replace(".pt-BR.", ".")
    found = {urlsplit(each)._replace(fragment="").geturl() for each in page.links}
    return {each.replace(".pt-BR.", ".") for each in found} - {"", here}
