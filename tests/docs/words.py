"""What exists in this project: paths, settings, tests, and every word that its files use.

A name in a document counts as there if it is one of these. Words of others (Rasa, PS7, the shell)
count where code or configuration of this project uses them; the few that none does are listed.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from actions.ps7 import PS7Settings
from actions.ps7.settings import PREFIX, SECRETS_DIR
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES = {
    *(".py", ".md", ".yml", ".yaml", ".json", ".toml", ".txt", ".conf", ".Dockerfile", ".svg"),
    *(".png", ".lua", ".html", ".js", ".css", ".crt", ".pem", ".env", ".whl", ".dockerignore"),
}
BOTS_OWN = {
    *("actions/", "domain/", "domain.yml", "domain/bot.yml", "domain/ps7.yml", "config.yml"),
    *("credentials.yml", "endpoints.yml", ".env", "actions/__init__.py", "actions/ps7/", "tests/"),
    *("actions", "domain", "actions/ps7"),
}
"""What lies in the folder of a reader's bot."""
_MADE = ("examples/deploy/secrets/", "secrets/", "dist/")
"""Folders that a command here writes."""
_PLACES = (
    "",
    "actions",
    "actions/ps7",
    "actions/ps7/cli",
    "actions/ps7/testing",
    "tests",
    "examples",
    "examples/oss-bot",
    "examples/deploy",
    "examples/deploy/kubernetes",
    "requirements",
    "docs",
)
_READ = {".py", ".yml", ".yaml", ".toml", ".txt", ".conf", ".sh", ".js", ".html", ".lua", ""}
_SKIPPED = re.compile(r"(^|/)(\.(?!ci/)[^/]+|node_modules|dist|models|__pycache__)/|^tests/docs/")


def path_is_there(word: str, document: str) -> bool:
    """Tell whether a path in a document leads to a file or folder of ours, or of a reader's bot."""
    if word in BOTS_OWN or word.startswith(_MADE):
        return True
    path = re.sub(r"^\.\./rasa-ps7(/|$)", "", word).removeprefix("./") or "."
    bases = (ROOT / document).parent, *(ROOT / place for place in _PLACES)
    return any(_exists(base, path) for base in bases)


def _exists(base: Path, path: str) -> bool:
    if "*" in path:
        return any(base.glob(path))
    return (base / path).exists()


def looks_like_a_path(word: str) -> bool:
    """Tell whether a word in code type names a file or a folder."""
    if not re.fullmatch(r"[\w.*/-]+", word) or word.startswith("/"):
        return False
    return word.endswith("/") or PurePosixPath(word).suffix in SUFFIXES


def no_variable(name: str) -> bool:
    """Tell whether neither the plugin nor this project's own tests read this variable."""
    return name not in settings() and name not in words()


@cache
def settings() -> frozenset[str]:
    """Give the name of every setting."""
    return frozenset(
        (*(f"{PREFIX}{name.upper()}" for name in PS7Settings.model_fields), SECRETS_DIR)
    )


@cache
def all_tests() -> frozenset[str]:
    """Give the name of every test."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(name for text in texts for name in re.findall(r"def (test_\w+)", text))


@cache
def words() -> frozenset[str]:
    """Give every word of this project's files, documents and tests of documents left out."""
    return frozenset(word for path in _sources() for word in _split(_text(path)))


@cache
def folders() -> frozenset[str]:
    """Give the name of every folder, as a drawing of a tree has it."""
    parents = (path.relative_to(ROOT).parts[:-1] for path in _sources())
    return frozenset(f"{name}/" for names in parents for name in names)


def _sources() -> Iterator[Path]:
    for path in ROOT.rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and path.suffix != ".md" and not _SKIPPED.search(name):
            yield path


def _text(path: Path) -> str:
    named = re.sub(r"\W+", " ", path.name)
    return named + " " + (path.read_text("utf-8", "ignore") if path.suffix in _READ else "")


def _split(text: str) -> list[str]:
    return re.findall(r"\w+", text)
