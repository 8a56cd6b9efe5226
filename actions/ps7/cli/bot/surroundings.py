"""What is around a bot in its repository: what builds and starts it, and what it requires."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..git import repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .files import Reader

_NOT_THE_BOTS = {"node_modules", "models", "venv", "site-packages", "__pycache__"}
_BUILDS = re.compile(
    r"Makefile|.*\.mk|Justfile|Procfile|Jenkinsfile|.*Dockerfile.*|.*compose.*\.ya?ml|.*\.sh|"
    r".*-pipelines?\.ya?ml|tox\.ini",
    re.IGNORECASE,
)
_REQUIRES = re.compile(r".*requirements.*\.txt|pyproject\.toml|Pipfile|setup\.(py|cfg)")
_OTHERS = re.compile(
    r".*\.(py|ipynb|toml|json|cfg|ini|conf|md|rst|txt|bat|ps1|ya?ml|sh)", re.IGNORECASE
)
_MOST_ABOVE = 8


def top(folder: Path) -> Path:
    """Return the repository of a folder, or the folder if it has none."""
    return repository(folder) or folder.resolve()


def builds(reader: Reader, folder: Path) -> list[tuple[Path, str]]:
    """Return what builds or starts a bot, in all of its repository, as seen from here."""
    return list(_texts(reader, folder, _BUILDS))


def requirements(reader: Reader, folder: Path) -> list[tuple[Path, str]]:
    """Return what says which packages a bot needs, as seen from here."""
    return list(_texts(reader, folder, _REQUIRES))


def others(reader: Reader, folder: Path) -> list[tuple[Path, str]]:
    """Return whatever else may name a file of the bot: programs, settings and pages."""
    return list(_texts(reader, folder, _OTHERS))


def _texts(reader: Reader, folder: Path, names: re.Pattern[str]) -> Iterator[tuple[Path, str]]:
    whole = top(folder)
    found = [*reader.below(whole, lambda name: names.fullmatch(name) is not None, _NOT_THE_BOTS)]
    if names is _BUILDS:
        of_github = whole / ".github" / "workflows"
        found += reader.below(of_github, lambda name: name.endswith(("yml", "yaml")))
        found += [file for file in [whole / ".gitlab-ci.yml"] if file.is_file()]
    for file in found:
        yield Path(os.path.relpath(file, Path.cwd())), reader.lenient(file)


def env_above(folder: Path) -> Path | None:
    """Return a `.env` in a folder above, in the same repository; without one, in the next one."""
    here, whole = folder.resolve(), repository(folder)
    above = here.parents[:_MOST_ABOVE] if whole is not None else here.parents[:1]
    for each in above:
        if whole is not None and not each.is_relative_to(whole):
            return None
        if (each / ".env").is_file():
            return Path(os.path.relpath(each / ".env", Path.cwd()))
    return None
