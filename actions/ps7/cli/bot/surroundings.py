"""What is around a bot in its repository: what builds and starts it, and what it requires."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..git import repository
from .files import Reader

_NOT_THE_BOTS = {"node_modules", "models", "venv", "site-packages", "__pycache__"}
BUILDS = re.compile(
    r"(?i)Makefile|.*\.mk|Justfile|Procfile|Jenkinsfile|.*Dockerfile.*|.*compose.*\.ya?ml|.*\.sh|"
    r".*-pipelines?\.ya?ml|tox\.ini"
)
"""What builds or starts a bot."""
REQUIRES = re.compile(r".*requirements.*\.txt|pyproject\.toml|Pipfile|setup\.(py|cfg)")
"""What says which packages it needs."""
OTHERS = re.compile(r"(?i).*\.(py|ipynb|toml|json|cfg|ini|conf|md|rst|txt|bat|ps1|ya?ml)")
"""What else may name a file of it: programs, settings and pages."""
_MOST_ABOVE = 8


def top(folder: Path) -> Path:
    """Return the repository of a folder, or the folder if it has none."""
    return repository(folder) or folder.resolve()


def texts(names: re.Pattern[str]) -> list[tuple[Path, str]]:
    """Return the files of such names in the repository of this folder, and what they hold."""
    whole = top(Path())
    reader = Reader([whole])
    found = [*reader.below(whole, lambda name: names.fullmatch(name) is not None, _NOT_THE_BOTS)]
    if names is BUILDS:
        of_github = whole / ".github" / "workflows"
        found += reader.below(of_github, lambda name: name.endswith(("yml", "yaml")))
        found += [file for file in [whole / ".gitlab-ci.yml"] if file.is_file()]
    return [(Path(os.path.relpath(file, Path.cwd())), reader.lenient(file)) for file in found]


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
