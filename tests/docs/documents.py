"""The Markdown files of this project, taken apart: blocks of code, tables, links, headings.

It judges nothing. The rules are GitHub's, where people read these files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.processes import ROOT

PARSER = MarkdownIt("commonmark").enable("table")
PATTERNS = ("*.md", "docs/**/*.md", "examples/**/README.md", "tests/**/*.md")

_HTML_TARGET = re.compile(r"""(?:src|href|srcset)=["']([^"'\s]+)""")
_HTML_ANCHOR = re.compile(r"""(?:id|name)=["']([^"']+)""")


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
    """What stands in code type within a sentence."""
    links: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)

    @property
    def prose(self) -> str:
        """Its text without blocks of code, each run of white space one blank."""
        return " ".join(re.sub(r"(?ms)^ *```.*?^ *```$", "", self.text).split())

    def table(self, *header: str) -> Table:
        """Return the one table with this header."""
        (found,) = (table for table in self.tables if table.header == header)
        return found

    def named(self, *header: str, column: int = 0) -> list[str]:
        """Return what stands in code type in one column of a table, in order."""
        return [name for row in self.table(*header).rows for name in code_words(row[column])]


def code_words(cell: str) -> list[str]:
    """Return what stands in code type in a piece of Markdown."""
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
    slugs: Counter[str] = Counter()
    for token, following in pairwise([*tokens, tokens[-1]]):
        if token.type == "fence":
            line = token.map[0] + 1 if token.map else 0
            read.blocks.append(Block(name, line, token.info.strip(), token.content))
        elif token.type == "heading_open":
            read.headings.append(following.content)
            slug = _slug(following)
            read.anchors.append(f"{slug}-{slugs[slug]}" if slugs[slug] else slug)
            slugs[slug] += 1
        for part in (token, *(token.children or ())):
            _read_part(read, part)
    read.tables.extend(_tables(tokens))
    return read


def blocks() -> list[Block]:
    """Return every block of code."""
    return [block for name in names() for block in document(name).blocks]


def _read_part(read: Document, part: Token) -> None:
    if part.type == "code_inline":
        read.code_words.append(part.content)
    elif part.type in {"link_open", "image"}:
        read.links.append(unquote(str(part.attrs.get("href", part.attrs.get("src")))))
    elif part.type in {"html_inline", "html_block"}:
        read.links.extend(_HTML_TARGET.findall(part.content))
        read.anchors.extend(_HTML_ANCHOR.findall(part.content))


def _slug(heading: Token) -> str:
    """Return the anchor of a heading as GitHub makes it."""
    parts = (child for child in heading.children or () if child.type in {"text", "code_inline"})
    text = "".join(part.content for part in parts).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def _tables(tokens: list[Token]) -> Iterator[Table]:
    rows: list[list[str]] = []
    for token, following in pairwise(tokens):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type in {"th_open", "td_open"}:
            rows[-1].append(following.content)
        elif token.type == "table_close":
            header, *body = map(tuple, rows)
            yield Table(header, body)
