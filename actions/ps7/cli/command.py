"""The command line: one subcommand for each module of this folder that does something."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COMMANDS = (sign,)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and give its exit code.

    `arguments` are those of the command line unless given. What argparse refuses ends the process
    with 2, as everywhere.
    """
    parser = argparse.ArgumentParser(
        prog="rasa-ps7", description="What one needs around a bot that knows its customer from PS7."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)
