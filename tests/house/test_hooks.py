"""`make hooks`: the gate in a hook of git."""

from __future__ import annotations

import os
import runpy

import pytest

from tests.support.processes import ROOT


def test_the_tests_drop_what_git_tells_its_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git names the index of the commit to its hooks; tests make repositories of their own."""
    monkeypatch.setenv("GIT_INDEX_FILE", "of the commit")
    runpy.run_path(str(ROOT / "tests" / "conftest.py"))
    assert "GIT_INDEX_FILE" not in os.environ
