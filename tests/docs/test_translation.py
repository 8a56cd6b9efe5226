"""README.pt-BR.md says what README.md says: the same commands, tables, links, in the same order."""

from __future__ import annotations

import re

import pytest

from tests.docs.documents import Table, document, spans_in

ENGLISH, PORTUGUESE = document("README.md"), document("README.pt-BR.md")
EACH_OTHER = {ENGLISH.name, PORTUGUESE.name}
_NUMBER = re.compile(r"(?<![\w.-])\d+(?:[.,]\d+)*")


def test_the_blocks_are_the_same() -> None:
    """Every command, file and setting, to the letter."""
    assert [block[2:] for block in PORTUGUESE.blocks] == [block[2:] for block in ENGLISH.blocks]


def skeleton(table: Table) -> list[list[object]]:
    """Give of each cell what no language changes: names, values and numbers."""
    rows = [table.header, *table.rows]
    return [[(spans_in(cell), _numbers(cell)) for cell in row] for row in rows]


def _numbers(cell: str) -> list[str]:
    """Give the numbers of a cell. Portuguese writes 1.234,5 where English writes 1,234.5."""
    said = re.sub(r"`[^`]*`|\]\([^)]*\)", "", cell)
    return [re.sub(r"[.,]", "", number) for number in _NUMBER.findall(said)]


def test_the_tables_are_in_step() -> None:
    """The same rows in the same order, with the same names, values and numbers."""
    tables = zip(PORTUGUESE.tables, ENGLISH.tables, strict=True)
    for portuguese, english in tables:
        assert skeleton(portuguese) == skeleton(english)


def targets(name: str) -> list[str]:
    return [link.target for link in document(name).links if link.target not in EACH_OTHER]


def test_the_links_and_pictures_are_the_same() -> None:
    """And each leads to the other."""
    assert targets(PORTUGUESE.name) == targets(ENGLISH.name)
    assert PORTUGUESE.name in [link.target for link in ENGLISH.links]
    assert ENGLISH.name in [link.target for link in PORTUGUESE.links]


def test_the_sections_are_the_same() -> None:
    """As many, on the same levels, with the same names of ours in them."""
    levels = [re.findall(r"^(#+) ", page.text, re.MULTILINE) for page in (PORTUGUESE, ENGLISH)]
    assert levels[0] == levels[1]
    named = [[spans_in(said) for said in page.headings] for page in (PORTUGUESE, ENGLISH)]
    assert named[0] == named[1]


@pytest.mark.parametrize("page", [ENGLISH, PORTUGUESE], ids=lambda page: str(page.name))
def test_it_is_read_in_one_go(page: object) -> None:
    """Whoever comes new wants to begin; everything else is in docs/."""
    assert len(str(getattr(page, "text")).splitlines()) <= 200  # noqa: B009 - see ids
