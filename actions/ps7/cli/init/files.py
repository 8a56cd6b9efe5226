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
    from collections.abc import Iterable, Iterator
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
    about: str = ""
    """What a new file is, where its content would be too long to be shown."""
    moves_to: Path | None = None

    @property
    def title(self) -> tuple[str, str]:
        """What happens to it, and its name."""
        if self.moves_to is not None:
            return "moved", f"{self.path} -> {self.moves_to}"
        what = f" ({self.about}, {self.after.count(chr(10))} lines)" if self.about else ""
        return "new" if self.before is None else "changed", f"{self.path}{what}"

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff. No line around the changes where one may be secret."""
        before, after = (self.before or "").splitlines(), self.after.splitlines()
        old, new = "/dev/null" if self.before is None else self.path, self.moves_to or self.path
        around = 0 if self.path.name in _MAY_HOLD_SECRETS else 3
        for line in difflib.unified_diff(before, after, str(old), str(new), "", "", around, ""):
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


def check(changes: Iterable[Change]) -> None:
    """Check that each file can be written where it is, before any is.

    Raises:
        CommandError: one lies behind a link, or may not be written.

    """
    for change in changes:
        for path in filter(None, (change.path, change.moves_to)):
            way = [path, *path.parents]
            links = [str(each) for each in way if each.is_symlink()]
            if links:
                raise CommandError(f"{links[0]} is a link: nothing was changed; edit what it names")
            there = [each for each in way if each.exists()]
            for each in there[: 1 + path.exists()]:
                if not os.access(each, os.W_OK):
                    raise CommandError(f"{each} is read-only: nothing was changed")


def write(changes: Iterable[Change]) -> None:
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
    path = change.path
    for each in filter(None, (path, change.moves_to)):
        each.parent.mkdir(parents=True, exist_ok=True)
    if change.before != change.after:
        beside = path.with_name(f".{path.name}.rasa-ps7")
        beside.touch(_OWNER_ALONE if path.name == _DOTENV else 0o666)
        beside.write_bytes(change.after.encode())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    if change.moves_to is not None:
        path.rename(change.moves_to)
