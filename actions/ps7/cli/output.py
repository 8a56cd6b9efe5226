"""What a command prints: on a terminal in colour, plain into a pipe, as JSON for a machine.

Text from elsewhere passes through here on its way to a person, so no character of it moves the
cursor or begins a new line. It is wrapped on a terminal, and keeps its lines in a pipe.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_GAP = "  "
_ERASE_LINE = "\r\x1b[K"


class CommandError(Exception):
    """A failure whose text goes to the standard error in the place of an answer."""


class Tone(Enum):
    """How a piece of text looks on a terminal; in a pipe it is plain."""

    GOOD = "32"
    DOUBTFUL = "33"
    BAD = "31"
    FAINT = "2"
    STRONG = "1"


class Toned(NamedTuple):
    """A piece of text that has a tone."""

    text: str
    tone: Tone | None


Cell = str | Toned


class Mark(str, Enum):
    """The word in front of a finding, the same with and without colour, and for a machine."""

    OK = "ok"
    WARNING = "warning"
    """It works now, and will harm a customer or the bot later."""
    ERROR = "error"
    """It does not work, or not as the bot's dialogue expects."""
    SKIPPED = "skipped"


_TONES = dict(zip(Mark, (Tone.GOOD, Tone.DOUBTFUL, Tone.BAD, Tone.FAINT), strict=True))
_MARK_WIDTH = max(len(mark.value) for mark in Mark)


class Output:
    """Writes for one command: what it found to the standard output, progress to the other."""

    def __init__(self) -> None:
        self._stream, self._errors = sys.stdout, sys.stderr
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self._colour = self._stream.isatty() and not plain
        self._width = shutil.get_terminal_size().columns if self._stream.isatty() else None

    def line(self, *cells: Cell) -> None:
        """Write one line of these pieces, one blank between two of them; an empty one of none."""
        self._stream.write(" ".join(map(self._drawn, cells)) + "\n")

    def heading(self, text: str) -> None:
        """Write a line above others."""
        self.line(Toned(text, Tone.STRONG))

    def table(self, rows: Iterable[Sequence[Cell]], *, indent: int = 2) -> None:
        """Write rows in columns as wide as they need to be. The last column is not filled up."""
        table = [[_safe(cell) for cell in row] for row in rows]
        widths = [max(len(cell.text) for cell in column) for column in zip(*table, strict=True)]
        for row in table:
            *filled, (last, _) = zip(row, widths, strict=True)
            cells = [self._drawn(cell) + " " * (width - len(cell.text)) for cell, width in filled]
            line = " " * indent + _GAP.join([*cells, self._drawn(last)])
            self._stream.write(line.rstrip() + "\n")

    def finding(self, mark: Mark, text: str, advice: str = "") -> None:
        """Write what was found with its mark in front, and what to do about it below."""
        space = " " * (_MARK_WIDTH - len(mark.value))
        first = f"  {self._drawn(Toned(mark.value, _TONES[mark]))}{space}{_GAP}"
        rest = " " * (2 + _MARK_WIDTH + len(_GAP))
        self._stream.write(first + self._wrapped(text, rest) + "\n")
        if advice:
            self._stream.write(rest + self._wrapped(advice, rest) + "\n")

    def json(self, value: object) -> None:
        """Write one JSON document, in ASCII: whatever reads it, no text of it is a command."""
        self._stream.write(json.dumps(value, indent=2) + "\n")

    def raw(self, text: str) -> None:
        """Write text that is a file's content: in UTF-8, whatever the terminal speaks."""
        self._stream.flush()
        self._stream.buffer.write(text.encode())

    @contextmanager
    def progress(self, doing: str) -> Iterator[None]:
        """Show on a terminal what is going on, for as long as it does; into a pipe, nothing."""
        shown = self._errors.isatty()
        if shown:
            self._errors.write(f"{printable(doing)} …")
            self._errors.flush()
        try:
            yield
        finally:
            if shown:
                self._errors.write(_ERASE_LINE)
                self._errors.flush()

    def hint(self, text: str) -> None:
        """Write on a terminal what may help a person; into a pipe, nothing."""
        if self._errors.isatty():
            self._errors.write(f"{printable(text)}\n")

    def note(self, text: str) -> None:
        """Write beside the output, on the standard error, what a person should know."""
        self._errors.write(f"{printable(text)}\n")

    def _drawn(self, cell: Cell) -> str:
        text, tone = _safe(cell)
        return f"\x1b[{tone.value}m{text}\x1b[0m" if self._colour and tone and text else text

    def _wrapped(self, text: str, indent: str) -> str:
        text = printable(text)
        if self._width is None:
            return text
        room = max(self._width - len(indent), 20)
        return f"\n{indent}".join(textwrap.wrap(text, room, break_on_hyphens=False) or [""])


def _safe(cell: Cell) -> Toned:
    text, tone = (cell, None) if isinstance(cell, str) else cell
    return Toned(printable(text), tone)


def printable(text: str) -> str:
    r"""Write what a terminal would obey as its escape, such as `\x1b`, line breaks too."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
