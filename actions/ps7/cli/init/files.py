"""The files of a bot as `init` changes them: planned as data, shown as a diff, then written."""

from __future__ import annotations

import difflib
import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..output import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_DOTENV, _OWNER_ALONE = ".env", 0o600
_MAY_HOLD_SECRETS = {_DOTENV, "endpoints.yml"}
_KEY = re.compile(r"(PS7_SEAL_KEYS=).*")


@dataclass(frozen=True)
class Change:
    """A file of a bot: what it says now, and what it is to say."""

    path: Path
    before: str | None
    """None where it is not there."""
    after: str
    moved_from: Path | None = None
    about: str = ""
    """What a new file is, where its content would be too long to be shown."""

    @property
    def title(self) -> tuple[str, str]:
        """What happens to it, and its name."""
        if self.moved_from is not None:
            return "moved", f"{self.moved_from} -> {self.path}"
        what = f" ({self.about}, {self.after.count(chr(10))} lines)" if self.about else ""
        return "new" if self.before is None else "changed", f"{self.path}{what}"

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff. No line around the changes where one may be secret."""
        before, after = (self.before or "").splitlines(), self.after.splitlines()
        old = "/dev/null" if self.before is None else str(self.moved_from or self.path)
        around = 0 if self.path.name in _MAY_HOLD_SECRETS else 3
        for line in difflib.unified_diff(before, after, old, str(self.path), "", "", around, ""):
            yield _KEY.sub(r"\1(a new key)", line)


def read(path: Path) -> str | None:
    """Return what a file says; None where it is not there.

    Raises:
        CommandError: it cannot be read, or is not UTF-8.

    """
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8: nothing was changed") from None
    except OSError as failure:
        raise CommandError(f"{path} cannot be read: {failure.strerror}") from failure


def edited(text: str, edit: Callable[[str], str | None]) -> str | None:
    r"""Return a text after an edit, which sees `\n` where every line of it ends in `\r\n`."""
    lines = text.count("\n")
    if not lines or text.count("\r\n") != lines:
        return edit(text)
    after = edit(text.replace("\r\n", "\n"))
    return after and after.replace("\n", "\r\n")


def appended(text: str, block: str) -> str:
    """Return a text with a block of lines at its end."""
    return f"{text}\n{block}" if text and not text.endswith("\n") else text + block


def check(changes: Sequence[Change]) -> None:
    """Check that each file can be written where it is, before any is.

    Raises:
        CommandError: one lies behind a link, or may not be written.

    """
    for change in changes:
        for path in filter(None, (change.path, change.moved_from)):
            way = [path, *path.parents]
            links = [str(each) for each in way if each.is_symlink()]
            if links:
                raise CommandError(f"{links[0]} is a link: nothing was changed; edit what it names")
            folder = next(each for each in way[1:] if each.exists())
            for each in (folder, path) if path.exists() else (folder,):
                if not os.access(each, os.W_OK):
                    raise CommandError(f"{each} is read-only: nothing was changed")


def write(changes: Sequence[Change]) -> None:
    """Write them in their order, each as a whole: what a failure leaves can be run again.

    Raises:
        CommandError: one could not be written.

    """
    for change in changes:
        try:
            _write(change)
        except OSError as failure:
            raise CommandError(f"{change.path} cannot be written: {failure.strerror}") from failure


def _write(change: Change) -> None:
    change.path.parent.mkdir(parents=True, exist_ok=True)
    there = change.moved_from or change.path
    if change.before != change.after:
        beside = there.with_name(f".{there.name}.rasa-ps7")
        beside.touch(_OWNER_ALONE if there.name == _DOTENV else 0o666)
        beside.write_bytes(change.after.encode())
        if there.exists():
            shutil.copymode(there, beside)
        beside.replace(there)
    if change.moved_from is not None:
        there.rename(change.path)
