"""The command `rasa-ps7 explain` itself: its options, and what it needs of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from ... import setting_types as types
from ...dialogue.runtime import Runtime
from ...settings import PS7Settings
from ..arguments import HelpText, add_command, add_json
from ..output import Output
from .moments import moments
from .recording import read
from .report import Reporter, write

if TYPE_CHECKING:
    import argparse

_HELP = HelpText(
    about="say, turn by turn, what the lookup did in a conversation, and why",
    details="""\
Read a conversation from a file and say of every run of the plugin, without asking anybody:

  contextId   where it was found; equal numbers are equal contextIds
  found       none, same (as held), another, or new (nothing is held)
  held        what the seal says, and until when
  then        the row of the table in docs/how-it-works.md that fired
  why         what led to it
  would set   the slots of ours that the run sets
  was set     those that the tracker says were set until the next run, by anyone

TRACKER.json is what Rasa's API gives (GET /conversations/<id>/tracker?include_events=ALL), or the
body of a call that the action server got; - is the standard input. The settings are those of the
action server, as far as they are set: with its PS7_SEAL_KEYS the seals can be opened, without them
it says what cannot be told. PS7 itself need not be configured.

Personal data and contextIds are masked unless --show is given.
""",
    examples={
        "explain tracker.json": "a conversation that was saved",
        "explain tracker.json --show": "with contextIds, values and what the user said",
        "explain - --json < tracker.json": "for a script",
    },
)


class _Settings(PS7Settings):
    """The settings of a bot where nobody is asked, so that PS7 need not be configured."""

    base_url: types.BaseUrl = Field(
        default="http://127.0.0.1", description=PS7Settings.model_fields["base_url"].description
    )
    username: types.HeaderValue = Field(default=SecretStr("nobody"), description=types.HEADER_TEXT)
    password: types.HeaderValue = Field(default=SecretStr("nothing"), description=types.HEADER_TEXT)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    parser = add_command(commands, "explain", run, _HELP)
    parser.add_argument(
        "file", metavar="TRACKER.json", help="the conversation; - reads it from stdin"
    )
    parser.add_argument("--show", action="store_true", help="mask nothing")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Explain a conversation.

    Raises:
        CommandError: the file cannot be read, or holds no tracker.
        SettingsError: settings that are there cannot be used.

    """
    settings = _Settings.load()
    recording = read(options.file)
    runtime = Runtime(settings)
    found = moments(recording, runtime.names)
    keys_known = "seal_keys" in settings.model_fields_set
    reporter = Reporter(runtime, keys_known=keys_known, show=options.show)
    out = Output()
    with out.progress(f"Reading {len(recording.events)} events"):
        report = reporter.report(found)
    if options.json:
        out.json(report)
    else:
        write(out, report)
    return 0
