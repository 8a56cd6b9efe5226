"""Options that documents give to our programs and to Rasa's, and whether these take them."""

from __future__ import annotations

import io
from argparse import ArgumentParser
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, NoReturn
from unittest.mock import patch

from rasa_sdk.endpoint import create_argument_parser

from tests.docs.words import path_is_there

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _ParsedError(Exception):
    """The command line was read; nothing was done."""


def parsed_by(main: Callable[[list[str]], object]) -> Callable[[list[str], str], Iterator[str]]:
    """Make a check that lets a program read its options and stops it there."""

    def check(arguments: list[str], _: str) -> Iterator[str]:
        if len(arguments) <= 1:
            arguments = [*arguments, "--help"]  # it is only named
        parse = ArgumentParser.parse_args

        def only_parse(self: ArgumentParser, args: list[str], *_: object) -> NoReturn:
            parse(self, args)
            raise _ParsedError

        with (
            patch.object(ArgumentParser, "parse_args", only_parse),
            redirect_stderr(io.StringIO()) as said,
            redirect_stdout(io.StringIO()),
        ):
            try:
                main(arguments)
            except _ParsedError:
                return
            except SystemExit as end:
                if not end.code:
                    return
        yield said.getvalue().strip().rpartition("\n")[2] or f"{arguments} is not understood"

    return check


def rasa_sdk(arguments: list[str]) -> None:
    """Read the options of an action server."""
    create_argument_parser().parse_args(arguments)


# What of Rasa's own command line stands in the documents.
_RASA = {
    ("train",): {"--domain"},
    ("run",): {"--enable-api", "--port", "--credentials", "--endpoints"},
    ("run", "actions"): {"--actions"},
    ("init",): {"--no-prompt", "--init-dir"},
    ("shell",): set[str](),
    ("data", "validate"): {"--domain"},
    ("test", "e2e"): set[str](),
}


def rasa(arguments: list[str], document: str) -> Iterator[str]:
    """Check a command of Rasa's, which is not installed here, by a table."""
    command = max(
        (known for known in _RASA if tuple(arguments[: len(known)]) == known),
        key=len,
        default=None,
    )
    if command is None:
        yield f"rasa {' '.join(arguments)} is not in the list of what Rasa can do"
        return
    for word in arguments[len(command) :]:
        if word.startswith("-"):
            if word not in _RASA[command]:
                yield f"rasa {' '.join(command)} is not known to take {word}"
        elif not path_is_there(word, document):
            yield f"there is no {word}"
