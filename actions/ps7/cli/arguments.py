"""How every command is declared, and what several of them take. Knows argparse."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable  # noqa: TC003 - of a NamedTuple
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field, SecretStr

from .. import settings as types
from ..conversation.arrival import usable
from ..settings import PS7Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = "rasa-ps7"


class _Paragraphs(argparse.HelpFormatter):
    """Fills each paragraph to the width of the terminal; one that is indented stays as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill, parts = super()._fill_text, text.strip().split("\n\n")
        return "\n\n".join(p if "\n  " in p else fill(p, width, indent) for p in parts)


class HelpText(NamedTuple):
    """What `--help` shows of a command."""

    about: str
    """Its line in the list of commands."""
    details: str
    """What it does, and what its exit code means."""
    examples: Mapping[str, str]
    """The word after `rasa-ps7`, and what the command is for."""


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: HelpText,
) -> argparse.ArgumentParser:
    """Declare a command; return its parser, for its own arguments."""
    examples = (f"\n  {PROGRAM} {given}\n      {what}" for given, what in text.examples.items())
    parser = commands.add_parser(
        name,
        help=text.about,
        description=text.details,
        epilog=f"examples:{''.join(examples)}",
        formatter_class=_Paragraphs,
    )
    parser.set_defaults(run=run)
    return parser


def add_json(add: Callable[..., argparse.Action]) -> None:
    """Declare `--json`."""
    add("--json", action="store_true", help="one JSON document, for a machine")


def context_id(text: str) -> str:
    """Read a contextId; ArgumentTypeError, which argparse reports, if it is not usable."""
    if usable(text) is None:
        raise argparse.ArgumentTypeError("1 to 256 printable characters without white space")
    return text


class OnStdin(NamedTuple):
    """What `-` is in the place of: a line of the standard input, in no list of processes."""

    check: Callable[[str], str]

    @classmethod
    def or_given(cls, check: Callable[[str], str] = str) -> Callable[[str], str | OnStdin]:
        """Return the type of an argument that may be `-`."""
        return lambda text: cls(check) if text == "-" else check(text)

    @staticmethod
    def read(options: argparse.Namespace) -> None:
        """Put the lines in their places, in the order in which the command declares these."""
        for name, value in vars(options).items():
            if isinstance(value, OnStdin):
                setattr(options, name, value.check(sys.stdin.readline().rstrip("\r\n")))


class BotSettings(PS7Settings):
    """The settings of a bot, if PS7 is not asked and so need not be configured."""

    base_url: types.BaseUrl = Field(
        default="http://127.0.0.1", description=PS7Settings.model_fields["base_url"].description
    )
    username: types.HeaderValue = Field(default=SecretStr("none"), description=types.HEADER_TEXT)
    password: types.HeaderValue = Field(default=SecretStr("none"), description=types.HEADER_TEXT)
