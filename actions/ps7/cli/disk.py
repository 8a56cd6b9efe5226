"""A bot's files as they lie on a disk: whether git keeps one, how one is written, lines of many."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .output import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SECONDS = 20
_NOT_THE_BOTS = {"node_modules", "models", "venv", "site-packages"}
_BUILDS = re.compile(
    r"Makefile|.*\.mk|Justfile|Procfile|Jenkinsfile|.*Dockerfile.*|.*compose.*\.ya?ml|.*\.sh|"
    r"\.gitlab-ci\.yml|.*-pipelines?\.ya?ml|tox\.ini",
    re.IGNORECASE,
)


def repository(folder: Path) -> Path | None:
    """Return the folder of the git repository that a folder lies in."""
    here = folder.resolve()
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), None)


def is_tracked(file: Path) -> bool | None:
    """Whether git keeps a file; None if git does not tell."""
    return _asks_git(file, "ls-files", "--error-unmatch")


def is_ignored(file: Path) -> bool | None:
    """Whether git leaves a file out; None if git does not tell."""
    return _asks_git(file, "check-ignore", "--quiet", "--no-index")


def _asks_git(file: Path, *question: str) -> bool | None:
    if repository(file.parent) is None:
        return False
    git = ("git", "-C", str(file.parent), *question, "--", file.name)
    with suppress(OSError, subprocess.SubprocessError):
        code = subprocess.run(git, capture_output=True, timeout=_SECONDS, check=False).returncode  # noqa: S603
        return {0: True, 1: False}.get(code)
    return None


def read(path: Path) -> str | None:
    """Return the text of a file; None if it is not there."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8: nothing was changed") from None
    except OSError as failure:
        raise CommandError(f"{path} cannot be read: {failure.strerror}") from failure


def write(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file as a whole, with the mode that it had; private: only for its owner.

    The new content is never in a place that somebody else chose: the temporary file is a new one,
    of a random name, and no link.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        if not private:
            os.umask(mask := os.umask(0))
            beside.chmod(0o666 & ~mask)
            with suppress(FileNotFoundError):
                shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def build_files() -> Iterator[Path]:
    """Yield what builds or starts the bot in this folder, in all of its git repository."""
    here = Path.cwd()
    for folder, below, names in os.walk(top := repository(here) or here):
        below[:] = sorted(name for name in below if name == ".github" or name[0] not in "._")
        below[:] = [name for name in below if name not in _NOT_THE_BOTS]
        inside = Path(folder).relative_to(top).as_posix()
        for name in sorted(names):
            if _BUILDS.fullmatch(name) or (inside == ".github/workflows" and name.endswith("ml")):
                yield Path(os.path.relpath(Path(folder, name), here))


def lines(texts: Iterable[tuple[Path, str | None]], pattern: str) -> list[str]:
    """Return `file:line` for each line in which a pattern is found."""
    return [
        f"{file}:{number}"
        for file, text in texts
        for number, line in enumerate((text or "").splitlines(), 1)
        if re.search(pattern, line)
    ]
