"""The Markdown files of this project, taken apart: blocks of code, tables, links, headings.

It judges nothing. The rules are GitHub's, where people read these files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote

from markdown_it import MarkdownIt

from tests.support.processes import ROOT

PARSER = MarkdownIt("commonmark").enable("table")
PATTERNS = ("*.md", "docs/**/*.md", "examples/**/README.md", "tests/**/*.md")


class Block(NamedTuple):
    """A fenced block of code."""

    document: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def path(self) -> str | None:
        """Where in a bot the file belongs, if the first line is a comment with a path."""
        named = re.match(r"# ([\w./-]+)\n", self.code)
        return named[1] if named else None


class Table(NamedTuple):
    """A table, each cell as it is written."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass
class Document:
    """One Markdown file."""

    name: str
    text: str
    blocks: list[Block] = field(default_factory=list)
    code_words: list[str] = field(default_factory=list)
    """What is in code type within a sentence."""
    links: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)

    @property
    def anchors(self) -> list[str]:
        """The anchors of its headings, as GitHub makes them."""
        titles = (re.sub(r"[^\w\- ]", "", each.lower()) for each in self.headings)
        return [title.strip().replace(" ", "-") for title in titles]

    @property
    def prose(self) -> str:
        """Its text without blocks of code, each run of white space one blank."""
        return " ".join(re.sub(r"(?ms)^ *```.*?^ *```$", "", self.text).split())

    def table(self, *header: str) -> Table:
        """Return the one table with this header."""
        (found,) = (table for table in self.tables if table.header == header)
        return found

    def named(self, *header: str, column: int = 0) -> list[str]:
        """Return what is in code type in one column of a table, in order."""
        return [name for row in self.table(*header).rows for name in code_words(row[column])]


def code_words(cell: str) -> list[str]:
    """Return what is in code type in a piece of Markdown."""
    (inline,) = PARSER.parseInline(cell)
    return [token.content for token in inline.children or () if token.type == "code_inline"]


@cache
def names() -> list[str]:
    """Return the path of every Markdown file of the project, from its root."""
    found = {path.relative_to(ROOT) for pattern in PATTERNS for path in ROOT.glob(pattern)}
    return sorted(path.as_posix() for path in found if "node_modules" not in path.parts)


@cache
def document(name: str) -> Document:
    """Read one file."""
    read = Document(name, (ROOT / name).read_text(encoding="utf-8"))
    tokens = PARSER.parse(read.text)
    rows: list[tuple[str, ...]] = []
    for token, following in pairwise([*tokens, tokens[-1]]):
        match token.type:
            case "fence":
                line = token.map[0] + 1 if token.map else 0
                read.blocks.append(Block(name, line, token.info.strip(), token.content))
            case "heading_open":
                read.headings.append(following.content.replace("`", ""))
            case "table_open":
                rows = []
            case "tr_open":
                rows.append(())
            case "th_open" | "td_open":
                rows[-1] += (following.content,)
            case "table_close":
                read.tables.append(Table(rows[0], rows[1:]))
    parts = [part for token in tokens for part in token.children or ()]
    read.code_words = [part.content for part in parts if part.type == "code_inline"]
    targets = [part.attrs for part in parts if part.type in {"link_open", "image"}]
    read.links = [unquote(str(each.get("href", each.get("src")))) for each in targets]
    return read


def blocks() -> list[Block]:
    """Return every block of code."""
    return [block for name in names() for block in document(name).blocks]
