"""`make hooks`: the gate in a hook of git."""

from __future__ import annotations

import os
import runpy

import pytest
from ruamel.yaml import YAML

from tests.support.processes import ROOT


def test_the_tests_drop_what_git_tells_its_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git names the index of the commit to its hooks; tests make repositories of their own."""
    monkeypatch.setenv("GIT_INDEX_FILE", "of the commit")
    runpy.run_path(str(ROOT / "tests" / "conftest.py"))
    assert "GIT_INDEX_FILE" not in os.environ


def test_a_hook_runs_whatever_changed() -> None:
    """The whole target, with no names of files, which `make` would take for targets of its own."""
    settings = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")
    (repository,) = settings["repos"]
    told = {"language": "system", "always_run": True, "pass_filenames": False}
    assert all(told.items() <= each.items() for each in repository["hooks"])
    when = {each["id"]: (each["entry"], *each["stages"]) for each in repository["hooks"]}
    assert when == {
        "secrets": ("make --silent secrets", "pre-commit"),
        "check": ("make --silent check", "pre-commit"),
        "test": ("make --silent test", "pre-push"),
    }
