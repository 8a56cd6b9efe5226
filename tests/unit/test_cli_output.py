"""What the commands write with: in colour for a person, plain for a pipe, JSON for a machine."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from actions.ps7.cli.output import Mark, Output, Tone, Toned

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., tuple[Output, io.StringIO]]


class Terminal(io.StringIO):
    """A stream that somebody sits at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Give an output, and the stream it writes to."""

    def make(*, terminal: bool) -> tuple[Output, io.StringIO]:
        stream = Terminal() if terminal else io.StringIO()
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("sys.stderr", stream)
        return Output(), stream

    return make


def speak(out: Output) -> None:
    out.heading("Settings")
    out.table([("PS7_BASE_URL", Toned("set", Tone.GOOD)), ("PS7_CA_FILE", "")])
    out.line()
    out.finding(Mark.OK, "the certificate holds")
    out.finding(Mark.ERROR, "PS7 refuses the credentials", "Ask who runs it for new ones.")
    out.finding(Mark.WARNING, "it ends soon", "")
    out.finding(Mark.SKIPPED, "the token")


PLAIN = """\
Settings
  PS7_BASE_URL  set
  PS7_CA_FILE

  ok       the certificate holds
  error    PS7 refuses the credentials
           Ask who runs it for new ones.
  warning  it ends soon
  skipped  the token
"""


def test_a_pipe_gets_plain_lines(written: Make) -> None:
    """No escape, and columns that are aligned all the same."""
    out, stream = written(terminal=False)
    speak(out)
    assert stream.getvalue() == PLAIN


def test_a_terminal_gets_colours(written: Make) -> None:
    """The same text; a colour changes no column."""
    out, stream = written(terminal=True)
    speak(out)
    expected = (
        PLAIN.replace("Settings", "\x1b[1mSettings\x1b[0m")
        .replace(" set\n", " \x1b[32mset\x1b[0m\n")
        .replace("  ok ", "  \x1b[32mok\x1b[0m ")
        .replace("error ", "\x1b[31merror\x1b[0m ")
        .replace("warning ", "\x1b[33mwarning\x1b[0m ")
        .replace("skipped ", "\x1b[2mskipped\x1b[0m ")
    )
    assert stream.getvalue() == expected


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(
    written: Make, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """As https://no-color.org asks, and where the terminal could not show them."""
    monkeypatch.setenv(name, value)
    out, stream = written(terminal=True)
    speak(out)
    assert stream.getvalue() == PLAIN


def test_an_empty_no_color_says_nothing(written: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """As https://no-color.org has it: present and not empty."""
    monkeypatch.setenv("NO_COLOR", "")
    out, stream = written(terminal=True)
    out.heading("Settings")
    assert stream.getvalue() == "\x1b[1mSettings\x1b[0m\n"


LONG = "one two three four five six seven eight nine ten eleven twelve thirteen"


def test_a_terminal_gets_lines_it_can_show(written: Make) -> None:
    """Findings are wrapped below their beginning."""
    out, stream = written(terminal=True)
    out.finding(Mark.SKIPPED, LONG, LONG)
    assert stream.getvalue() == (
        "  \x1b[2mskipped\x1b[0m  one two three four five six seven eight nine ten\n"
        "           eleven twelve thirteen\n"
        "           one two three four five six seven eight nine ten\n"
        "           eleven twelve thirteen\n"
    )


def test_a_name_stays_whole(written: Make) -> None:
    """So that what is copied from a terminal can be pasted: an option, a header, an id."""
    out, stream = written(terminal=True)
    out.finding(Mark.SKIPPED, f"{LONG[:39]} session-carry-over")
    assert stream.getvalue() == (
        "  \x1b[2mskipped\x1b[0m  one two three four five six seven eight\n"
        "           session-carry-over\n"
    )


def test_a_pipe_gets_whole_lines(written: Make) -> None:
    """So that one can search in them."""
    out, stream = written(terminal=False)
    out.finding(Mark.SKIPPED, LONG)
    assert stream.getvalue() == f"  skipped  {LONG}\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_text_from_elsewhere_moves_no_cursor(written: Make, *, terminal: bool) -> None:
    """An answer of PS7 can hold what repaints a terminal, or looks like a line of its own."""
    out, stream = written(terminal=terminal)
    forged = "São\x1b[2K\r\n\x9b\u2028\\"
    safe = "São\\x1b[2K\\r\\n\\x9b\\u2028\\"
    out.line(forged, forged)
    out.table([(forged,)])
    out.finding(Mark.OK, forged)
    out.note(forged)
    ok = "\x1b[32mok\x1b[0m" if terminal else "ok"
    assert stream.getvalue() == f"{safe} {safe}\n  {safe}\n  {ok}       {safe}\n{safe}\n"


def test_a_machine_gets_one_document_in_ascii(written: Make) -> None:
    """Accents and controls travel as escapes, whatever reads them."""
    out, stream = written(terminal=True)
    value = {"segment": "Personnalité", "forged": "\x1b\x9b"}
    out.json(value)
    assert stream.getvalue() == (
        '{\n  "segment": "Personnalit\\u00e9",\n  "forged": "\\u001b\\u009b"\n}\n'
    )
    assert json.loads(stream.getvalue()) == value


def test_progress_is_shown_and_taken_away(written: Make) -> None:
    """On a terminal, also where it ends with an error."""
    out, stream = written(terminal=True)
    shown = ""
    try:
        with out.progress("Asking PS7"):
            shown = stream.getvalue()
            raise KeyboardInterrupt  # noqa: TRY301 - as somebody does who waits too long
    except KeyboardInterrupt:
        assert shown == "Asking PS7 …"
    assert stream.getvalue() == "Asking PS7 …\r\x1b[K"


def test_a_pipe_gets_neither_progress_nor_hints(written: Make) -> None:
    """They are for somebody who waits; a note is for everybody."""
    out, stream = written(terminal=False)
    with out.progress("Asking PS7"):
        pass
    out.hint("try this")
    assert stream.getvalue() == ""
    out.note("2 names were replaced")
    assert stream.getvalue() == "2 names were replaced\n"


def test_a_hint_is_shown_on_a_terminal(written: Make) -> None:
    """Below what was printed."""
    out, stream = written(terminal=True)
    out.hint("try this")
    assert stream.getvalue() == "try this\n"


def test_a_files_content_is_written_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """In UTF-8, whatever the terminal speaks, and after what was said before it."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    out = Output()
    out.line("first")
    out.raw("versão: 1\n\n")
    assert written.getvalue() == "first\nversão: 1\n\n".encode()
