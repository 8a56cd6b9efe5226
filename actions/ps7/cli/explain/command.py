"""The command `rasa-ps7 explain` itself: its options, its settings, and what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr

from ... import setting_types as types
from ...settings import PS7Settings
from ..arguments import HelpText, add_command, add_json
from ..output import Output
from .report import Reporter
from .saved import read, runs

if TYPE_CHECKING:
    import argparse

_HELP = HelpText(
    about="explain, turn by turn, what the lookup did in a conversation, and why",
    details="""\
Read a conversation from a file and explain every run of the plugin, without asking anybody:

  context id  where it was found; equal numbers are equal contextIds
  found       none, same (as held), another, or new (nothing is held)
  held        what the seal says, and until when that holds
  rule        the rule that fired, as the DEBUG line of the run names it
  why         what the rule means, and what led to it
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
_ROWS = ("said", "context_id", "found", "held", "held_until", "rule", "why", "would_set", "was_set")
"""What is printed of a run, below its heading."""


class _Settings(PS7Settings):
    """The settings of a bot where PS7 is not asked, so that it need not be configured."""

    base_url: types.BaseUrl = Field(
        default="http://127.0.0.1", description=PS7Settings.model_fields["base_url"].description
    )
    username: types.HeaderValue = Field(default=SecretStr("none"), description=types.HEADER_TEXT)
    password: types.HeaderValue = Field(default=SecretStr("none"), description=types.HEADER_TEXT)


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
    reporter = Reporter(_Settings.load(), show=options.show)
    saved, out = read(options.file), Output()
    with out.progress(f"Reading {len(saved.events)} events"):
        reports = [reporter.report(each) for each in runs(saved)]
    if options.json:
        out.json({"seal_keys_set": reporter.keys_known, "runs": reports})
    elif not reports:
        out.line("No message, and no action of ours, is in this file: there is nothing to explain.")
    else:
        _write(out, reports)
    return 0


def _write(out: Output, reports: list[dict[str, Any]]) -> None:
    for number, report in enumerate(reports):
        if number:
            out.line()
        how = "called by its name" if report["by_name"] else "as on every turn"
        out.heading(f"Message {report['message']}, {report['at']}: {report['action']}, {how}")
        told = (name for name in _ROWS if report.get(name) is not None)
        out.table((name.replace("_", " "), _text(report[name])) for name in told)


def _text(value: object) -> str:
    if not isinstance(value, dict):
        return "null" if value is None else str(value)
    return ", ".join(f"{name} {_text(part)}" for name, part in value.items()) or "nothing"
