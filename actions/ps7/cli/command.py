"""The command line: one subcommand for each module or package named in `_COMMANDS`.

Each has `add_to(commands)`, which declares it by `arguments.add_command`, and a function that runs
it and gives the exit code. What several of them need for a clean end stands here.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import SettingsError
from . import doctor, domain, explain, key, lookup, sign, simulate
from .arguments import PROGRAM
from .output import CommandError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_COMMANDS = (doctor, lookup, explain, simulate, domain, key, sign)
"""In the order in which `--help` lists them."""

_FAILED = 1
_INTERRUPTED = 130
_PIPE_CLOSED = 141
"""What a shell says of a process that SIGINT or SIGPIPE ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and give its exit code.

    `arguments` are those of the command line unless given. What argparse refuses ends the process
    with 2, as everywhere.
    """
    try:
        _speak_whatever_the_terminal_reads()
        with _own_errors_alone():
            code = _run(parser().parse_args(arguments))
        sys.stdout.flush()
    except (SettingsError, CommandError) as error:
        lines = str(error).splitlines()
        sys.stderr.write("".join(f"{printable(line)}\n" for line in lines))
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Who read the output wants no more of it. The interpreter would flush it once again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    return code


def _speak_whatever_the_terminal_reads() -> None:
    """Let a character that the output cannot encode be its escape: some take ASCII alone."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(options: argparse.Namespace) -> int:
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def parser() -> argparse.ArgumentParser:
    """Give the whole command line, every subcommand declared."""
    whole = argparse.ArgumentParser(
        prog=PROGRAM,
        description="What one needs around a bot that knows its customer from PS7.",
        epilog=f"`{PROGRAM} COMMAND --help` says what a command does, with examples.",
    )
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return whole


@contextmanager
def _own_errors_alone() -> Iterator[None]:
    """Leave the log to action servers: a command says itself what a warning would say here."""
    logger = logging.getLogger(__package__.rpartition(".")[0])
    handler = logging.StreamHandler()
    handler.setLevel(logging.ERROR)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
