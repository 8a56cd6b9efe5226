"""What the commands print with: in colour for a person, plain for a pipe, JSON for a machine."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import suppress

import pytest

from actions.ps7.cli.findings import Finding, Report, Section, shown
from actions.ps7.cli.output import Mark, Output, Tone, Toned
from actions.ps7.cli.texts import parts
from tests.support.command import Terminal

Make = Callable[..., tuple[Output, io.StringIO]]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Make:
    """What makes an output, and the stream it writes to."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")

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
    out.finding(Mark.SKIPPED, "the token")


@pytest.mark.parametrize(("title", "text"), parts("findings.txt").items())
def test_an_advice_names_a_setting_that_is_at_fault(title: str, text: str) -> None:
    """If it names any. A key is replaced by one of its own kind."""
    found, _, advice = text.strip().partition("\n")
    at_fault, to_change = ({*re.findall(r"PS7_\w+", each)} for each in (found, advice))
    if title.startswith("slot-renamed"):  # clearing the slot is the way out
        assert to_change == {"PS7_CLEAR_SLOTS"}
    else:
        assert not (at_fault and to_change) or at_fault & to_change
    makes = re.findall("`rasa-ps7 key(?: --arrival)?`", advice)
    of_arrivals = "PS7_ARRIVAL_KEYS" in title + found
    assert {*makes} <= {"`rasa-ps7 key --arrival`" if of_arrivals else "`rasa-ps7 key`"}


PLAIN = """\
Settings
  PS7_BASE_URL  set
  PS7_CA_FILE

  ok       the certificate holds
  error    PS7 refuses the credentials
           Ask who runs it for new ones.
  skipped  the token
"""


@pytest.mark.parametrize(
    ("variable", "value", "coloured"),
    [
        ("TERM", "xterm", True),
        ("TERM", "dumb", False),
        ("NO_COLOR", "1", False),
        ("NO_COLOR", "", True),  # present and not empty, says https://no-color.org
    ],
)
def test_a_terminal_gets_colours(
    written: Make, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, coloured: bool
) -> None:
    """Unless its user wants none, or it could not show them. They change no column."""
    monkeypatch.setenv(variable, value)
    out, stream = written(terminal=True)
    speak(out)
    shown = stream.getvalue()
    assert re.sub(r"\x1b\[\d+m", "", shown) == PLAIN
    assert ("\x1b[31merror\x1b[0m " in shown) is ("\x1b" in shown) is coloured


@pytest.mark.parametrize("length", [1, 100, 101])
def test_what_comes_from_elsewhere_is_cut(length: int) -> None:
    """Such as a name in a certificate."""
    assert shown("x" * length) == "x" * min(length, 100) + "…" * (length > 100)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([Mark.ERROR, Mark.WARNING], "31m1 error, 1 warning"),
        ([Mark.WARNING, Mark.WARNING], "33mno errors, 2 warnings"),
        ([Mark.OK], "32mno errors, no warnings"),
    ],
)
def test_a_report_ends_in_the_colour_of_the_worst(
    written: Make, levels: list[Mark], said: str
) -> None:
    """Red for an error, yellow for a warning."""
    out, stream = written(terminal=True)
    Report([Section("Bot", [Finding("x", each, "found") for each in levels])]).write(out)
    assert stream.getvalue().endswith(f"\x1b[{said}\x1b[0m\n")


SHARED = """\
Bot
  error    a [x]
           do 1
  error    b [x]
  warning  c [y]
  ok       d
           do 2

2 errors, 1 warning
"""


def test_advice_stands_below_the_last_that_shares_it(written: Make) -> None:
    """Whatever their names and levels are."""
    out, stream = written(terminal=False)
    levels = (Mark.ERROR, Mark.ERROR, Mark.WARNING, Mark.OK)
    found = map(Finding, "xxyy", levels, "abcd", ("do 1", *["do 2"] * 3))
    Report([Section("Bot", [*found])]).write(out)
    assert stream.getvalue() == SHARED


LONG = "one two three four five six seven eight nine ten eleven twelve thirteen"


def test_a_terminal_gets_lines_it_can_show(written: Make) -> None:
    """Findings are wrapped below their beginning; a name stays whole, so that it can be copied."""
    out, stream = written(terminal=True)
    out.finding(Mark.SKIPPED, LONG, f"{LONG[:39]} a-name-with-hyphens")
    assert stream.getvalue() == (
        "  \x1b[2mskipped\x1b[0m  one two three four five six seven eight nine ten\n"
        "           eleven twelve thirteen\n"
        "           one two three four five six seven eight\n"
        "           a-name-with-hyphens\n"
    )


def test_a_pipe_gets_whole_lines(written: Make) -> None:
    """So that one can search in them; no escape, and columns that are aligned all the same."""
    out, stream = written(terminal=False)
    speak(out)
    out.finding(Mark.SKIPPED, LONG)
    assert stream.getvalue() == f"{PLAIN}  skipped  {LONG}\n"


def test_text_from_elsewhere_moves_no_cursor(written: Make) -> None:
    """An answer of PS7 can hold what repaints a terminal, or looks like a line of its own."""
    out, stream = written(terminal=True)
    forged, safe = "São\x1b[2K\r\n\x9b\u2028\\", "São\\x1b[2K\\r\\n\\x9b\\u2028\\"
    out.line(forged, forged)
    out.table([(forged,)])
    out.finding(Mark.OK, forged)
    out.note(forged)
    shown = f"{safe} {safe}\n  {safe}\n  \x1b[32mok\x1b[0m       {safe}\n{safe}\n"
    assert stream.getvalue() == shown


def test_a_machine_gets_one_document_in_ascii(written: Make) -> None:
    """Accents and controls travel as escapes, whatever reads them."""
    out, stream = written(terminal=True)
    out.json({"segment": "é", "forged": "\x1b\x9b"})
    assert stream.getvalue() == '{\n  "segment": "\\u00e9",\n  "forged": "\\u001b\\u009b"\n}\n'


@pytest.mark.parametrize(
    ("terminal", "shown"), [(True, "Asking PS7 …\r\x1b[Ktry this\nnoted\n"), (False, "noted\n")]
)
def test_progress_and_hints_are_for_a_terminal(
    written: Make, monkeypatch: pytest.MonkeyPatch, *, terminal: bool, shown: str
) -> None:
    """Progress is removed at its end, also where that is an error; a note is for every reader.

    They go by the standard error, colours and widths by the standard output.
    """
    _, plain = written(terminal=not terminal)
    monkeypatch.setattr("sys.stderr", stream := Terminal() if terminal else io.StringIO())
    out = Output()
    out.finding(Mark.OK, LONG)
    assert plain.getvalue().count("\n") == plain.getvalue().count("\x1b[32m") + 1 == 2 - terminal
    with suppress(KeyboardInterrupt), out.progress("Asking PS7"):
        raise KeyboardInterrupt
    out.hint("try this")
    out.note("noted")
    assert stream.getvalue() == shown
