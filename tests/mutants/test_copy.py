"""What mutation testing copies is enough for the tests that it runs there."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.mutants.run import NEEDED, OPTIONS, TESTS, TESTS_OF_HTTP
from tests.support.processes import ROOT


def test_the_copy_has_what_its_tests_import() -> None:
    """Themselves, and what these import in turn."""
    ignored = {file for option in OPTIONS for file in ROOT.glob(option.partition("=")[2] or "-")}
    named = [ROOT / each.partition("::")[0] for each in (*TESTS, *TESTS_OF_HTTP)]
    left = [file for each in named for file in ([each] if each.is_file() else each.glob("*.py"))]
    left, seen = [file for file in left if file not in ignored], set[Path]()
    while left:
        seen.add(file := left.pop())
        for module in _imported(file):
            found = ROOT / module.replace(".", "/")
            files = (found.with_suffix(".py"), found / "__init__.py")
            left += [each for each in files if each.is_file() and each not in seen]
    lacking = [f for f in seen if not any((ROOT / each) in (f, *f.parents) for each in NEEDED)]
    assert ROOT / "tests/support/conversation.py" in seen
    assert not lacking


def _imported(file: Path) -> set[str]:
    """Return the names of modules, and of what may be one."""
    names = set[str]()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names
