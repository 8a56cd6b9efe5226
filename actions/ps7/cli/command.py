"""The command line: a subcommand or two for each module or package named in `_COMMANDS`.

Each has `add_to(commands)`, which declares it by `arguments.add_command`, and a function that runs
it and returns the exit code, or raises CommandError or SettingsError, whose text `main` writes.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..outcomes import SettingsError
from . import chat, doctor, domain, explain, init, key, lookup, simulate
from .arguments import PROGRAM, OnStdin
from .output import CommandError, printable
from .version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_COMMANDS = (init, doctor, lookup, chat, explain, simulate, domain, key)
"""In the order in which `--help` lists them."""

_FAILED = 1
_INTERRUPTED = 130
_PIPE_CLOSED = 141
"""What a shell reports of a process that SIGINT or SIGPIPE ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; return its exit code.

    `arguments` are those of the command line unless given. What argparse refuses ends the process
    with 2, as everywhere.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # some outputs take only ASCII
        with _errors_of_the_plugin():
            options = (whole := parser()).parse_args(arguments)
            try:
                OnStdin.read(options)
            except argparse.ArgumentTypeError as error:
                whole.error(f"standard input: {error}")
            run: Callable[[argparse.Namespace], int] = options.run
            code = run(options)
        sys.stdout.flush()
    except (SettingsError, CommandError) as error:
        lines = str(error).splitlines()
        sys.stderr.write("".join(f"{printable(line)}\n" for line in lines))
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader wants no more of the output. The interpreter would flush it once again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    return code


def parser() -> argparse.ArgumentParser:
    """Return the whole command line, every subcommand declared."""
    whole = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Tools around a bot that knows its customer from PS7.",
        epilog=f"`{PROGRAM} COMMAND --help` explains a command, with examples.",
    )
    whole.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return whole


@contextmanager
def _errors_of_the_plugin() -> Iterator[None]:
    """Show only ERROR lines of the plugin's log: a command prints the warnings itself."""
    logger = logging.getLogger(__package__.rpartition(".")[0])
    handler = logging.StreamHandler()
    handler.setLevel(logging.ERROR)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
