"""The Markdown files of this project, taken apart: blocks of code, tables, links, headings.

It judges nothing. The rules are GitHub's, where people read these files.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tests.support.processes import ROOT

PARSER = MarkdownIt("commonmark").enable("table")
PATTERNS = ("*.md", "docs/**/*.md", "examples/**/README*.md", "tests/**/*.md")


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

    @classmethod
    def read(cls, table: SyntaxTreeNode) -> Table:
        """Take one apart."""
        rows = [row for part in table.children for row in part.children]
        header, *below = (tuple(cell.children[0].content for cell in row.children) for row in rows)
        return cls(header, below)


class Document:
    """One Markdown file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = (ROOT / name).read_text(encoding="utf-8")
        self._nodes = [*SyntaxTreeNode(PARSER.parse(self.text)).walk()]
        self.pieces = self._of("inline")
        """Its paragraphs, headings and cells, in order."""
        self.code_words = [node.content for node in self._of("code_inline")]
        """What is in code type within a sentence."""
        targets = (node.attrs for node in self._of("link", "image"))
        self.links = [unquote(str(each.get("href", each.get("src")))) for each in targets]
        self.tables = [Table.read(node) for node in self._of("table")]
        titles = (node.children[0].content for node in self._of("heading"))
        self.headings = [title.replace("`", "") for title in titles]

    def _of(self, *types: str) -> list[SyntaxTreeNode]:
        return [node for node in self._nodes if node.type in types]

    @property
    def blocks(self) -> list[Block]:
        """Its blocks of code."""
        return [
            Block(self.name, node.map[0] + 1 if node.map else 0, node.info.strip(), node.content)
            for node in self._of("fence")
        ]

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
    return Document(name)
