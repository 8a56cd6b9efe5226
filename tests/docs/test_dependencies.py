"""docs/dependencies.md has a row for each dependency, with its lower bound."""

from __future__ import annotations

import re

import tomli
from packaging.requirements import Requirement

from tests.docs.documents import document
from tests.support.processes import ROOT

PAGE = "docs/dependencies.md"


def test_every_dependency_has_its_row() -> None:
    """In the order of pyproject.toml, with what the package costs and what goes without it."""
    (table,) = document(PAGE).tables
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [Requirement(text) for text in project["dependencies"]]
    bounds = [str(each.specifier).removeprefix(">=") or "any" for each in needed]
    names = [each.name for each in needed]
    assert [row[:2] for row in table.rows] == list(zip(names, bounds, strict=True))
    assert [row for row in table.rows if not all(row)] == []


def test_what_it_says_of_a_file_is_so() -> None:
    """The breaker is as small as the page says, give or take a few lines."""
    (lines, path) = re.findall(r"some (\d+) lines, in `([\w/.]+)`", document(PAGE).prose)[0]
    code = (ROOT / path).read_text(encoding="utf-8")
    body = re.sub(r'""".*?"""', "", code, flags=re.DOTALL).splitlines()
    statements = [line for line in body if line.strip() and "import" not in line]
    assert abs(len(statements) - int(lines)) <= int(lines) // 4
