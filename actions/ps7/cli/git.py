"""Asks git about a file, in a folder whose configuration somebody else may have written."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 2
_GIT = (
    "git",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "safe.bareRepository=explicit"),
)
_ALONE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_OPTIONAL_LOCKS": "0"}
"""What a partial clone lacks is not fetched: that could run a program of its configuration."""


def repository(folder: Path) -> Path | None:
    """Return the folder of the git repository that a folder lies in."""
    here = folder.resolve()
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), None)


def is_tracked(file: Path) -> bool | None:
    """Whether git keeps a file; None if git does not tell."""
    return _asks(file, "ls-files", "--error-unmatch")


def is_ignored(file: Path) -> bool | None:
    """Whether git leaves a file out that it does not keep; None if git does not tell."""
    return _asks(file, "check-ignore", "--quiet", "--no-index")


def is_committed(file: Path) -> bool:
    """Whether git has a file as it is, but for the ends of its lines: then it can bring it back."""
    # `git status` would run the filters of the repository's configuration.
    kept = _git(file, "cat-file", "blob", f"HEAD:./{file.name}")
    now, then = (text.replace(b"\r\n", b"\n") for text in (file.read_bytes(), kept.stdout))
    return kept.returncode == 0 and now == then


def _asks(file: Path, *question: str) -> bool | None:
    if repository(file.parent) is None:
        return False
    return {0: True, 1: False}.get(_git(file, *question, "--", file.name).returncode)


def _git(file: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git where a file is; -1 is the exit code if that is not possible."""
    command = (*_GIT, "-C", str(file.parent), *arguments)
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(  # noqa: S603 - no program that the folder names is run
            command,
            env={**os.environ, **_ALONE},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    return subprocess.CompletedProcess(command, -1, b"")
