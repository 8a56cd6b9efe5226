"""Changes of a bot's files, as data: shown as a diff, then checked and written."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..disk import read, write
from ..output import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MAY_HOLD_SECRETS = {".env", "endpoints.yml"}
_KEY = re.compile(r"(PS7_SEAL_KEYS=).*")


@dataclass(frozen=True)
class Change:
    """A file of a bot: its text now, and its text afterwards."""

    path: Path
    before: str | None
    """None if it is not there."""
    after: str | None
    """None if it is deleted."""
    about: str = ""
    """What a file is, if its content is too long to be shown."""
    moves_to: Path | None = None
    private: bool = False
    """Whether only its owner may read it."""

    @property
    def title(self) -> tuple[str, str]:
        """What happens to it, and its name."""
        if self.moves_to is not None:
            return "moved", f"{self.path} -> {self.moves_to}"
        what = f" ({self.about})" if self.about else ""
        what += " (0600: only for its owner)" if self.private else ""
        return (
            "new" if self.before is None else "deleted" if self.after is None else "changed",
            f"{self.path}{what}",
        )

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff. No line around a change if one may be secret."""
        before, after = (self.before or "").splitlines(), (self.after or "").splitlines()
        nothing, now = "/dev/null", self.moves_to or self.path
        old = nothing if self.before is None else str(self.path)
        new = nothing if self.after is None else str(now)
        around = 0 if self.path.name in _MAY_HOLD_SECRETS else 3
        for line in difflib.unified_diff(before, after, old, new, "", "", around, ""):
            yield _KEY.sub(r"\1(a new key)", line)


@dataclass
class Plan:
    """The changes, in the order in which they are made, and what a person has to do."""

    changes: dict[Path, Change] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    done: bool = True
    """Whether a command that makes these changes has done what it was asked for."""

    def text(self, path: Path) -> str | None:
        """Return the text of a file once the changes are made."""
        return self.changes[path].after if path in self.changes else read(path)

    def change(self, path: Path, edit: Callable[[str], str | None]) -> bool:
        r"""Plan an edit, which sees `\n` for `\r\n`; return whether it can be made."""
        change = self.changes.get(path) or Change(path, before := read(path), before or "")
        text = change.after or ""
        end = "\r\n" if 0 < text.count("\n") == text.count("\r\n") else "\n"
        after = edit(text.replace(end, "\n"))
        if after is not None:
            self.changes[path] = replace(change, after=after.replace("\n", end))
        return after is not None

    def check(self) -> None:
        """Check that each file can be written where it is, before any is."""
        for change in self.changes.values():
            for path in filter(None, (change.path, change.moves_to)):
                way = [path, *path.parents]
                links = [str(each) for each in way if each.is_symlink()]
                if links:
                    said = f"{links[0]} is a link: nothing was changed; edit what it names"
                    raise CommandError(said)
                there = [each for each in way if each.exists()]
                for each in there[: 1 + path.exists()]:
                    if not os.access(each, os.W_OK):
                        raise CommandError(f"{each} is read-only: nothing was changed")

    def write(self) -> None:
        """Write them in their order, each as a whole: what a failure leaves can be run again."""
        for change in self.changes.values():
            path, moves_to = change.path, change.moves_to
            try:
                if change.after is None:
                    path.unlink()
                elif change.before != change.after:
                    write(path, change.after, private=change.private)
                if moves_to is not None:
                    moves_to.parent.mkdir(parents=True, exist_ok=True)
                    path.rename(moves_to)
            except OSError as failure:
                raise CommandError(f"{path} cannot be written: {failure.strerror}") from failure
