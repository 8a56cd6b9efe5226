"""The command `rasa-ps7`, in this process."""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable
from typing import NamedTuple

import pytest

from actions.ps7.cli.command import main


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


class Ended(NamedTuple):
    """What a command said, and its exit code."""

    code: object
    out: str
    err: str

    def done(self) -> str:
        """Return what it printed, of a command that did what it was asked for."""
        assert self.code == 0, self.err
        assert self.err == ""
        return self.out

    def refused(self) -> str:
        """Return the complaint of a command that did not."""
        assert self.code == 1, self.err
        assert "Traceback" not in self.err
        return self.err


Cli = Callable[..., Ended]


@pytest.fixture
def cli(isolated: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:  # noqa: ARG001
    """What runs a command line, and more arguments, here: where nothing is set."""

    def run(line: str, *more: str) -> Ended:
        capsys.readouterr()
        try:
            code: object = main([*shlex.split(line), *more])
        except SystemExit as ending:
            code = ending.code
        return Ended(code, *capsys.readouterr())

    return run
