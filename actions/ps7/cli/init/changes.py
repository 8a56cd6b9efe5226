"""Changes of a bot's files, as data: shown as a diff, then checked and written."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..bot import files
from ..bot.yaml import UnreadableError
from ..git import is_committed, is_ignored, repository
from ..output import CommandError
from ..texts import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAY_HOLD_SECRETS = {".env", "endpoints.yml"}
_KEY = re.compile(r"(PS7_SEAL_KEYS=).*")


def read(path: Path) -> str | None:
    """Return the text of a file; None if it is not there."""
    try:
        if path.suffix == ".py":  # its text may be of any coding; what is put in is ASCII
            return files.content(path).decode(errors="surrogateescape")
        return files.text(path)
    except FileNotFoundError:
        return None
    except UnreadableError as failure:
        raise CommandError(f"{path} {failure}: nothing was changed") from None


@dataclass(frozen=True)
class Change:
    """A file of a bot: its text now, and its text afterwards."""

    path: Path
    before: str | None
    """None if it is not there."""
    after: str
    about: str = ""
    """What a file is, if its content is too long to be shown."""
    moves_to: Path | None = None
    private: bool = False
    """Whether it has a secret: only its owner may read it, and git must not keep it."""

    @property
    def title(self) -> tuple[str, str]:
        """What happens to it, and its name."""
        if self.moves_to is not None:
            return "moved", f"{self.path} -> {self.moves_to}"
        what = f" ({self.about})" if self.about else ""
        what += " (0600: only for its owner)" if self.private else ""
        return "new" if self.before is None else "changed", f"{self.path}{what}"

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff. No line around a change if one may be secret."""
        before, after = (self.before or "").splitlines(), self.after.splitlines()
        old = "/dev/null" if self.before is None else str(self.path)
        around = 0 if self.path.name in _MAY_HOLD_SECRETS else 3
        new = str(self.moves_to or self.path)
        for line in difflib.unified_diff(before, after, old, new, "", "", around, ""):
            yield _KEY.sub(r"\1(a new key)", line)


@dataclass
class Plan:
    """The changes, in the order in which they are made, and what a person has to do."""

    changes: dict[Path, Change] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def change(self, path: Path, edit: Callable[[str], str | None]) -> bool:
        r"""Plan an edit, which sees `\n` for `\r\n`; return whether it can be made."""
        change = self.changes.get(path) or Change(path, before := read(path), before or "")
        text = change.after
        end = "\r\n" if 0 < text.count("\n") == text.count("\r\n") else "\n"
        after = edit(text.replace(end, "\n"))
        if after is not None:
            self.changes[path] = replace(change, after=after.replace("\n", end))
        return after is not None

    def uncommitted(self) -> list[str]:
        """Return the files that git could not bring back as they are; a .env is none of them."""
        return [str(path) for path in self._changed() if not is_committed(path)]

    def way_back(self) -> Iterator[str]:
        """Yield, before it is written, what takes all of it back; nothing if git could not.

        Secrets come first: once git's own .gitignore is back, `git add -A` would take them.
        """
        if repository(Path()) is None or self.uncommitted():
            return
        every = self.changes.values()
        first = [each for each in every if each.private]
        for each in first:
            if each.before is not None:
                added = re.findall(r"^PS7_\w+=", each.after[len(each.before) :], re.MULTILINE)
                old, file = (shlex.quote(f"{each.path}{end}") for end in (".old", ""))
                yield f"sed -i.old -E '/^({'|'.join(['# PS7: ', *added])})/d' {file} && rm {old}"
        made = [each.path for each in (*first, *every) if each.before is None]
        made += [each.moves_to for each in every if each.moves_to is not None]
        folders = {above for path in made for above in path.parents if not above.exists()}
        away = ("rm", list(dict.fromkeys(made))), ("rmdir", sorted(folders, reverse=True))
        for does, paths in (*away, ("git checkout --", self._changed())):
            if paths:
                yield f"{does} {shlex.join(map(str, paths))}"

    def _changed(self) -> list[Path]:
        every = self.changes.values()
        return [each.path for each in every if not (each.private or each.before is None)]

    def check(self) -> None:
        """Check that each file can be written where it is, before any is."""
        for change in self.changes.values():
            for path in filter(None, (change.path, change.moves_to)):
                way = [path, *path.parents]
                if links := [each for each in way if each.is_symlink()]:
                    raise CommandError(refusal("link", link=links[0], to=links[0].readlink()))
                there = [each for each in way if each.exists()]
                for each in there[: 1 + path.exists()]:
                    if not os.access(each, os.W_OK):
                        raise CommandError(f"{each} is read-only: nothing was changed")
            self._compare(change, "nothing was changed")

    def write(self) -> None:
        """Write them in their order, each as a whole: what a failure leaves can be run again.

        What somebody wrote since it was read is not lost: nothing is written over it.
        """
        self.check()
        for change in self.changes.values():
            path, moves_to = change.path, change.moves_to
            self._compare(change, "what comes after it was not changed; run it again")
            if change.private and repository(path.parent) and not is_ignored(path):
                raise CommandError(refusal("not-ignored", path=path))
            try:
                if change.before != change.after:
                    _write(path, change.after, private=change.private)
                if moves_to is not None:
                    moves_to.parent.mkdir(parents=True, exist_ok=True)
                    path.rename(moves_to)
            except OSError as failure:
                raise CommandError(f"{path} cannot be written: {failure.strerror}") from failure

    @staticmethod
    def _compare(change: Change, so: str) -> None:
        if read(change.path) != change.before:
            raise CommandError(f"{change.path} has changed meanwhile: {so}")
        if change.moves_to is not None and os.path.lexists(change.moves_to):
            raise CommandError(f"{change.moves_to} is there already: {so}")


def _write(path: Path, text: str, *, private: bool) -> None:
    """Write a file as a whole, with the mode that it had; private: only for its owner.

    The new content is never in a place that somebody else chose: the temporary file is a new one,
    of a random name, and no link.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode(errors="surrogateescape"))
        if not private:
            os.umask(mask := os.umask(0))
            beside.chmod(0o666 & ~mask)
            with suppress(FileNotFoundError):
                shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
