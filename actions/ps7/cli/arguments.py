"""How every command is declared, and what several of them take. Knows argparse."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable  # noqa: TC003 - of a NamedTuple
from pathlib import Path
from typing import NamedTuple

from ..conversation.arrival import usable
from . import texts

PROGRAM = "rasa-ps7"
FILES = {
    "domain": "a domain file, or a folder of them; may be given several times",
    "data": "a file of rules, stories or flows, or a folder of them; may be given several times",
    "config": "the bot's config.yml",
    "endpoints": "the bot's endpoints.yml",
    "credentials": "the bot's credentials.yml",
    "actions": "the package, or the module, of the bot's actions",
}
"""What can be named beside a bot's folder, and in place of what is found there."""


class _Paragraphs(argparse.HelpFormatter):
    """Fills each paragraph to the width of the terminal; one that is indented stays as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill, parts = super()._fill_text, text.strip().split("\n\n")
        return "\n\n".join(p if "\n  " in p else fill(p, width, indent) for p in parts)


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    **filled: str,
) -> argparse.ArgumentParser:
    """Declare a command, with what `help.txt` says of it; return its parser, for its arguments.

    filled: what stands there in braces.
    """
    text = texts.parts("help.txt")[name]
    for gap, value in filled.items():
        text = text.replace(f"{{{gap}}}", value)
    about, _, details = text.partition("\n\n")
    details, examples, shown = details.partition("examples:")
    parser = commands.add_parser(
        name,
        help=about,
        description=details,
        epilog=examples + shown.rstrip(),
        formatter_class=_Paragraphs,
    )
    parser.set_defaults(run=run)
    return parser


def add_files(add: Callable[..., argparse.Action], *kinds: str) -> None:
    """Declare options for these kinds of a bot's files."""
    for kind in kinds:
        add(f"--{kind}", type=Path, action="append", metavar="PATH", help=FILES[kind])


def add_json(add: Callable[..., argparse.Action]) -> None:
    """Declare `--json`."""
    add("--json", action="store_true", help="one JSON document, for a machine")


def add_agreement(add: Callable[..., argparse.Action]) -> None:
    """Declare `--yes`, for a lookup to which the `.env` of this folder says the way."""
    add("--yes", action="store_true", help="send credentials where .env in this folder says")


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
