"""The Markdown files of this project, taken apart: blocks, tables, links, words in code type.

Says nothing of what is right. GitHub's rules count, since that is where people read.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable("table")
GUIDES = ("README*.md", "CONTRIBUTING.md", "RELEASING.md", "docs/*.md", "examples/*/README.md")
"""What people read to use the project: every block and every word in code type is looked at."""

_NOT_OURS = re.compile(r"(^|/)(\.[^/]+|node_modules|dist|mutants)/")
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


class Span(NamedTuple):
    """Words in code type within a sentence."""

    document: str
    line: int
    text: str


class Link(NamedTuple):
    """Where a link or a picture leads."""

    document: str
    line: int
    target: str


class Table(NamedTuple):
    """A table, each cell as it is written."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, number: int) -> list[str]:
        """Give one column, the header left out."""
        return [row[number] for row in self.rows]


@dataclass
class Document:
    """One Markdown file."""

    path: Path
    blocks: list[Block] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Its path from the root of the project."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """All of it, as it stands in the file."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """Its text without blocks of code, each run of white space one blank."""
        lines = self.text.splitlines()
        for token in PARSER.parse(self.text):
            if token.type == "fence" and token.map is not None:
                lines[slice(*token.map)] = [""] * (token.map[1] - token.map[0])
        return " ".join("\n".join(lines).split())

    def table(self, *header: str) -> Table:
        """Give the one table with this header."""
        (found,) = (table for table in self.tables if table.header == header)
        return found


def spans_in(cell: str) -> list[str]:
    """Give what stands in code type in a piece of Markdown."""
    (inline,) = PARSER.parseInline(cell)
    return [token.content for token in inline.children or () if token.type == "code_inline"]


def names() -> list[str]:
    """Give every Markdown file of the project, by its path from the root."""
    found = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.md"))
    return sorted(name for name in found if not _NOT_OURS.search(name))


def guides() -> list[str]:
    """Give those that people read to use the project."""
    paths = (path for pattern in GUIDES for path in ROOT.glob(pattern))
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


@cache
def document(name: str) -> Document:
    """Read one file."""
    read = Document(ROOT / name)
    tokens = PARSER.parse(read.text)
    slugs: Counter[str] = Counter()
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "fence":
            read.blocks.append(Block(name, line, token.info.strip(), token.content))
        elif token.type == "heading_open" and following is not None:
            read.headings.append(following.content)
            slug = _slug(following)
            read.anchors.add(f"{slug}-{slugs[slug]}" if slugs[slug] else slug)
            slugs[slug] += 1
        elif token.type == "inline":
            _read_inline(read, token, line)
        elif token.type == "html_block":
            _read_html(read, token.content, line)
    read.tables.extend(_tables(tokens))
    return read


def blocks() -> list[Block]:
    """Give every block of code of the guides."""
    return [block for name in guides() for block in document(name).blocks]


def _read_inline(read: Document, token: Token, line: int) -> None:
    for child in token.children or ():
        if child.type == "code_inline":
            read.spans.append(Span(read.name, line, child.content))
        elif child.type == "link_open":
            read.links.append(Link(read.name, line, str(child.attrs["href"])))
        elif child.type == "image":
            read.links.append(Link(read.name, line, str(child.attrs["src"])))
        elif child.type == "html_inline":
            _read_html(read, child.content, line)


def _read_html(read: Document, html: str, line: int) -> None:
    read.links.extend(Link(read.name, line, target) for target in _HTML_TARGET.findall(html))
    read.anchors.update(_HTML_ANCHOR.findall(html))


def _slug(heading: Token) -> str:
    """Name a heading as GitHub does."""
    said = "".join(
        child.content for child in heading.children or () if child.type in {"text", "code_inline"}
    )
    return re.sub(r"[^\w\- ]", "", said.strip().lower()).replace(" ", "-")


def _tables(tokens: list[Token]) -> Iterator[Table]:
    rows: list[tuple[str, ...]] = []
    cells: list[str] = []
    for token, following in pairwise(tokens):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            cells = []
        elif token.type in {"th_open", "td_open"}:
            cells.append(following.content)
        elif token.type == "tr_close":
            rows.append(tuple(cells))
        if following.type == "table_close":
            yield Table(rows[0], tuple(rows[1:]))
