"""What mutation testing copies, and the oldest versions have, is enough for the tests there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.mutants.run import NEEDED, OPTIONS, TESTS, TESTS_OF_HTTP
from tests.support.processes import ROOT


def test_the_copy_has_what_its_tests_import() -> None:
    """Themselves, and what these import in turn."""
    ignored = {file for option in OPTIONS for file in ROOT.glob(option.partition("=")[2] or "-")}
    named = [ROOT / each.partition("::")[0] for each in (*TESTS, *TESTS_OF_HTTP)]
    files = [file for each in named for file in ([each] if each.is_file() else each.glob("*.py"))]
    seen = _reached({*files} - ignored)
    lacking = [f for f in seen if not any((ROOT / each) in (f, *f.parents) for each in NEEDED)]
    assert ROOT / "tests/support/conversation.py" in seen
    assert not lacking


def test_the_oldest_versions_need_no_tools_for_pages() -> None:
    """Their environment has none, and collects these two folders."""
    folders = (ROOT / "tests" / "unit", ROOT / "tests" / "host")
    seen = _reached({file for folder in folders for file in folder.glob("*.py")})
    assert [file for file in seen if ROOT / "tests" / "docs" in file.parents] == []


def _reached(files: set[Path]) -> set[Path]:
    """Return the project's files that these import, and themselves."""
    left, seen = [*files], set[Path]()
    while left:
        seen.add(file := left.pop())
        for module in _imported(file):
            found = ROOT / module.replace(".", "/")
            both = (found.with_suffix(".py"), found / "__init__.py")
            left += [each for each in both if each.is_file() and each not in seen]
    return seen


@cache
def _imported(file: Path) -> set[str]:
    """Return the names of modules, and of what may be one."""
    names = set[str]()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names
