"""The git hooks are the gates of `make test`, which is what CI runs: no more, no fewer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = ROOT / ".pre-commit-config.yaml"
MAKEFILE = """
%: ; @echo $@ >> ran; ! grep -q "not for $@" file
"""


def hooks() -> list[dict[str, Any]]:
    """Give the hooks, in order."""
    repositories = YAML(typ="safe").load(CONFIG)["repos"]
    return [hook for repository in repositories for hook in repository["hooks"]]


def test_the_hooks_are_the_gates() -> None:
    """Before a commit what `make test` checks before its tests; before a push, `make test`."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (quick,) = re.findall(r"^test: ([\w ]+?) ##", makefile, re.MULTILINE)
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    assert ci == "exec make test"
    assert [(hook["entry"], hook["stages"]) for hook in hooks()] == [
        *((f"make --silent {gate}", ["pre-commit"]) for gate in quick.split()),
        ("make --silent test", ["pre-push"]),
    ]


def test_no_hook_is_fetched_or_left_out() -> None:
    """Each runs what is here, whatever was changed; no address stands in the file."""
    assert [repository["repo"] for repository in YAML(typ="safe").load(CONFIG)["repos"]] == [
        "local"
    ]
    assert [hook["id"] for hook in hooks()] == [hook["entry"].split()[-1] for hook in hooks()]
    for hook in hooks():
        assert (hook["language"], hook["always_run"], hook["pass_filenames"]) == (
            "system",
            True,
            False,
        )
    assert "://" not in CONFIG.read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a repository with these hooks, and gates that do not like certain words."""
    project = Project(tmp_path)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / CONFIG.name).write_bytes(CONFIG.read_bytes())
    (tmp_path / ".gitignore").write_text("ran\n.cache\nelsewhere\n")
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run(sys.executable, "-m", "pre_commit", "install")
    return project


class Project:
    """A repository of its own: none of this machine's settings for git reach it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment = {
            **kept,
            **{f"GIT_{who}_NAME": "somebody" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "somebody@example.com" for who in ("AUTHOR", "COMMITTER")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "PRE_COMMIT_HOME": str(folder / ".cache"),
        }

    def run(self, *command: str, succeeds: bool = True) -> str:
        """Run a command here; give what it says."""
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ran.returncode == 0) is succeeds, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def commit(self, text: str, *, succeeds: bool = True) -> list[str]:
        """Change a file and commit it; give the gates that ran."""
        (self.folder / "file").write_text(text)
        (self.folder / "ran").unlink(missing_ok=True)
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", text, succeeds=succeeds)
        return (self.folder / "ran").read_text().split()


def test_a_commit_passes_every_quick_gate_or_is_none(project: Project) -> None:
    """pre-commit itself reads the file, and git asks it."""
    assert project.commit("fine") == ["lint", "types", "imports"]
    assert project.commit("not for types", succeeds=False) == ["lint", "types"]
    assert project.commit("not for test") == ["lint", "types", "imports"]
    assert project.run("git", "log", "--format=%s").split("\n") == ["not for test", "fine", ""]


def test_a_push_passes_the_whole_gate_where_that_was_asked_for(project: Project) -> None:
    """As CONTRIBUTING.md says how."""
    project.commit("not for test")
    project.run("git", "init", "--quiet", "--bare", "elsewhere")
    project.run("git", "push", "--quiet", "elsewhere", "main")
    project.run(sys.executable, "-m", "pre_commit", "install", "--hook-type", "pre-push")
    project.run("git", "push", "--quiet", "elsewhere", "main:other", succeeds=False)
    project.commit("fine")
    project.run("git", "push", "--quiet", "elsewhere", "main:other")
    assert project.run("git", "ls-remote", "--heads", "elsewhere", "other").endswith("other\n")
