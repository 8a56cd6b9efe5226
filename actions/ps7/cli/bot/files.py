"""Reads files of a folder that somebody else wrote: regular ones, in the folder, within limits.

A FIFO, a device, a link out of the folder, a folder that leads back to itself, a file without end:
each is left out with a word. Nothing of the folder is run.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .yaml import MOST_VALUES, UnreadableError, load

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from .yaml import Table

MOST_BYTES = 1 << 20
"""Of one file."""
_MOST_TOTAL = 16 << 20
"""Bytes of all files that are read for one command."""
_MOST_ENTRIES = 20_000
"""Names of files and folders that are looked at below one folder."""
_DEEPEST = 12
"""Folders within folders."""
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def regular(path: Path) -> bool:
    """Whether there is a regular file, perhaps through a link."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def content(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return what a regular file of at most so many bytes holds.

    FileNotFoundError if there is none; UnreadableError for what cannot be read.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("is not a regular file")  # noqa: TRY301 - as are those below
            read = file.read(most + 1)
    except UnreadableError:
        raise
    except FileNotFoundError:
        if os.path.lexists(path):
            raise UnreadableError("is a link to nothing") from None
        raise
    except (OSError, ValueError) as failure:
        why = getattr(failure, "strerror", None) or "its name is none"
        raise UnreadableError(f"cannot be read: {why}") from None
    if len(read) > most:
        raise UnreadableError(f"is larger than {most >> 10} KiB")
    return read


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a FIFO is opened too, and nobody waits for its other end."""
    return os.open(path, flags | _NO_WAIT)


def text(path: Path, most: int = MOST_BYTES) -> str:
    """Return the text of a file as `content` does; UnreadableError if it is not UTF-8."""
    try:
        return content(path, most).decode()
    except UnicodeDecodeError:
        raise UnreadableError("is not UTF-8") from None


class Reader:
    """Reads below some folders, and no link leads it out of them."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = [root.resolve() for root in roots]
        self._left, self._values_left = _MOST_TOTAL, MOST_VALUES

    def text(self, path: Path) -> str:
        """Return the text of a file that lies in the folders; UnreadableError if it cannot."""
        if not self._inside(path):
            raise UnreadableError("is a link out of the folder")
        try:
            read = text(path)
        except FileNotFoundError:
            raise UnreadableError("is not there") from None
        self._left -= len(read)
        if self._left < 0:
            raise UnreadableError("is one too many: 16 MiB were read before it")
        return read

    def table(self, text: str) -> Table:
        """Return the table that YAML is; UnreadableError if it is too much with the rest."""
        content, values = load(text, self._values_left)
        self._values_left -= values
        return content

    def lenient(self, path: Path) -> str:
        """Return the text of somebody else's file, if need be not all of it, or none."""
        if self._left <= 0 or not self._inside(path):
            return ""
        try:
            read = content(path).decode(errors="replace")
        except (UnreadableError, FileNotFoundError):
            return ""
        self._left -= len(read)
        return read

    def below(
        self, folder: Path, wanted: Callable[[str], bool], leave_out: Collection[str] = ()
    ) -> Iterator[Path]:
        """Yield regular files by name: those of a folder before those further down, by name.

        Hidden names are left out, folders of the names to leave out, and those visited already.
        """
        visited: set[tuple[int, int]] = set()
        entries = 0
        folders = [(folder, 0)]
        while folders:
            here, depth = folders.pop()
            try:
                at = here.stat()
                if (at.st_dev, at.st_ino) in visited or not self._inside(here):
                    continue
                visited.add((at.st_dev, at.st_ino))
                names = []
                with os.scandir(here) as listed:
                    for entry in listed:
                        entries += 1
                        if entries > _MOST_ENTRIES:
                            break
                        names.append(entry.name)
            except OSError:
                continue
            paths = [here / name for name in sorted(names) if not name.startswith(".")]
            yield from (path for path in paths if wanted(path.name) and regular(path))
            inner = [path for path in paths if path.name not in leave_out and path.is_dir()]
            folders += [(path, depth + 1) for path in reversed(inner) if depth < _DEEPEST]

    def _inside(self, path: Path) -> bool:
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError):  # a link that leads back to itself
            return False
        return any(real.is_relative_to(root) for root in self._roots)
