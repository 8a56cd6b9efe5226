"""`rasa-ps7 record`: an answer of PS7 as a file for `tests/vectors/`, its customer left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .. import clock
from ..settings import PS7Settings
from .arguments import HelpText, add_command, add_lookup
from .lookup import examine
from .output import CommandError, Output
from .vector import ReadOtherwiseError, make_vector

if TYPE_CHECKING:
    import argparse

_HELP = HelpText(
    about="record one answer of PS7 as a test, with made-up data in it",
    details="""\
Look CONTEXT_ID up as `rasa-ps7 lookup` does, and print PS7's answer as a file for tests/vectors/:
as it came, but with made-up data in the place of every value, and of every name of a field, that
the interface does not document. A CPF becomes another one, the same each time; digits stay as
many. Read the file before you publish it all the same.

The exit code is 0 where there is an answer to record, whatever PS7 said, and else 1.
""",
    examples={
        "record 123123213": "print it",
        "record 123123213 --output tests/vectors/account-with-letters.json": "into a new file",
        'record 123123213 --about "An account with letters in it."': "say what it shows",
    },
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    parser = add_command(commands, "record", run, _HELP)
    add_lookup(parser)
    parser.add_argument("--about", metavar="TEXT", help="what the answer shows, in one sentence")
    parser.add_argument("--output", type=Path, metavar="FILE", help="a file that does not exist")


def run(options: argparse.Namespace) -> int:
    """Look up, scrub, and print.

    Raises:
        CommandError: there is no answer to record, none that can be scrubbed, or no such file.
        SettingsError: the settings are not usable.

    """
    settings = PS7Settings.load()
    out = Output()
    with out.progress(f"Asking PS7 at {settings.base_url}"):
        examination = examine(settings, options)
    report = examination.report
    if examination.answer is None:
        ended = f"{report.outcome.value}, {report.reason.value}"
        raise CommandError(f"PS7 gave no answer that could be recorded: {ended}")
    try:
        text = make_vector(
            examination.answer,
            received_at=clock.utc_now(),
            settings=settings,
            about=options.about,
        )
    except ReadOtherwiseError:
        raise CommandError(
            "This answer cannot be recorded: with made-up data in it, it would be read in another "
            "way. Nothing was written."
        ) from None
    if options.output is None:
        out.raw(text)
    else:
        _write(options.output, text)
        out.hint(f"Read {options.output} before you publish it.")
    return 0


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
